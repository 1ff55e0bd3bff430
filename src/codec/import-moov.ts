import type { Encoding, FieldType, PrefixEncoding } from './dialect-format.ts'
import {
  type BitmapJson,
  countMaxOf,
  type DialectJson,
  type FieldJson,
  type FieldsJson,
  fieldsInBitmap,
  ImportError,
  importedEncodings,
  type PrefixJson,
  usualMask,
  type Warn,
} from './dialect-json.ts'
import { childrenOf } from './import-moov-children.ts'
import { importMoovElements } from './import-moov-elements.ts'
import { inPresentNames } from './import-moov-names.ts'

export type Json = { readonly [key: string]: unknown }

const chunkBytesDefault = 8
const chunksMax = 3
const bitmapBytesMax = 32
const lengthMax = 999_999
/** Of an object in BER-TLV, whose specification may leave it out. */
const objectBytesMax = 0xffff

/** Whether parsed JSON is a specification of moov-io/iso8583, of its present form or of the first one. */
export const isMoov = (json: unknown): boolean =>
  isObject(json) && (isObject(json.elements) || (isObject(json.fields) && Object.values(json.fields).some(isMoovField)))

/** Its types begin with a capital, ours don't. */
const isMoovField = (field: unknown) =>
  isObject(field) && /^(field\.)?[A-Z]/.test(String(field.type)) && 'prefix' in field

/**
 * The dialect of a moov-io/iso8583 specification. Throws ImportError naming the field; `warn` is told of what is left
 * out.
 */
export function importMoov(json: unknown, name: string, warn: Warn = () => undefined): DialectJson {
  if (!isObject(json)) throw new ImportError('', 'a specification must be an object')
  if (isObject(json.elements)) return importMoovElements(json, name, warn)
  const given = inPresentNames(object(json.fields, '', 'fields'))
  const bitmap = bitmapOf(object(given[1], '1', 'the bitmap'), '1', highestNumber(given))
  if (bitmap.bytes > chunkBytesDefault && bitmap.bytesMax > bitmap.bytes) {
    warn('1', `its bitmap is read in whole ${bitmap.bytes} bytes; where moov-io was of a time that took 8, say 8`)
  }
  const fields: FieldsJson = {}
  for (const [key, field] of Object.entries(given)) {
    if (!/^\d+$/.test(key)) throw new ImportError(key, 'its number must be digits')
    const number = Number.parseInt(key, 10)
    if (number > 1) fields[number] = { ...fieldOf(object(field, key, 'a field'), key, warn), ...usualMask(number) }
  }
  return {
    name,
    description: typeof json.name === 'string' && json.name !== '' ? json.name : 'Imported from moov-io/iso8583',
    mti: { encoding: mtiEncoding(object(given[0], '0', 'the message type')) },
    bitmap,
    encodings: importedEncodings,
    fields: fieldsInBitmap(fields, bitmap, '1', warn),
  }
}

function mtiEncoding(field: Json): DialectJson['mti']['encoding'] {
  const { encoding, prefix, length, spareNibble } = fieldOf(field, '0', () => undefined)
  const known = { ascii: 'ascii', ebcdic: 'ebcdic', bcd: 'bcd' } as const
  if (prefix === undefined && length === 4 && spareNibble?.side !== 'right' && encoding in known) {
    return known[encoding as keyof typeof known]
  }
  throw new ImportError('0', 'the message type must be four digits in ASCII, EBCDIC or BCD')
}

export const highestNumber = (fields: Json) => Math.max(0, ...Object.keys(fields).map(key => Number.parseInt(key, 10)))

/**
 * A bitmap is read in whole chunks of `length` bytes (8), as many as their first bits announce; unlike in jPOS, where
 * the length is the most that there may be. In the specifications that call its encoding Hex the length had no meaning.
 */
export function bitmapOf(field: Json, path: string, highest: number): BitmapJson {
  const isSized = typeof field.length === 'number' && field.length > 0 && field.enc !== 'Hex'
  const bytes = isSized ? (field.length as number) : chunkBytesDefault
  const encoding = bitmapEncodings[encodingName(field, path)]
  if (encoding === undefined) throw new ImportError(path, `a bitmap in ${encodingName(field, path)} is not possible`)
  if (bytes > bitmapBytesMax) throw new ImportError(path, `a bitmap of ${bytes} bytes is not possible`)
  if (field.disableautoexpand === true) return { encoding, bytes, bytesMax: bytes }
  const chunks = Math.min(Math.max(2, Math.ceil(highest / (bytes * 8))), chunksMax, Math.floor(bitmapBytesMax / bytes))
  return { encoding, bytes, bytesMax: Math.max(chunks, 1) * bytes }
}

const bitmapEncodings: Readonly<Record<string, BitmapJson['encoding']>> = {
  Binary: 'binary',
  ASCIIToHex: 'binary',
  HexToASCII: 'hex',
  Hex: 'hex',
}

