import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import iso87a from '../../switch-config/dialects/iso87a.json' with { type: 'json' }
import iso87b from '../../switch-config/dialects/iso87b.json' with { type: 'json' }
import iso93a from '../../switch-config/dialects/iso93a.json' with { type: 'json' }
import iso93b from '../../switch-config/dialects/iso93b.json' with { type: 'json' }
import { padded } from '../../test/support/codec.ts'
import { compileDialect, type Dialect } from './dialect.ts'
import { type FieldFormat, isSigned } from './dialect-format.ts'
import { codecErrorTexts } from './errors.ts'
import { maskMessage } from './mask.ts'
import { type Composite, type Message, newMessage } from './message.ts'
import vectors from './vectors/messages.json' with { type: 'json' }

const shipped = [iso87a, iso87b, iso93a, iso93b].map(file => compileDialect(file))
const foreign = Object.values(vectors.dialects as Record<string, unknown>).map(json => compileDialect(json))
/** The kept corpus: every published message, good and bad. */
const corpus = vectors.messages.map(each => Buffer.from(each.hex, 'hex'))

const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const special = ' !"#$%&\'()*+,-./:;<=>?@[]^_{|}~'
const charactersOf = {
  a: upper,
  n: '0123456789',
  s: special,
  an: `${upper}0123456789`,
  as: upper + special,
  ns: `0123456789${special}`,
  anp: `${upper}0123456789 `,
  ans: `${upper}${upper.toLowerCase()}0123456789${special}`,
  z: '0123456789=',
  any: `${upper}0123456789${special}\x1c`,
}

function text(characters: string, min: number, max: number) {
  return fc.string({ unit: fc.constantFrom(...characters), minLength: min, maxLength: max })
}

const berTags = ['82', '95', '9C', '5A', '9F26', '9F10', 'DF8129']

function fieldValue({ type, length, prefix, children }: FieldFormat): fc.Arbitrary<string | Composite> {
  const min = prefix === undefined ? length : 0
  const max = prefix === undefined ? length : Math.min(length, 50)
  if (children !== undefined) {
    const objects = fc.uniqueArray(fc.tuple(fc.constantFrom(...berTags), hex(0, 20)), { selector: ([tag]) => tag })
    return objects.map(entries => new Map(entries))
  }
  if (type === 'b') return hex(min, max)
  if (!isSigned(type)) return text(charactersOf[type], min, max)
  return fc.tuple(fc.constantFrom('C', 'D'), text(charactersOf.n, length - 1, length - 1)).map(parts => parts.join(''))
}

const hex = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map(bytes => Buffer.from(bytes).toString('hex').toUpperCase())

function messageOf({ format }: Dialect): fc.Arbitrary<Message> {
  const numbers = [...format.fields.keys()]
  return fc.tuple(text(charactersOf.n, 4, 4), fc.subarray(numbers, { maxLength: 30 })).chain(([mti, present]) =>
    fc.tuple(...present.map(number => fieldValue(format.fields.get(number)!))).map(values => {
      const message = newMessage(mti)
      present.forEach((number, index) => {
        const value = values[index]!
        if (typeof value === 'string') message.fields[number] = value
        else message.composites = new Map([[number, value]])
      })
      return message
    }),
  )
}

type Mutation = { at: number; kind: 'flip' | 'set' | 'cut' | 'drop' | 'repeat'; byte: number }
const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    at: fc.nat(2000),
    kind: fc.constantFrom('flip', 'set', 'cut', 'drop', 'repeat'),
    byte: fc.nat(255),
  }),
  { minLength: 1, maxLength: 5 },
)

const mutate = (original: Buffer, changes: readonly Mutation[]) => changes.reduce(mutateOnce, original)

function mutateOnce(bytes: Buffer, { at, kind, byte }: Mutation): Buffer {
  const index = bytes.length === 0 ? 0 : at % bytes.length
  const before = bytes.subarray(0, index)
  const after = bytes.subarray(index + 1)
  if (kind === 'cut') return before
  if (kind === 'drop') return Buffer.concat([before, after])
  if (kind === 'repeat') return Buffer.concat([bytes.subarray(0, index + 1), bytes.subarray(index)])
  return Buffer.concat([before, Buffer.from([kind === 'set' ? byte : (bytes[index] ?? 0) ^ (1 << (byte & 7))]), after])
}

/** What must hold of any bytes: a message that packs to the same message again, or an error that says where. */
function expectMessageOrError(dialect: Dialect, bytes: Buffer) {
  const result = dialect.unpack(bytes)
  expect(result.message.mti).toMatch(/^(\d{4})?$/)
  maskMessage(dialect.format, result.message)
  dialect.scan(bytes, [2, 11, 41])
  if (result.ok) {
    expect(dialect.unpack(dialect.pack(result.message))).toEqual(result)
    return
  }
  const { path, offset, code, text: sentence } = result.error
  expect(path).not.toBe('')
  expect(sentence).toBe(codecErrorTexts[code])
  expect(offset).toBeGreaterThanOrEqual(0)
  expect(offset).toBeLessThanOrEqual(bytes.length)
}

describe.each(shipped.map(dialect => [dialect.format.name, dialect] as const))('%s', (_name, dialect) => {
  test('unpack(pack(x)) is x', () => {
    fc.assert(
      fc.property(messageOf(dialect), message => {
        expect(padded(dialect.unpack(dialect.pack(message)))).toEqual({ ok: true, message })
      }),
      { numRuns: 300 },
    )
  })

  test('a scan finds what unpack does', () => {
    fc.assert(
      fc.property(messageOf(dialect), fc.subarray([2, 11, 41, 55, 90, 128]), (message, numbers) => {
        const { message: scanned } = dialect.scan(dialect.pack(message), numbers)
        for (const number of numbers) {
          expect(scanned.fields[number]).toBe(message.fields[number])
          expect(scanned.composites?.get(number)).toEqual(message.composites?.get(number))
        }
      }),
    )
  })

  test('a changed message is a message or an error', () => {
    fc.assert(
      fc.property(messageOf(dialect), mutations, (message, changes) => {
        expectMessageOrError(dialect, mutate(dialect.pack(message), changes))
      }),
      { numRuns: 1000 },
    )
  })
})

test('any bytes are a message or an error, in any dialect', () => {
  fc.assert(
    fc.property(fc.constantFrom(...shipped, ...foreign), fc.uint8Array({ maxLength: 200 }), (dialect, bytes) => {
      expectMessageOrError(dialect, Buffer.from(bytes))
    }),
    { numRuns: 2000 },
  )
})

test('so is the corpus, changed or not, in any dialect', () => {
  for (const dialect of [...shipped, ...foreign]) {
    for (const bytes of corpus) expectMessageOrError(dialect, bytes)
  }
  fc.assert(
    fc.property(fc.constantFrom(...vectors.messages), mutations, ({ dialect, hex: seed }, changes) => {
      const compiled = foreign.find(each => each.format.name === dialect)!
      expectMessageOrError(compiled, mutate(Buffer.from(seed, 'hex'), changes))
    }),
    { numRuns: 3000 },
  )
})
