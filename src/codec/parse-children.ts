import {
  type ChildrenFormat,
  type Encoding,
  type FieldFormat,
  type PrefixFormat,
  tagEncodings,
} from './dialect-format.ts'
import { prefixCount } from './elements.ts'
import { DialectError, flag, integer, object, oneOf, optional } from './json-shape.ts'
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
    if (field.children !== undefined) throw new DialectError(`${at}/children`, 'are not possible here')
    checkCountsBytes(field, at)
    return field
  }
}

function parseTagLength(
  json: unknown,
  path: string,
  defaults: DialectDefaults,
  parentEncoding: Encoding,
): ChildrenFormat {
  const given = object(json, path, ['kind', 'headerBytes', 'tag', 'lengthFirst', 'prefix', 'fields', 'other'])
  const tag = object(given.tag, `${path}/tag`, ['encoding', 'width', 'filler'])
  const encoding = oneOf(tag.encoding, `${path}/tag/encoding`, tagEncodings)
  const width = integer(tag.width, `${path}/tag/width`, 1, 8)
  if (encoding === 'bcd' && width % 2 !== 0) {
    throw new DialectError(`${path}/tag/width`, 'of a bcd tag must be whole bytes, in digits', width)
  }
  const prefix = parsePrefix(given.prefix, `${path}/prefix`, defaults, 'bytes')
  const lengthFirst = flag(given.lengthFirst, `${path}/lengthFirst`, false)
  if (lengthFirst && (prefix?.unit !== 'bytes' || prefix.inclusive)) {
    throw new DialectError(`${path}/lengthFirst`, 'needs a prefix that counts bytes, without itself')
  }
  const parse = (value: unknown, at: string) => {
    const field = parseField(value, at, defaults, lengthFirst ? 'ber' : { prefix })
    if (lengthFirst) checkCountsBytes(field, at)
    return field
  }
  const keyCharacters = encoding === 'binary' ? 2 * width : width
  const filler = optional(tag.filler, undefined, present => parseTagFiller(present, `${path}/tag/filler`))
  return {
    kind: 'tag-length',
    headerBytes: optional(given.headerBytes, 0, present => integer(present, `${path}/headerBytes`, 0, 255)),
    tag: { encoding, width, ...(filler === undefined ? {} : { filler }) },
    lengthFirst,
    prefix,
    fields: parseKeyed(
      optional(given.fields, {}, present => object(present, `${path}/fields`)),
      `${path}/fields`,
      new RegExp(filler === undefined ? `^.{${keyCharacters}}$` : `^.{1,${keyCharacters}}$`),
      `a tag of ${filler === undefined ? '' : 'at most '}${keyCharacters} characters`,
      parse,
    ),
    other:
      given.other === undefined && prefix !== undefined
        ? unknownTag(parse, prefix, parentEncoding)
        : optional(given.other, undefined, present => parse(present, `${path}/other`)),
  }
}

function parseTagFiller(json: unknown, path: string) {
  const given = object(json, path, ['side', 'fill'])
  const side = oneOf(given.side, `${path}/side`, ['left', 'right'] as const)
  if (typeof given.fill !== 'string' || given.fill.length !== 1) {
    throw new DialectError(`${path}/fill`, 'must be one character', given.fill)
  }
  return { side, fill: given.fill }
}

/**
 * Values of tags without a format: raw bytes in a binary field, else any characters, as long as the prefix can say.
 */
function unknownTag(
  parse: (value: unknown, at: string) => FieldFormat,
  prefix: PrefixFormat,
  parentEncoding: Encoding,
) {
  const { bytes, countMax } = lengthPrefix(prefix)
  const own = prefix.inclusive ? prefixCount(prefix.unit, bytes, prefix.width) : 0
  const length = Math.min(countMax - own, 999_999)
  const common = { name: 'unknown tag', length, unit: prefix.unit === 'nibbles' ? 'nibbles' : 'bytes' }
  const raw = parentEncoding === 'binary' || parentEncoding === 'hex'
  return parse(raw ? { ...common, type: 'b', encoding: 'binary' } : { ...common, type: 'any' }, '')
}

/** Where a length that counts bytes is read apart from the field, as in BER-TLV. */
function checkCountsBytes({ encoding }: FieldFormat, at: string) {
  if (encoding === 'utf8') throw new DialectError(`${at}/encoding`, 'counts bytes here', encoding)
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
