import type { TagFormat } from './dialect-format.ts'
import {
  type ChildrenJson,
  type FieldsJson,
  fieldsInBitmap,
  ImportError,
  type PrefixJson,
  type Warn,
} from './dialect-json.ts'
import { bitmapOf, fieldOf, highestNumber, isObject, type Json, object } from './import-moov.ts'

/** The subfields of a Composite: by a bitmap, by tags, or one after the other. Throws ImportError. */
export function childrenOf(field: Json, path: string, warn: Warn): ChildrenJson {
  const subfields = object(field.subfields ?? {}, path, 'subfields')
  const tag = isObject(field.tag) ? field.tag : {}
  if (isObject(field.bitmap)) return bitmapChildren(field.bitmap, subfields, path, warn)
  if (tag.enc === 'BerTLVTag') {
    return { kind: 'ber-tlv', fields: children(subfields, path, key => key.toUpperCase(), warn, 'ber-tlv') }
  }
  if (typeof tag.enc !== 'string' || tag.enc === '') {
    return { kind: 'positional', fields: children(sorted(subfields, tag.sort), path, key => key, warn) }
  }
  return taggedChildren(tag, subfields, path, warn)
}

function bitmapChildren(bitmapField: Json, subfields: Json, path: string, warn: Warn): ChildrenJson {
  const bitmap = bitmapOf(bitmapField, `${path}.bitmap`, highestNumber(subfields))
  return {
    kind: 'bitmap',
    bitmap,
    fields: fieldsInBitmap(
      children(subfields, path, key => key, warn),
      bitmap,
      path,
      warn,
    ),
  }
}

/** Each subfield has its own prefix, or none. */
function taggedChildren(tag: Json, subfields: Json, path: string, warn: Warn): ChildrenJson {
  const encoding = tagEncodings[String(tag.enc)]
  if (encoding === undefined) throw new ImportError(path, `tags in ${String(tag.enc)} are not possible`)
  const width = typeof tag.length === 'number' ? tag.length : 0
  if (width < 1) throw new ImportError(path, 'a tag must have a length')
  const { type, pad } = isObject(tag.padding) ? tag.padding : {}
  const isPadded = typeof pad === 'string' && pad.length === 1 && (type === 'Left' || type === 'Right')
  const filler = isPadded ? ({ side: type === 'Right' ? 'right' : 'left', fill: pad } as const) : undefined
  const keyCharacters = encoding === 'binary' ? 2 * width : width
  const keyOf = (key: string) => (isPadded ? key : key.padStart(keyCharacters, '0'))
  const fields = children(subfields, path, keyOf, warn)
  const common = commonPrefix(fields)
  if (common !== undefined) for (const child of Object.values(fields)) delete child.prefix
  return {
    kind: 'tag-length',
    tag: { encoding, width, ...(filler === undefined ? {} : { filler }) },
    ...(common === undefined ? {} : { prefix: { ...common, unit: 'bytes' } }),
    fields,
  }
}

/** The prefix that all fields have, if there is such. */
function commonPrefix(fields: FieldsJson): PrefixJson | undefined {
  const [first, ...others] = Object.values(fields).map(({ prefix }) => prefix)
  if (typeof first !== 'object') return undefined
  return others.every(each => JSON.stringify(each) === JSON.stringify(first)) ? first : undefined
}

const tagEncodings: Readonly<Record<string, TagFormat['encoding']>> = {
  ASCII: 'ascii',
  EBCDIC: 'ebcdic',
  EBCDIC1047: 'ebcdic',
  BCD: 'bcd',
  Binary: 'binary',
  ASCIIToHex: 'binary',
}

function children(
  subfields: Json,
  path: string,
  keyOf: (key: string) => string,
  warn: Warn,
  within?: 'ber-tlv',
): FieldsJson {
  const entries = Object.entries(subfields).map(([key, field]) => {
    const at = `${path}.${key}`
    return [keyOf(key), fieldOf(object(field, at, 'a subfield'), at, warn, within)] as const
  })
  return Object.fromEntries(entries)
}

/** In the order of the wire: by number, or by hexadecimal number. */
function sorted(subfields: Json, sort: unknown): Json {
  const radix = sort === 'StringsByHex' ? 16 : 10
  const order = ([left]: [string, unknown], [right]: [string, unknown]) => {
    const difference = Number.parseInt(left, radix) - Number.parseInt(right, radix)
    return Number.isNaN(difference) ? left.localeCompare(right) : difference
  }
  return Object.fromEntries(Object.entries(subfields).sort(order))
}