/** A field of a message or of a composite; `path` is its number, behind those of its parents. */
export function fieldOf(field: Json, path: string, warn: Warn, within?: 'ber-tlv'): FieldJson {
  const type = field.type
  const isComposite = type === 'Composite' || isObject(field.subfields)
  const { prefix, isVariable } = prefixOf(field, path, within)
  const length = Math.min(lengthOf(field, path, within), prefix === undefined ? lengthMax : countMaxOf(prefix))
  const name = typeof field.description === 'string' && field.description !== '' ? field.description : `Field ${path}`
  if (isComposite) {
    const children = within === undefined ? childrenOf(field, path, warn) : undefined
    return {
      name,
      type: 'b',
      length,
      encoding: 'binary',
      ...(prefix === undefined ? {} : { prefix }),
      ...(children === undefined ? {} : { children }),
    }
  }
  if (typeof type !== 'string' || !knownTypes.has(type)) {
    throw new ImportError(path, `the type ${JSON.stringify(type ?? null)} is not known here`)
  }
  const value = valueOfType(type, encodingName(field, path), path)
  return {
    name,
    ...value,
    length,
    ...(prefix === undefined ? {} : { prefix }),
    ...(isVariable || value.type === 'b' || value.type === 'z' ? {} : paddingOf(field, path)),
  }
}

const knownTypes = new Set([
  ...['String', 'Numeric', 'Binary', 'Bitmap', 'Hex', 'HexNumeric', 'Track1', 'Track2', 'Track3', 'Track'],
])
const byteTypes = new Set(['Binary', 'Bitmap', 'Hex', 'HexNumeric'])

/** What a type in an encoding is here. moov checks the characters of numbers alone. */
function valueOfType(type: string, name: string, path: string): Pick<FieldJson, 'type' | 'encoding' | 'spareNibble'> {
  const isBytes = byteTypes.has(type)
  switch (name) {
    case 'BCD':
    case 'LBCD': {
      const kind: FieldType = type === 'Track2' ? 'z' : isBytes ? 'b' : 'n'
      if (kind === 'b') throw new ImportError(path, `${type} in ${name} is not possible`)
      return { type: kind, encoding: 'bcd', spareNibble: { side: name === 'BCD' ? 'left' : 'right' } }
    }
    case 'Track2BCD':
      return { type: 'z', encoding: 'bcd', spareNibble: { side: 'right' } }
    case 'HexToASCII':
    case 'Hex':
      return { type: 'b', encoding: 'hex' }
    case 'ASCIIToHex':
      return { type: 'b', encoding: 'binary' }
    case 'Binary':
      return isBytes ? { type: 'b', encoding: 'binary' } : { type: textType(type), encoding: 'latin1' }
    case 'ASCII':
    case 'LenientASCII':
      return isBytes ? { type: 'b', encoding: 'binary' } : { type: textType(type), encoding: textEncodings[name]! }
    case 'EBCDIC':
    case 'EBCDIC1047':
      return isBytes
        ? { type: 'b', encoding: 'binary-ebcdic' }
        : { type: textType(type), encoding: textEncodings[name]! }
    default:
      throw new ImportError(path, `the encoding ${name} is not known here`)
  }
}

const textType = (type: string): FieldType => (type === 'Numeric' ? 'n' : 'any')
/** moov's EBCDIC is code page 037. */
const textEncodings: Readonly<Record<string, Encoding>> = {
  ASCII: 'ascii',
  LenientASCII: 'latin1',
  EBCDIC: 'ebcdic037',
  EBCDIC1047: 'ebcdic',
}

const prefixEncodings: Readonly<Record<string, PrefixEncoding>> = {
  ASCII: 'ascii',
  BCD: 'bcd',
  Binary: 'binary',
  EBCDIC: 'ebcdic',
  EBCDIC1047: 'ebcdic',
  Hex: 'hex',
}

/** `ASCII.LL` and so on: for BCD the number of digits, for Binary of bytes, for Hex of bytes as hexadecimal text. */
function prefixOf(field: Json, path: string, within: 'ber-tlv' | undefined) {
  const given = field.prefix
  const [, family = '', size = ''] = /^(\w+)\.(Fixed|L{1,6})$/.exec(String(given)) ?? []
  if (given === 'None.Fixed') return { prefix: undefined, isVariable: false }
  if (given === 'BerTLV' && within === 'ber-tlv') return { prefix: undefined, isVariable: true }
  const encoding = prefixEncodings[family]
  if (encoding === undefined || within !== undefined) {
    throw new ImportError(path, `the prefix ${JSON.stringify(given ?? null)} is not possible here`)
  }
  if (size === 'Fixed') return { prefix: undefined, isVariable: false }
  const prefix: PrefixJson = { encoding, width: encoding === 'hex' ? 2 * size.length : size.length }
  return { prefix, isVariable: true }
}

function lengthOf(field: Json, path: string, within: 'ber-tlv' | undefined) {
  const { length } = field
  if (length === undefined && within === 'ber-tlv') return objectBytesMax
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 1 || length > lengthMax) {
    throw new ImportError(path, `length must be a whole number from 1, not ${JSON.stringify(length ?? null)}`)
  }
  return length
}

function paddingOf(field: Json, path: string): Pick<FieldJson, 'padding'> {
  if (!isObject(field.padding) || field.padding.type === 'None') return { padding: 'none' }
  const { type, pad } = field.padding
  const side = type === 'Left' ? 'left' : type === 'Right' ? 'right' : undefined
  if (side === undefined || typeof pad !== 'string' || pad.length !== 1) {
    throw new ImportError(path, 'its padding must be Left or Right with one character, or None')
  }
  return { padding: { side, character: pad } }
}

function encodingName(field: Json, path: string) {
  if (typeof field.enc !== 'string' || field.enc === '') throw new ImportError(path, 'has no encoding')
  return field.enc
}

export function object(value: unknown, path: string, what: string): Json {
  if (!isObject(value)) throw new ImportError(path, `${what} must be an object`)
  return value
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
