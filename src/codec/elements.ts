import { compositeElement } from './composite-element.ts'
import { type Cursor, fail, type Renderings, refuse, reject, type Writer } from './cursor.ts'
import type { FieldFormat, Unit } from './dialect-format.ts'
import { valueEncoding } from './encodings.ts'
import type { Composite } from './message.ts'
import { pad } from './padding.ts'
import { type LengthPrefix, lengthPrefix } from './prefixes.ts'

/**
 * A data element or a child of one, compiled: prefix, value and checks. Failures are left in the cursor or the writer.
 */
export type ElementCodec = {
  readonly wireBytesMax: number
  unpack(cursor: Cursor): string | Composite | undefined
  /** Moves past the element without looking at its characters. */
  skip(cursor: Cursor): boolean
  pack(writer: Writer, value: string | Composite): boolean
}

/** `prefix` where it is not the field's own (a BER length). Notes in `renderings` what the element reads from. */
export function elementCodec(field: FieldFormat, renderings: Renderings, prefix?: LengthPrefix): ElementCodec {
  const extent = extentCodec(field, prefix)
  const codec =
    field.children === undefined
      ? textElement(field, extent, renderings)
      : compositeElement(field, field.children, extent, renderings)
  return field.filler === undefined ? codec : filledElement(codec, field.filler)
}

/** How long an element's value is, in characters (see ValueEncoding): always the same, or as its prefix says. */
export type Extent = {
  readonly fixed: boolean
  readonly charactersMax: number
  readonly prefixBytes: number
  /** -1 after `fail`. */
  read(cursor: Cursor): number
  write(writer: Writer, characters: number): void
}

function extentCodec(field: FieldFormat, given: LengthPrefix | undefined): Extent {
  const charactersMax = field.length * charactersPerUnit(field, field.unit)
  const prefix = given ?? (field.prefix && lengthPrefix(field.prefix))
  if (prefix === undefined) {
    return { fixed: true, charactersMax, prefixBytes: 0, read: () => charactersMax, write: () => undefined }
  }
  const unit = field.prefix?.unit ?? 'bytes'
  const perCount = charactersPerUnit(field, unit)
  const wholeBytes = charactersInWholeBytes(field, unit)
  const own = field.prefix?.inclusive ? prefixCount(field.prefix.unit, prefix.bytes, field.prefix.width) : 0
  return {
    fixed: false,
    charactersMax,
    prefixBytes: prefix.bytes,
    read(cursor) {
      const start = cursor.offset
      const count = prefix.read(cursor)
      if (count < 0) return -1
      const characters = (count - own) * perCount
      if (characters >= 0 && characters <= charactersMax && Number.isInteger(characters / wholeBytes)) return characters
      fail(cursor, characters > charactersMax ? 'too_long' : 'bad_length', start)
      return -1
    },
    write: (writer, characters) =>
      prefix.write(writer, (Math.ceil(characters / wholeBytes) * wholeBytes) / perCount + own),
  }
}

/** Characters of the value for one of the units that a length counts. */
export function charactersPerUnit({ encoding }: FieldFormat, unit: Unit) {
  const packed = encoding === 'bcd' || encoding.startsWith('binary') || encoding.startsWith('hex')
  if (unit === 'bytes') return packed ? 2 : 1
  if (unit === 'nibbles') return packed ? 1 : 0.5
  return 1
}

/**
 * A packed value with a length in bytes or nibbles has whole bytes, the spare half one counted; else every length is
 * possible.
 */
export function charactersInWholeBytes(field: FieldFormat, unit: Unit) {
  return charactersPerUnit(field, 'bytes') === 2 && (unit === 'bytes' || unit === 'nibbles') ? 2 : 1
}

/** What an inclusive length counts for its own prefix. */
export const prefixCount = (unit: Unit, bytes: number, width: number) =>
  unit === 'bytes' ? bytes : unit === 'nibbles' ? 2 * bytes : width

function textElement(field: FieldFormat, extent: Extent, renderings: Renderings): ElementCodec {
  const encoding = valueEncoding(field, renderings)
  const { fixed, charactersMax } = extent
  const { padding } = field
  return {
    wireBytesMax: extent.prefixBytes + encoding.wireBytes(charactersMax),
    unpack(cursor) {
      const characters = extent.read(cursor)
      return characters < 0 ? undefined : encoding.read(cursor, characters)
    },
    skip(cursor) {
      const characters = extent.read(cursor)
      if (characters < 0) return false
      if (encoding.variableWidth) return encoding.read(cursor, characters) !== undefined
      const end = cursor.offset + encoding.wireBytes(characters)
      if (end > cursor.end) return fail(cursor, 'truncated', cursor.offset) !== undefined
      cursor.offset = end
      return true
    },
    pack(writer, value) {
      if (typeof value !== 'string') return refuse(writer, 'not_composite')
      const characters = encoding.characters(value)
      if (characters > charactersMax) return refuse(writer, 'too_long')
      if (!fixed) {
        extent.write(writer, characters)
        return encoding.write(writer, value)
      }
      if (characters === charactersMax) return encoding.write(writer, value)
      if (padding === undefined || characters === 0) return refuse(writer, 'too_short')
      return encoding.write(writer, pad(value, charactersMax, field, padding))
    },
  }
}

/** A value with a prefix in an area that always has the same size: a filler stands after it. */
function filledElement(codec: ElementCodec, filler: number): ElementCodec {
  const areaBytes = codec.wireBytesMax
  return {
    wireBytesMax: areaBytes,
    unpack(cursor) {
      const end = cursor.offset + areaBytes
      if (end > cursor.end) return fail(cursor, 'truncated', cursor.offset)
      const value = codec.unpack(cursor)
      if (value === undefined) {
        cursor.resumeAt = end
        return undefined
      }
      for (let i = cursor.offset; i < end; i++) {
        if (cursor.bytes[i] !== filler) return reject(cursor, 'bad_padding', i, end)
      }
      cursor.offset = end
      return value
    },
    skip(cursor) {
      const end = cursor.offset + areaBytes
      if (end > cursor.end) return fail(cursor, 'truncated', cursor.offset) !== undefined
      cursor.offset = end
      return true
    },
    pack(writer, value) {
      const end = writer.offset + areaBytes
      if (!codec.pack(writer, value)) return false
      writer.bytes.fill(filler, writer.offset, end)
      writer.offset = end
      return true
    },
  }
}
