import { childrenCodec } from './composites.ts'
import {
  type Cursor,
  fail,
  openCursor,
  type Renderings,
  refuse,
  reject,
  type TraceEntry,
  type Writer,
} from './cursor.ts'
import type { Encoding, FieldFormat } from './dialect-format.ts'
import { ebcdic1047 } from './ebcdic.ts'
import { charactersPerUnit, type ElementCodec, type Extent } from './elements.ts'
import { hexText, translate } from './packed.ts'

/** How the bytes that children stand on are sent, where they are not sent as they are. */
const transports: Partial<Record<Encoding, Transport>> = {
  hex: hexTransport(hexText(), 'text'),
  'hex-ebcdic': hexTransport(hexText(ebcdic1047)),
  'binary-ebcdic': {
    perByte: 1,
    decode: (cursor, end) => translate(cursor.bytes, cursor.offset, end, ebcdic1047.toLatin1),
    encode: (writer, start) =>
      translate(writer.bytes, start, writer.offset, ebcdic1047.fromLatin1).copy(writer.bytes, start) >= 0,
  },
}

type Transport = {
  /** Bytes on the wire for one of the children's. */
  readonly perByte: number
  readonly rendering?: 'text'
  /** The children's bytes, or undefined after `fail`. */
  decode(cursor: Cursor, end: number): Buffer | undefined
  /** Turns the children's bytes, from `start` to the writer's offset, into those of the wire. */
  encode(writer: Writer, start: number): boolean
}

function hexTransport(text: ReturnType<typeof hexText>, rendering?: 'text'): Transport {
  return {
    perByte: 2,
    ...(rendering === undefined ? {} : { rendering }),
    decode(cursor, end) {
      const hexadecimal = text.read(cursor, end - cursor.offset)
      return hexadecimal === undefined ? undefined : Buffer.from(hexadecimal, 'hex')
    },
    encode(writer, start) {
      const hexadecimal = writer.bytes.toString('hex', start, writer.offset)
      writer.offset = start
      return text.write(writer, hexadecimal)
    },
  }
}

/**
 * A field with children: they stand on the wire bytes themselves, so each begins at a byte; where the field is
 * hexadecimal text or was translated they stand on the bytes before that.
 */
export function compositeElement(
  field: FieldFormat,
  format: NonNullable<FieldFormat['children']>,
  extent: Extent,
  renderings: Renderings,
): ElementCodec {
  const transport = transports[field.encoding]
  const inner: Renderings = transport === undefined ? renderings : { text: false, hex: false }
  const children = childrenCodec(format, inner)
  const charactersPerByte = charactersPerUnit(field, 'bytes')
  const wireBytes = (characters: number) => Math.ceil(characters / charactersPerByte) * (transport?.perByte ?? 1)
  if (transport?.rendering === 'text') renderings.text = true

  function unpackInPlace(cursor: Cursor, end: number) {
    const outerEnd = cursor.end
    cursor.end = end
    const composite = children.unpack(cursor)
    cursor.end = outerEnd
    if (composite === undefined) {
      cursor.resumeAt = end
      return undefined
    }
    return cursor.offset === end ? composite : reject(cursor, 'trailing_bytes', cursor.offset, end)
  }

  function unpackTransported(cursor: Cursor, end: number, { decode, perByte }: Transport) {
    const start = cursor.offset
    const bytes = decode(cursor, end)
    if (bytes === undefined) return undefined
    const nested = openCursor(bytes, inner)
    if (cursor.trace !== undefined) nested.trace = []
    const composite = unpackInPlace(nested, nested.end)
    if (nested.trace !== undefined) cursor.trace?.push(...outerTrace(nested.trace, start, perByte))
    cursor.offset = end
    if (composite !== undefined) return composite
    cursor.path = nested.path
    return reject(cursor, nested.code!, start + perByte * nested.failedAt, end)
  }

  return {
    wireBytesMax: extent.prefixBytes + wireBytes(extent.charactersMax),
    unpack(cursor) {
      const characters = extent.read(cursor)
      if (characters < 0) return undefined
      const end = cursor.offset + wireBytes(characters)
      if (end > cursor.end) return fail(cursor, 'truncated', cursor.offset)
      return transport === undefined ? unpackInPlace(cursor, end) : unpackTransported(cursor, end, transport)
    },
    skip(cursor) {
      const characters = extent.read(cursor)
      if (characters < 0) return false
      const end = cursor.offset + wireBytes(characters)
      if (end > cursor.end) return fail(cursor, 'truncated', cursor.offset) !== undefined
      cursor.offset = end
      return true
    },
    pack(writer, value) {
      if (typeof value === 'string') return refuse(writer, 'not_composite')
      const start = writer.offset
      writer.offset += extent.prefixBytes
      if (!children.pack(writer, value)) return false
      const characters = (writer.offset - start - extent.prefixBytes) * charactersPerByte
      if (characters > extent.charactersMax) return refuse(writer, 'too_long')
      if (extent.fixed && characters < extent.charactersMax) return refuse(writer, 'too_short')
      if (transport !== undefined && !transport.encode(writer, start + extent.prefixBytes)) return false
      const end = writer.offset
      writer.offset = start
      extent.write(writer, characters)
      writer.offset = end
      return true
    },
  }
}

/** Offsets within what a transport decoded, as those of the message. */
function outerTrace(entries: readonly TraceEntry[], start: number, perByte: number): TraceEntry[] {
  return entries.map(({ key, offset, end, children }) => ({
    key,
    offset: start + perByte * offset,
    end: start + perByte * end,
    children: outerTrace(children, start, perByte),
  }))
}
