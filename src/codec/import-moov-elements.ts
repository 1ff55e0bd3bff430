import type { Encoding, FieldType, PrefixEncoding, Side } from './dialect-format.ts'
import {
  type DialectJson,
  type FieldJson,
  type FieldsJson,
  fieldsInBitmap,
  ImportError,
  importedEncodings,
  isTrack,
  usualMask,
  type Warn,
} from './dialect-json.ts'
import { isObject, type Json } from './import-moov.ts'

/** What the `encoding` of the file says, with what holds where it says nothing. */
type Encodings = {
  readonly number: Encoding
  readonly text: Encoding
  readonly track: Encoding
  readonly binary: 'binary' | 'hex'
  readonly prefix: PrefixEncoding
  /** Where BCD and RBCD leave the spare half byte of an odd number of digits. */
  readonly spare: { readonly number: Side; readonly track: Side; readonly prefix: Side }
}

const names: Readonly<Record<string, 'ascii' | 'ebcdic' | 'bcd' | 'hex' | 'binary'>> = {
  ASCII: 'ascii',
  CHAR: 'ascii',
  EBCDIC: 'ebcdic',
  BCD: 'bcd',
  RBCD: 'bcd',
  HEX: 'hex',
  BINARY: 'binary',
}

/**
 * The first form of moov's specifications: `elements` whose `Describe` is the notation of ISO 8583 (`n..19`, `ans 15`,
 * `b 64` in bits, `x+n 8` without its sign), and one encoding for each kind of element.
 */
export function importMoovElements(json: Json, name: string, warn: Warn): DialectJson {
  const given = isObject(json.encoding) ? json.encoding : {}
  const encodings: Encodings = {
    number: encodingOf(given.num_enc, ['ascii', 'ebcdic', 'bcd']),
    text: encodingOf(given.chr_enc, ['ascii', 'ebcdic']),
    track: encodingOf(given.trk_enc, ['ascii', 'ebcdic', 'bcd']),
    binary: encodingOf(given.bin_enc, ['hex', 'binary']),
    prefix: encodingOf(given.len_enc, ['ascii', 'ebcdic', 'bcd', 'hex']),
    spare: { number: sideOf(given.num_enc), track: sideOf(given.trk_enc), prefix: sideOf(given.len_enc) },
  }
  const bitmap = { encoding: encodingOf(given.bmp_enc, ['hex', 'binary']), bytes: 8, bytesMax: 16 }
  const fields: FieldsJson = {}
  for (const [key, element] of Object.entries(isObject(json.elements) ? json.elements : {})) {
    const number = /^\d+$/.test(key) ? Number.parseInt(key, 10) : 0
    if (number > 1) fields[number] = { ...fieldOf(element, number, encodings), ...usualMask(number) }
  }
  return {
    name,
    description: 'Imported from moov-io/iso8583',
    mti: { encoding: encodingOf(given.mti_enc, ['ascii', 'ebcdic', 'bcd']) },
    bitmap,
    encodings: importedEncodings,
    fields: fieldsInBitmap(fields, bitmap, '1', warn),
  }
}

/** RBCD stands for right-justified. */
const sideOf = (encoding: unknown): Side => (encoding === 'RBCD' ? 'left' : 'right')

/** The first of `possible` where the file does not say. */
function encodingOf<const Name extends string>(given: unknown, possible: readonly Name[]): Name {
  if (given === undefined) return possible[0]!
  const name = names[String(given)]
  const found = possible.find(each => each === name)
  if (found === undefined) throw new ImportError('', `the encoding ${JSON.stringify(given)} is not possible`)
  return found
}

function fieldOf(element: unknown, number: number, encodings: Encodings): FieldJson {
  const path = String(number)
  if (!isObject(element)) throw new ImportError(path, 'must be an object')
  const [, kind = '', dots = '', digits = ''] =
    /^\s*(x\s?\+\s?n|[a-z]+)\s*(\.*)\s*(\d{1,6})\b/.exec(String(element.Describe)) ?? []
  if (digits === '') {
    throw new ImportError(path, `Describe must be as in "n..19", not ${JSON.stringify(element.Describe ?? null)}`)
  }
  const count = Number.parseInt(digits, 10)
  if (dots.length % 2 === 1 && encodings.prefix === 'bcd' && encodings.spare.prefix === 'right') {
    throw new ImportError(path, `a length of ${dots.length} digits in BCD is not possible, only in RBCD`)
  }
  const type = typeOf(kind, number, path)
  const value: Pick<FieldJson, 'type' | 'length' | 'encoding'> = {
    type,
    length: type === 'b' ? Math.ceil(count / 8) : type === 'an+n' ? count + 1 : count,
    encoding: kindEncoding(type, encodings),
  }
  return {
    name: typeof element.Description === 'string' && element.Description !== '' ? element.Description : `Field ${path}`,
    ...value,
    ...(dots === '' ? {} : { prefix: { encoding: encodings.prefix, width: dots.length } }),
    ...(value.encoding === 'bcd' ? { spareNibble: { side: encodings.spare[type === 'z' ? 'track' : 'number'] } } : {}),
  }
}

/** Text is let through whatever its characters, as this form of the specifications was used. */
function typeOf(kind: string, number: number, path: string): FieldType {
  if (kind.startsWith('x')) return 'an+n'
  if (kind === 'b') return 'b'
  if (kind === 'z' || (kind === 'n' && isTrack(number))) return 'z'
  if (kind === 'n') return 'n'
  if (/^[ans]+p?$/.test(kind)) return 'any'
  throw new ImportError(path, `the attribute ${kind} is not known here`)
}

function kindEncoding(type: FieldType, { number, text, track, binary }: Encodings): Encoding {
  if (type === 'b') return binary
  if (type === 'z') return track
  return type === 'any' ? text : number
}
