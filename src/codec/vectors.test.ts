import { describe, expect, test } from 'vitest'
import { compileDialect } from './dialect.ts'
import { defaultFraming, FrameReader } from './framing.ts'
import type { Composite } from './message.ts'
import vectors from './vectors/messages.json' with { type: 'json' }

/** Published messages of other ISO 8583 implementations; each row names its source. */
type MessageVector = {
  id: string
  dialect: string
  hex: string
  lengthHeader?: { type: string; inclusive: boolean }
  expected?: { mti: string; fields: Record<string, unknown>; header?: string }
  errorOffset?: number
}

const dialects = vectors.dialects as Record<string, unknown>
const messages = vectors.messages as MessageVector[]

/** Bytes without the length header that some of the published messages begin with. */
function bodyOf({ hex, lengthHeader }: MessageVector) {
  const bytes = Buffer.from(hex, 'hex')
  if (lengthHeader === undefined) return bytes
  expect(lengthHeader).toEqual({ type: 'ascii4', inclusive: false })
  return new FrameReader({ ...defaultFraming, length: 'ascii4' }).push(bytes).frames[0]!.body
}

describe('published messages', () => {
  test.each(messages.filter(each => each.expected !== undefined).map(each => [each.id, each] as const))(
    '%s',
    (_id, vector) => {
      const dialect = compileDialect(dialects[vector.dialect])
      const bytes = bodyOf(vector)
      const result = dialect.unpack(bytes)
      expect(result).toMatchObject({ ok: true })
      const { mti, fields, composites, header } = result.message
      expect(mti).toBe(vector.expected?.mti)
      if (vector.expected?.header !== undefined) expect(header).toBe(vector.expected.header)
      const read = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
      expect({ ...read, ...plain(composites) }).toEqual(withHeaderKey(vector.expected?.fields))
      expect(dialect.pack(result.message).toString('hex')).toBe(bytes.toString('hex'))
    },
  )

  test.each(messages.filter(each => each.errorOffset !== undefined).map(each => [each.id, each] as const))(
    '%s is refused',
    (_id, vector) => {
      const dialect = compileDialect(dialects[vector.dialect])
      expect(dialect.unpack(bodyOf(vector))).toMatchObject({ ok: false, error: { offset: vector.errorOffset } })
    },
  )
})

/** Maps as the objects of the vectors. */
function plain(value: Map<string | number, string | Composite> | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Array.from(value ?? [], ([key, each]) => [key, typeof each === 'string' ? each : plain(each)]),
  )
}

/** The vectors call the bytes before a child bitmap `_header`. */
function withHeaderKey(fields: Record<string, unknown> | undefined) {
  return JSON.parse(JSON.stringify(fields).replaceAll('"_header"', '"header"'))
}
