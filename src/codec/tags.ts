import {
  type ChildrenCodec,
  failChild,
  failPackChild,
  packChild,
  packHeader,
  unpackChild,
  unpackHeader,
} from './composites.ts'
import { type Cursor, fail, type Renderings, refuse, type Writer } from './cursor.ts'
import type { ChildrenFormat, FieldFormat, TagFormat } from './dialect-format.ts'
import { type ElementCodec, elementCodec } from './elements.ts'
import { valueEncoding } from './encodings.ts'
import type { Composite } from './message.ts'
import { binary } from './packed.ts'
import { berLength, type LengthPrefix, lengthPrefix } from './prefixes.ts'

/**
 * How a tag stands on the wire. `read` gives its key, or undefined after `fail`; `write` refuses a key that is no tag.
 */
type TagCodec = {
  read(cursor: Cursor): string | undefined
  write(writer: Writer, key: string): boolean
}

/** A tag that the dialect has no format for: its bytes as hexadecimal, whatever they are. */
const unknownBerValue: FieldFormat = {
  name: 'unknown tag',
  type: 'b',
  length: berLength.countMax,
  unit: 'bytes',
  prefix: undefined,
  encoding: 'binary',
  spareNibble: { side: 'left', fill: '0' },
  padding: undefined,
  filler: undefined,
  mask: 'hidden',
  children: undefined,
}

/** EMV book 3 annex B: BER-TLV, with zero bytes allowed between the objects. Constructed objects stay hexadecimal. */
export function berTlvChildren(
  { fields }: Extract<ChildrenFormat, { kind: 'ber-tlv' }>,
  renderings: Renderings,
): ChildrenCodec {
  renderings.hex = true
  const known = new Map(Array.from(fields, ([key, field]) => [key, elementCodec(field, renderings, berLength)]))
  return taggedChildren(berTag, known, elementCodec(unknownBerValue, renderings, berLength), { zeroBetween: true })
}

/** Tags of fixed width, each with a value of fixed length or with a prefix. */
export function tagLengthChildren(
  { headerBytes, tag, lengthFirst, prefix, fields, other }: Extract<ChildrenFormat, { kind: 'tag-length' }>,
  renderings: Renderings,
): ChildrenCodec {
  if (headerBytes > 0) renderings.hex = true
  const first = lengthFirst && prefix !== undefined ? leadingLength(lengthPrefix(prefix), tagBytes(tag)) : undefined
  const known = new Map(Array.from(fields, ([key, field]) => [key, elementCodec(field, renderings, first?.within)]))
  const unknown = other === undefined ? undefined : elementCodec(other, renderings, first?.within)
  return taggedChildren(fixedTag(tag, renderings), known, unknown, { headerBytes, first })
}

/**
 * A length that stands before the tag and counts it. `within` is the prefix of the value for its codec: it takes no
 * bytes, gives what `open` read, and fills in what `reserve` left room for.
 */
type LeadingLength = {
  readonly within: LengthPrefix
  open(cursor: Cursor): boolean
  reserve(writer: Writer): void
}

function leadingLength(prefix: LengthPrefix, tagBytes: number): LeadingLength {
  let remaining = 0
  let start = 0
  return {
    within: {
      bytes: 0,
      countMax: prefix.countMax - tagBytes,
      read: () => remaining,
      write(writer, count) {
        const { offset } = writer
        writer.offset = start
        prefix.write(writer, count + tagBytes)
        writer.offset = offset
      },
    },
    open(cursor) {
      const at = cursor.offset
      const count = prefix.read(cursor)
      if (count < 0) return false
      remaining = count - tagBytes
      return remaining >= 0 || fail(cursor, 'bad_length', at) !== undefined
    },
    reserve(writer) {
      start = writer.offset
      writer.offset += prefix.bytes
    },
  }
}

type TaggedOptions = {
  readonly headerBytes?: number
  /** Zero bytes may stand between the objects. */
  readonly zeroBetween?: boolean
  readonly first?: LeadingLength | undefined
}

