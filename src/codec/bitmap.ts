import { characterOfNibble, nibbleOfCharacter } from './characters.ts'
import { type Cursor, fail, openCursor, type Writer } from './cursor.ts'
import type { BitmapFormat } from './dialect-format.ts'
import { ebcdic1047 } from './ebcdic.ts'

/**
 * Bitmaps of a message or of a composite: bit 1 is the first bit of the first byte. With `hasContinuation(bit)` true a
 * bit says only that another chunk follows; it is never a field. The bits stand in an array of bytes that belongs to
 * the caller.
 */
type BitmapCodec = {
  /** Bits in all chunks: the highest field number. */
  readonly bitsMax: number
  readonly wireBytesMax: number
  isContinuation(bit: number): boolean
  /** Fills `bits`, continuation bits cleared; returns the number of bytes in it, or -1 after `fail`. */
  read(cursor: Cursor, bits: Uint8Array): number
  /** Bytes on the wire of the bitmap for fields up to `highest`. */
  wireBytes(highest: number): number
  /** Writes at `offset` the chunks needed for `highest`, with their continuation bits. */
  write(writer: Writer, offset: number, bits: Uint8Array, highest: number): void
}

export function bitmapCodec({ encoding, bytes: chunkBytes, bytesMax }: BitmapFormat): BitmapCodec {
  const chunkBits = chunkBytes * 8
  const factor = encoding === 'binary' ? 1 : 2
  const readByte = { binary: readBinary, hex: readHex, 'hex-ebcdic': readEbcdicHex }[encoding]
  const writeByte = { binary: writeBinary, hex: writeHex, 'hex-ebcdic': writeEbcdicHex }[encoding]
  const chunksBytes = (highest: number) => Math.max(1, Math.ceil(highest / chunkBits)) * chunkBytes

  return {
    bitsMax: bytesMax * 8,
    wireBytesMax: bytesMax * factor,
    isContinuation: bit => (bit - 1) % chunkBits === 0 && bit + chunkBits <= bytesMax * 8,
    read(cursor, bits) {
      let length = 0
      for (let more = true; more; ) {
        const start = cursor.offset
        if (start + chunkBytes * factor > cursor.end) return failed(cursor, 'truncated', start)
        for (let i = 0; i < chunkBytes; i++) {
          const at = start + i * factor
          const byte = readByte(cursor.bytes, at)
          if (byte < 0) return failed(cursor, 'bad_bitmap', at)
          bits[length + i] = byte
        }
        cursor.offset = start + chunkBytes * factor
        more = length + 2 * chunkBytes <= bytesMax && bits[length]! >= 0x80
        if (more) bits[length]! &= 0x7f
        length += chunkBytes
      }
      return length
    },
    wireBytes: highest => chunksBytes(highest) * factor,
    write(writer, offset, bits, highest) {
      const length = chunksBytes(highest)
      for (let i = 0; i < length; i++) {
        const continues = i % chunkBytes === 0 && i + chunkBytes < length
        writeByte(writer.bytes, offset + i * factor, continues ? bits[i]! | 0x80 : bits[i]!)
      }
    },
  }
}

/** The bitmap at the start of `bytes` as hexadecimal, with its continuation bits; undefined where it is not one. */
export function bitmapHex(format: BitmapFormat, bytes: Buffer): string | undefined {
  const { read } = bitmapCodec(format)
  const cursor = openCursor(bytes, { text: false, hex: false })
  if (read(cursor, new Uint8Array(format.bytesMax)) < 0) return undefined
  const raw = bytes.subarray(0, cursor.offset)
  if (format.encoding === 'binary') return raw.toString('hex').toUpperCase()
  const text = format.encoding === 'hex' ? raw : raw.map(byte => ebcdic1047.toLatin1[byte]!)
  return Buffer.from(text).toString('latin1').toUpperCase()
}

function failed(cursor: Cursor, code: 'truncated' | 'bad_bitmap', at: number) {
  fail(cursor, code, at)
  return -1
}

const readBinary = (bytes: Buffer, at: number) => bytes[at]!
/** Negative where either digit is: -1 shifted or joined stays negative. */
const readHex = (bytes: Buffer, at: number) =>
  (nibbleOfCharacter[bytes[at]!]! << 4) | nibbleOfCharacter[bytes[at + 1]!]!
const ebcdicNibble = (byte: number) => nibbleOfCharacter[ebcdic1047.toLatin1[byte]!]!
const readEbcdicHex = (bytes: Buffer, at: number) => (ebcdicNibble(bytes[at]!) << 4) | ebcdicNibble(bytes[at + 1]!)

function writeBinary(bytes: Buffer, at: number, byte: number) {
  bytes[at] = byte
}
function writeHex(bytes: Buffer, at: number, byte: number) {
  bytes[at] = characterOfNibble[byte >> 4]!
  bytes[at + 1] = characterOfNibble[byte & 15]!
}
function writeEbcdicHex(bytes: Buffer, at: number, byte: number) {
  bytes[at] = ebcdic1047.fromLatin1[characterOfNibble[byte >> 4]!]!
  bytes[at + 1] = ebcdic1047.fromLatin1[characterOfNibble[byte & 15]!]!
}
