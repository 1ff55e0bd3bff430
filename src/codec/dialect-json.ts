import type { Encoding, FieldType, MaskClass, PrefixEncoding, Side, TagFormat, Unit } from './dialect-format.ts'

/** What a dialect file has (dialect.schema.json), as far as the importers write it. */
export type PrefixJson = { width: number; encoding: PrefixEncoding; inclusive?: boolean; unit?: Unit }

/** The most that a prefix can say for a value. */
export function countMaxOf({ encoding, width, inclusive }: PrefixJson) {
  const base = encoding === 'binary' ? 256 : encoding === 'hex' ? 16 : 10
  return base ** width - 1 - (inclusive ? width : 0)
}

export type FieldJson = {
  name: string
  type: FieldType
  length: number
  unit?: Unit
  encoding: Encoding
  prefix?: PrefixJson | 'none'
  spareNibble?: { side: Side; fill?: '0' | 'F' }
  padding?: 'none' | { side: Side; character: string }
  filler?: string
  mask?: MaskClass
  children?: ChildrenJson
}

export type FieldsJson = { [key: string]: FieldJson }
export type BitmapJson = { encoding: 'binary' | 'hex' | 'hex-ebcdic'; bytes: number; bytesMax: number }

export type ChildrenJson =
  | { kind: 'positional'; fields: FieldsJson }
  | { kind: 'bitmap'; headerBytes?: number; bitmap: BitmapJson; fields: FieldsJson }
  | { kind: 'ber-tlv'; fields: FieldsJson }
  | {
      kind: 'tag-length'
      headerBytes?: number
      tag: TagFormat
      lengthFirst?: boolean
      prefix?: PrefixJson
      fields: FieldsJson
      other?: FieldJson
    }

export type DialectJson = {
  name: string
  description?: string
  headerBytes?: number
  mti: { encoding: 'ascii' | 'ebcdic' | 'bcd' }
  bitmap: BitmapJson
  encodings: { number: Encoding; text: Encoding; track: Encoding; binary: Encoding; prefix: PrefixEncoding }
  fields: FieldsJson
}

/** A packager or specification of another that our format can't express, or that is not what it seems. */
export class ImportError extends Error {
  /** The field, with its subfields (`127.25`); empty where it is about the file. */
  readonly field: string

  constructor(field: string, problem: string, line?: number) {
    const place = `${field === '' ? '' : `field ${field} `}${line === undefined ? '' : `(line ${line})`}`.trim()
    super(place === '' ? problem : `${place}: ${problem}`)
    this.name = 'ImportError'
    this.field = field
  }
}

/** Told of what an import leaves out, with the field that it is about. */
export type Warn = (field: string, problem: string) => void

/** Every imported field names its own encoding; these are for fields that someone adds by hand. */
export const importedEncodings: DialectJson['encodings'] = {
  number: 'ascii',
  text: 'ascii',
  track: 'ascii',
  binary: 'binary',
  prefix: 'ascii',
}

/**
 * Data elements that are shown in clear in ISO 8583:1987 and in :1993 alike, as ranges. Others stay hidden: these
 * formats don't say what is secret.
 */
const clearRanges = [
  [3, 13],
  [15, 33],
  [37, 39],
  [41, 44],
  [49, 51],
  [54, 54],
  [66, 71],
  [73, 91],
  [93, 94],
  [97, 101],
] as const

/** The mask class of a data element of a message, by its number. */
export function usualMask(number: number): { mask?: MaskClass } {
  if (number === 2) return { mask: 'pan' }
  return clearRanges.some(([first, last]) => number >= first && number <= last) ? { mask: 'clear' } : {}
}

/** Tracks 2 and 3 have separators in what both formats call numbers. */
export const isTrack = (number: number) => number === 35 || number === 36

/**
 * `fields` without those that no bit of `bitmap` can name: bits beyond it, and bits that announce another chunk. Of
 * those `warn` is told, with the `path` of the bitmap; where none is left it throws ImportError.
 */
export function fieldsInBitmap(
  fields: FieldsJson,
  { bytes, bytesMax }: BitmapJson,
  path: string,
  warn: Warn,
): FieldsJson {
  const isReachable = (number: number) => {
    const announces = (number - 1) % (bytes * 8) === 0 && number + bytes * 8 <= bytesMax * 8
    return number >= 1 && number <= bytesMax * 8 && !announces
  }
  const numbers = Object.keys(fields).map(key => Number.parseInt(key, 10))
  const leftOut = numbers.filter(number => !isReachable(number))
  if (leftOut.length === 0) return fields
  const problem = `a bitmap of at most ${bytesMax} bytes has no bit for ${rangesOf(leftOut)}`
  if (leftOut.length === numbers.length) throw new ImportError(path, `${problem}, and there is no other field`)
  warn(path, `${problem}: left out`)
  return Object.fromEntries(Object.entries(fields).filter(([key]) => isReachable(Number.parseInt(key, 10))))
}

/** Ascending numbers as `66–70, 90`. */
function rangesOf(numbers: readonly number[]) {
  const ranges: [number, number][] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === number - 1) last[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}–${last}`)).join(', ')
}
