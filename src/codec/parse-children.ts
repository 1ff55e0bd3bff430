import { type ChildrenFormat, type Encoding, type FieldFormat, tagEncodings } from './dialect-format.ts'
import { DialectError, integer, object, oneOf, optional } from './json-shape.ts'
import { type DialectDefaults, parseBitmap, parseNumbered } from './parse-dialect.ts'
import { parseField, parsePrefix } from './parse-field.ts'
import { lengthPrefix } from './prefixes.ts'

const kinds = ['positional', 'bitmap', 'ber-tlv', 'tag-length'] as const

export function parseChildren(
  json: unknown,
  path: string,
  defaults: DialectDefaults,
  parentEncoding: Encoding,
): ChildrenFormat {
  const kind = oneOf(object(json, path).kind, `${path}/kind`, kinds)
  switch (kind) {
    case 'positional': {
      const given = object(json, path, ['kind', 'fields'])
      const fields = parseKeyed(given.fields, `${path}/fields`, /^\w+$/, 'a name of letters and digits', (value, at) =>
        parseField(value, at, defaults),
      )
      if (fields.size === 0) throw new DialectError(`${path}/fields`, 'must have at least one field')
      return { kind, fields }
    }
    case 'bitmap': {
      const given = object(json, path, ['kind', 'headerBytes', 'bitmap', 'fields'])
      const bitmap = parseBitmap(given.bitmap, `${path}/bitmap`)
      const headerBytes = optional(given.headerBytes, 0, present => integer(present, `${path}/headerBytes`, 0, 255))
      const fields = parseNumbered(given.fields, `${path}/fields`, bitmap, (value, at) =>
        parseField(value, at, defaults),
      )
      return { kind, headerBytes, bitmap, fields }
    }
    case 'ber-tlv': {
      const given = object(json, path, ['kind', 'fields'])
      const tags = optional(given.fields, {}, present => object(present, `${path}/fields`))
      return {
        kind,
        fields: parseKeyed(tags, `${path}/fields`, /^([0-9A-F]{2}){1,4}$/, 'a tag in hexadecimal', berChild),
      }
    }
    case 'tag-length':
      return parseTagLength(json, path, defaults, parentEncoding)
  }

  function berChild(value: unknown, at: string) {
    const field = parseField(value, at, defaults, 'ber')
    if (field.children !== undefined) throw new DialectError(`${at}/children`, 'are not possible in a BER-TLV object')
    if (field.encoding === 'utf8') throw new DialectError(`${at}/encoding`, 'of a BER-TLV object counts bytes', 'utf8')
    return field
  }
}

function parseTagLength(
  json: unknown,
  path: string,
  defaults: DialectDefaults,
  parentEncoding: Encoding,
): ChildrenFormat {
  const given = object(json, path, ['kind', 'tag', 'prefix', 'fields', 'other'])
  const tag = object(given.tag, `${path}/tag`, ['encoding', 'width'])
  const encoding = oneOf(tag.encoding, `${path}/tag/encoding`, tagEncodings)
  const width = integer(tag.width, `${path}/tag/width`, 1, 8)
  if (encoding === 'bcd' && width % 2 !== 0) {
    throw new DialectError(`${path}/tag/width`, 'of a bcd tag must be whole bytes, in digits', width)
  }
  const prefix = parsePrefix(given.prefix, `${path}/prefix`, defaults, 'bytes')
  if (prefix === undefined) throw new DialectError(`${path}/prefix`, 'is missing')
  const parse = (value: unknown, at: string) => parseField(value, at, defaults, prefix)
  const keyCharacters = encoding === 'binary' ? 2 * width : width
  const raw = parentEncoding === 'binary' || parentEncoding === 'hex'
  const other = { name: 'unknown tag', type: raw ? 'b' : 'any', length: lengthPrefix(prefix).countMax, unit: 'bytes' }
  return {
    kind: 'tag-length',
    tag: { encoding, width },
    prefix,
    fields: parseKeyed(
      optional(given.fields, {}, present => object(present, `${path}/fields`)),
      `${path}/fields`,
      new RegExp(`^.{${keyCharacters}}$`),
      `a tag of ${keyCharacters} characters`,
      parse,
    ),
    other: optional(given.other, undefined, present => parse(present, `${path}/other`)) ?? unknownTag(parse, other),
  }
}

/**
 * Values of tags without a format: raw bytes in a binary field, else any characters, as long as the prefix can say.
 */
function unknownTag(parse: (value: unknown, at: string) => FieldFormat, other: { type: string; length: number }) {
  return parse(
    { ...other, length: Math.min(other.length, 999_999), ...(other.type === 'b' ? { encoding: 'binary' } : {}) },
    '',
  )
}

function parseKeyed(
  json: unknown,
  path: string,
  pattern: RegExp,
  expected: string,
  parse: (value: unknown, path: string) => FieldFormat,
) {
  const fields = new Map<string, FieldFormat>()
  for (const [key, value] of Object.entries(object(json, path))) {
    if (!pattern.test(key)) throw new DialectError(`${path}/${key}`, `must be ${expected}`)
    fields.set(key, parse(value, `${path}/${key}`))
  }
  return fields
}
