import {
  type BitmapFormat,
  bitmapEncodings,
  type DialectFormat,
  type Encoding,
  encodings,
  type FieldFormat,
  type PrefixEncoding,
  prefixEncodings,
  type Side,
} from './dialect-format.ts'
import { DialectError, integer, object, oneOf, optional, text } from './json-shape.ts'
import { parseField } from './parse-field.ts'

/** What a field has that does not say otherwise, by its type. */
export type DialectDefaults = {
  number: Encoding
  text: Encoding
  track: Encoding
  binary: Encoding
  prefix: PrefixEncoding
  spareNibble: { fixed: Side; variable: Side; fill: '0' | 'F' }
}

/** The JSON of a dialect file (switch-config/dialects/dialect.schema.json), checked. Throws DialectError. */
export function parseDialect(json: unknown): DialectFormat {
  const dialect = object(json, '', [
    '$schema',
    'name',
    'description',
    'headerBytes',
    'mti',
    'bitmap',
    'encodings',
    'fields',
  ])
  const defaults = parseDefaults(dialect.encodings)
  const mti = object(dialect.mti, '/mti', ['encoding'])
  const bitmap = parseBitmap(dialect.bitmap, '/bitmap')
  return {
    name: text(dialect.name, '/name'),
    description: optional(dialect.description, '', present => text(present, '/description')),
    headerBytes: optional(dialect.headerBytes, 0, present => integer(present, '/headerBytes', 0, 255)),
    mti: { encoding: oneOf(mti.encoding, '/mti/encoding', ['ascii', 'ebcdic', 'bcd']) },
    bitmap,
    fields: parseNumbered(dialect.fields, '/fields', bitmap, (value, path) => parseField(value, path, defaults)),
  }
}

function parseDefaults(json: unknown): DialectDefaults {
  const path = '/encodings'
  const given = object(json, path, ['number', 'text', 'track', 'binary', 'prefix', 'spareNibble'])
  const spare = optional(given.spareNibble, {}, present =>
    object(present, `${path}/spareNibble`, ['fixed', 'variable', 'fill']),
  )
  const side = (key: 'fixed' | 'variable', fallback: Side) =>
    optional(spare[key], fallback, present => oneOf(present, `${path}/spareNibble/${key}`, ['left', 'right']))
  return {
    number: oneOf(given.number, `${path}/number`, encodings),
    text: oneOf(given.text, `${path}/text`, encodings),
    track: oneOf(given.track, `${path}/track`, encodings),
    binary: oneOf(given.binary, `${path}/binary`, encodings),
    prefix: oneOf(given.prefix, `${path}/prefix`, prefixEncodings),
    spareNibble: {
      // Numbers stand at the right of a fixed field and at the left of a variable one, so the half byte over is
      // opposite.
      fixed: side('fixed', 'left'),
      variable: side('variable', 'right'),
      fill: optional(spare.fill, '0', present => oneOf(present, `${path}/spareNibble/fill`, ['0', 'F'])),
    },
  }
}

export function parseBitmap(json: unknown, path: string): BitmapFormat {
  const given = object(json, path, ['encoding', 'bytes', 'bytesMax'])
  const bytes = optional(given.bytes, 8, present => integer(present, `${path}/bytes`, 1, 32))
  const bytesMax = optional(given.bytesMax, bytes, present => integer(present, `${path}/bytesMax`, bytes, 32))
  if (bytesMax % bytes !== 0) throw new DialectError(`${path}/bytesMax`, `must be a multiple of ${bytes}`, bytesMax)
  return { encoding: oneOf(given.encoding, `${path}/encoding`, bitmapEncodings), bytes, bytesMax }
}

/** Fields by bit number; a bit that says "another bitmap follows" can't be one. */
export function parseNumbered(
  json: unknown,
  path: string,
  { bytes, bytesMax }: BitmapFormat,
  parse: (value: unknown, path: string) => FieldFormat,
) {
  const fields = new Map<number, FieldFormat>()
  for (const [key, value] of Object.entries(object(json, path))) {
    const number = /^[1-9]\d*$/.test(key) ? Number.parseInt(key, 10) : 0
    if (number < 1 || number > bytesMax * 8) {
      throw new DialectError(`${path}/${key}`, `must be a field number from 1 to ${bytesMax * 8}`)
    }
    if ((number - 1) % (bytes * 8) === 0 && number + bytes * 8 <= bytesMax * 8) {
      throw new DialectError(`${path}/${key}`, 'is the bit that says that another bitmap follows')
    }
    fields.set(number, parse(value, `${path}/${key}`))
  }
  return fields
}