function taggedChildren(
  tag: TagCodec,
  known: ReadonlyMap<string, ElementCodec>,
  unknown: ElementCodec | undefined,
  { headerBytes = 0, zeroBetween = false, first }: TaggedOptions,
): ChildrenCodec {
  return {
    unpack(cursor) {
      const composite: Composite = new Map()
      if (!unpackHeader(cursor, composite, headerBytes)) return undefined
      while (cursor.offset < cursor.end) {
        if (zeroBetween && cursor.bytes[cursor.offset] === 0) {
          cursor.offset++
          continue
        }
        const start = cursor.offset
        if (first !== undefined && !first.open(cursor)) return undefined
        const key = tag.read(cursor)
        if (key === undefined) return undefined
        if (composite.has(key)) {
          fail(cursor, 'duplicate_tag', start)
          return void failChild(cursor, key)
        }
        const codec = known.get(key) ?? unknown
        if (codec === undefined) {
          fail(cursor, 'undefined_field', start)
          return void failChild(cursor, key)
        }
        if (!unpackChild(cursor, composite, key, codec, start)) return undefined
      }
      return composite
    },
    pack(writer, composite) {
      if (headerBytes > 0 && !packHeader(writer, composite.get('header'), headerBytes)) {
        return failPackChild(writer, 'header')
      }
      for (const [key, value] of composite) {
        if (key === 'header' && headerBytes > 0) continue
        const codec = known.get(key) ?? unknown
        first?.reserve(writer)
        if (!tag.write(writer, key)) return failPackChild(writer, key)
        if (codec === undefined) return refuse(writer, 'undefined_field') || failPackChild(writer, key)
        if (!packChild(writer, value, key, codec)) return false
      }
      return true
    },
  }
}

/** ISO/IEC 8825-1 tags of one to four bytes; the key is upper-case hexadecimal. */
const berTag: TagCodec = {
  read(cursor) {
    const start = cursor.offset
    const bytes = berTagBytes(cursor.bytes, start, cursor.end)
    if (bytes === 0) return fail(cursor, 'bad_tag', start)
    cursor.offset += bytes
    return cursor.hex.substring(2 * start, 2 * cursor.offset).toUpperCase()
  },
  write(writer, key) {
    const start = writer.offset
    if (key !== key.toUpperCase() || !binary.write(writer, key)) return refuse(writer, 'bad_tag')
    const bytes = writer.offset - start
    return (bytes > 0 && berTagBytes(writer.bytes, start, writer.offset) === bytes) || refuse(writer, 'bad_tag')
  },
}

/** The size of the tag at `start`, or 0 where there is none. */
function berTagBytes(bytes: Buffer, start: number, end: number) {
  if (bytes[start] === 0) return 0
  if ((bytes[start]! & 0x1f) !== 0x1f) return 1
  for (let i = start + 1; i < end && i < start + 4; i++) {
    if (bytes[i]! < 0x80) return i + 1 - start
  }
  return 0
}

const tagBytes = ({ encoding, width }: TagFormat) => (encoding === 'bcd' ? width / 2 : width)

function fixedTag({ encoding, width, filler }: TagFormat, renderings: Renderings): TagCodec {
  const characters = encoding === 'binary' ? 2 * width : width
  const codec = valueEncoding(
    {
      ...unknownBerValue,
      type: encoding === 'binary' ? 'b' : encoding === 'bcd' ? 'n' : 'ans',
      unit: encoding === 'binary' ? 'bytes' : 'characters',
      encoding,
    },
    renderings,
  )
  return {
    read: cursor => {
      const start = cursor.offset
      const key = codec.read(cursor, characters)
      if (key === undefined) return fail(cursor, cursor.code === 'truncated' ? 'truncated' : 'bad_tag', start)
      return filler === undefined ? key : withoutFiller(key, filler)
    },
    write: (writer, key) => {
      const whole = filler === undefined ? key : withFiller(key, characters, filler)
      return (whole.length === characters && codec.write(writer, whole)) || refuse(writer, 'bad_tag')
    },
  }
}

type Filler = NonNullable<TagFormat['filler']>

const withFiller = (key: string, characters: number, { side, fill }: Filler): string =>
  side === 'left' ? key.padStart(characters, fill) : key.padEnd(characters, fill)

/** At least one character stays: a tag of nothing but filler is that filler. */
function withoutFiller(key: string, { side, fill }: Filler): string {
  let from = 0
  let to = key.length
  if (side === 'left') while (from < to - 1 && key[from] === fill) from += 1
  else while (to > 1 && key[to - 1] === fill) to -= 1
  return key.slice(from, to)
}
