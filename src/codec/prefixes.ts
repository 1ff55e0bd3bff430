import { characterOfNibble, nibbleOfCharacter } from './characters.ts'
import { type Cursor, fail, type Writer } from './cursor.ts'
import type { PrefixFormat } from './dialect-format.ts'

/** A length prefix. `read` gives the count, or -1 after `fail`; `write` expects a count of at most `countMax`. */
export type LengthPrefix = {
  /** Bytes on the wire; for BER, whose lengths have no fixed size, the most. */
  readonly bytes: number
  readonly countMax: number
  read(cursor: Cursor): number
  write(writer: Writer, count: number): void
}

/** A prefix without the `inclusive` arithmetic, which belongs to the field: only it knows the unit. */
export function lengthPrefix({ encoding, width }: Pick<PrefixFormat, 'encoding' | 'width'>): LengthPrefix {
  switch (encoding) {
    case 'ascii':
      return digitPrefix(width, 0x30)
    case 'ebcdic':
      return digitPrefix(width, 0xf0)
    case 'bcd':
      return bcdPrefix(width)
    case 'binary':
      return binaryPrefix(width)
    case 'hex':
      return hexPrefix(width)
  }
}

const badLength = (cursor: Cursor) => {
  fail(cursor, 'bad_length', cursor.offset)
  return -1
}
const truncated = (cursor: Cursor) => {
  fail(cursor, 'truncated', cursor.offset)
  return -1
}

function digitPrefix(width: number, zero: number): LengthPrefix {
  return {
    bytes: width,
    countMax: 10 ** width - 1,
    read(cursor) {
      const end = cursor.offset + width
      if (end > cursor.end) return truncated(cursor)
      let count = 0
      for (let i = cursor.offset; i < end; i++) {
        const digit = cursor.bytes[i]! - zero
        if (digit < 0 || digit > 9) return badLength(cursor)
        count = count * 10 + digit
      }
      cursor.offset = end
      return count
    },
    write(writer, count) {
      let rest = count
      const { offset } = writer
      for (let i = offset + width - 1; i >= offset; i--) {
        writer.bytes[i] = zero + (rest % 10)
        rest = Math.trunc(rest / 10)
      }
      writer.offset += width
    },
  }
}

/** `width` digits, two a byte, an odd number with a leading zero nibble. */
function bcdPrefix(width: number): LengthPrefix {
  const bytes = (width + 1) >> 1
  const countMax = 10 ** width - 1
  return {
    bytes,
    countMax,
    read(cursor) {
      const end = cursor.offset + bytes
      if (end > cursor.end) return truncated(cursor)
      let count = 0
      for (let i = cursor.offset; i < end; i++) {
        const byte = cursor.bytes[i]!
        if (byte >> 4 > 9 || (byte & 15) > 9) return badLength(cursor)
        count = count * 100 + (byte >> 4) * 10 + (byte & 15)
      }
      if (count > countMax) return badLength(cursor)
      cursor.offset = end
      return count
    },
    write(writer, count) {
      let rest = count
      const { offset } = writer
      for (let i = offset + bytes - 1; i >= offset; i--) {
        const pair = rest % 100
        writer.bytes[i] = (Math.trunc(pair / 10) << 4) | (pair % 10)
        rest = Math.trunc(rest / 100)
      }
      writer.offset += bytes
    },
  }
}

function binaryPrefix(width: number): LengthPrefix {
  return {
    bytes: width,
    countMax: 256 ** width - 1,
    read(cursor) {
      if (cursor.offset + width > cursor.end) return truncated(cursor)
      const count = cursor.bytes.readUIntBE(cursor.offset, width)
      cursor.offset += width
      return count
    },
    write(writer, count) {
      let rest = count
      const { offset } = writer
      for (let i = offset + width - 1; i >= offset; i--) {
        writer.bytes[i] = rest & 255
        rest = Math.trunc(rest / 256)
      }
      writer.offset += width
    },
  }
}

function hexPrefix(width: number): LengthPrefix {
  return {
    bytes: width,
    countMax: 16 ** width - 1,
    read(cursor) {
      const end = cursor.offset + width
      if (end > cursor.end) return truncated(cursor)
      let count = 0
      for (let i = cursor.offset; i < end; i++) {
        const nibble = nibbleOfCharacter[cursor.bytes[i]!]!
        if (nibble < 0) return badLength(cursor)
        count = count * 16 + nibble
      }
      cursor.offset = end
      return count
    },
    write(writer, count) {
      let rest = count
      const { offset } = writer
      for (let i = offset + width - 1; i >= offset; i--) {
        writer.bytes[i] = characterOfNibble[rest % 16]!
        rest = Math.trunc(rest / 16)
      }
      writer.offset += width
    },
  }
}

/**
 * ISO/IEC 8825-1 definite lengths: one byte to 127, else 81, 82 or 83 and as many bytes; the shortest form is written.
 */
export const berLength: LengthPrefix = {
  bytes: 4,
  countMax: 0xffffff,
  read(cursor) {
    if (cursor.offset >= cursor.end) return truncated(cursor)
    const first = cursor.bytes[cursor.offset]!
    if (first < 0x80) {
      cursor.offset += 1
      return first
    }
    const width = first & 0x7f
    if (width < 1 || width > 3) return badLength(cursor)
    if (cursor.offset + 1 + width > cursor.end) return truncated(cursor)
    const count = cursor.bytes.readUIntBE(cursor.offset + 1, width)
    cursor.offset += 1 + width
    return count
  },
  write(writer, count) {
    const width = count < 0x80 ? 0 : count < 0x100 ? 1 : count < 0x10000 ? 2 : 3
    if (width > 0) writer.bytes[writer.offset++] = 0x80 | width
    for (let i = Math.max(width, 1) - 1; i >= 0; i--) writer.bytes[writer.offset++] = (count >>> (8 * i)) & 255
  },
}
