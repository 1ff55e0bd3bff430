import { bitmapCodec } from './bitmap.ts'
import { packHeader } from './composites.ts'
import { type Cursor, fail, joinPath, openCursor, type Renderings, refuse, type Writer } from './cursor.ts'
import type { DialectFormat, FieldFormat } from './dialect-format.ts'
import { type ElementCodec, elementCodec } from './elements.ts'
import { valueEncoding } from './encodings.ts'
import { CodecError, codecErrorTexts, type UnpackError } from './errors.ts'
import type { Composite, Message } from './message.ts'
import { binary } from './packed.ts'
import { parseDialect } from './parse-dialect.ts'

/**
 * On failure `message` has what could be read: fields before the error, and those after it where the failed field's
 * extent was known (a letter in DE4 does not hide DE11). `mti` is empty where it could not be read.
 */
export type UnpackResult = { ok: true; message: Message } | { ok: false; error: UnpackError; message: Message }

/** One way of writing ISO 8583 messages, compiled. Share it: it is immutable as seen from outside. */
export type Dialect = {
  readonly format: DialectFormat
  /**
   * The message's bytes, in a Buffer of its own. Throws CodecError naming the path of what the dialect can't carry.
   */
  pack(message: Message): Buffer
  /** Never throws, whatever the bytes. Every byte is accounted for: bytes after the last field are an error. */
  unpack(bytes: Buffer): UnpackResult
  /**
   * Reads forward to the last of `fieldNumbers` (ascending) and gives the MTI and only those fields, for routing.
   * Fields between are skipped unchecked, and nothing after the last one is looked at.
   */
  scan(bytes: Buffer, fieldNumbers: readonly number[]): UnpackResult
  /**
   * The bytes on the wire of a field that always has as many; undefined for another. A MAC is the last field of its
   * message, so this tells where it begins without a second look at the message.
   */
  fixedWireBytesOf(fieldNumber: number): number | undefined
}

/** Throws DialectError naming the path and value of what is wrong with the file. `json` is the parsed file. */
export function compileDialect(json: unknown): Dialect {
  return compileFormat(parseDialect(json))
}

const mtiField: FieldFormat = {
  name: 'Message type indicator',
  type: 'n',
  length: 4,
  unit: 'digits',
  prefix: undefined,
  encoding: 'ascii',
  spareNibble: { side: 'left', fill: '0' },
  padding: undefined,
  filler: undefined,
  mask: 'clear',
  children: undefined,
}
const mtiDigits = 4
const mtiBytesMax = 4

/** The same for a format that an importer built. */
function compileFormat(format: DialectFormat): Dialect {
  const renderings: Renderings = { text: false, hex: format.headerBytes > 0 }
  const { headerBytes } = format
  const mtiCodec = valueEncoding({ ...mtiField, encoding: format.mti.encoding }, renderings)
  const bitmap = bitmapCodec(format.bitmap)
  const codecs = new Array<ElementCodec | undefined>(bitmap.bitsMax + 1).fill(undefined)
  let wireBytesMax = headerBytes + mtiBytesMax + bitmap.wireBytesMax
  for (const [number, field] of format.fields) {
    const codec = elementCodec(field, renderings)
    codecs[number] = codec
    wireBytesMax += codec.wireBytesMax
  }
  // Both are free again when the call returns: pack and unpack never wait.
  const scratch = Buffer.allocUnsafeSlow(wireBytesMax)
  const bits = new Uint8Array(format.bitmap.bytesMax)

  /** Header, MTI and bitmap; returns the bytes of the bitmap, or -1. */
  function unpackFront(cursor: Cursor, message: Message) {
    if (headerBytes > 0) {
      message.header = binary.read(cursor, 2 * headerBytes)
      if (message.header === undefined) return failAt(cursor, 'header')
    }
    const mti = mtiCodec.read(cursor, mtiDigits)
    if (mti === undefined) return failAt(cursor, 'mti')
    message.mti = mti
    const bitmapBytes = bitmap.read(cursor, bits)
    return bitmapBytes < 0 ? failAt(cursor, 'bitmap') : bitmapBytes
  }

  function unpack(bytes: Buffer): UnpackResult {
    const cursor = openCursor(bytes, renderings)
    const message: Message = { mti: '', fields: [], composites: undefined, header: undefined }
    const bitmapBytes = unpackFront(cursor, message)
    if (bitmapBytes < 0) return { ok: false, error: errorOf(cursor), message }
    const fields = new Array<string | undefined>(roomFor(bits, bitmapBytes))
    message.fields = fields
    let error: UnpackError | undefined
    for (let i = 0; i < bitmapBytes; i++) {
      for (let byte = bits[i]!; byte !== 0; ) {
        const zeros = Math.clz32(byte) - 24
        byte &= 0x7f >> zeros
        const number = i * 8 + zeros + 1
        const value = unpackElement(cursor, codecs[number])
        if (typeof value === 'string') fields[number] = value
        else if (value !== undefined) keepComposite(message, number, value)
        else {
          failAt(cursor, String(number))
          error ??= errorOf(cursor)
          if (cursor.resumeAt < 0) return { ok: false, error, message }
          cursor.offset = cursor.resumeAt
          cursor.path = ''
        }
      }
    }
    if (error === undefined && cursor.offset === cursor.end) return { ok: true, message }
    if (error === undefined) {
      fail(cursor, 'trailing_bytes', cursor.offset)
      failAt(cursor, 'message')
      error = errorOf(cursor)
    }
    return { ok: false, error, message }
  }

  function scan(bytes: Buffer, fieldNumbers: readonly number[]): UnpackResult {
    const cursor = openCursor(bytes, renderings)
    const message: Message = { mti: '', fields: [], composites: undefined, header: undefined }
    const bitmapBytes = unpackFront(cursor, message)
    if (bitmapBytes < 0) return { ok: false, error: errorOf(cursor), message }
    let next = 0
    for (let i = 0; i < bitmapBytes && next < fieldNumbers.length; i++) {
      for (let byte = bits[i]!; byte !== 0 && next < fieldNumbers.length; ) {
        const zeros = Math.clz32(byte) - 24
        byte &= 0x7f >> zeros
        const number = i * 8 + zeros + 1
        while (fieldNumbers[next]! < number) next++
        if (next === fieldNumbers.length) break
        const codec = codecs[number]
        if (fieldNumbers[next] !== number) {
          if (codec?.skip(cursor)) continue
          if (codec === undefined) fail(cursor, 'undefined_field', cursor.offset)
          failAt(cursor, String(number))
          return { ok: false, error: errorOf(cursor), message }
        }
        const value = unpackElement(cursor, codec)
        if (typeof value === 'string') message.fields[number] = value
        else if (value !== undefined) keepComposite(message, number, value)
        else {
          failAt(cursor, String(number))
          return { ok: false, error: errorOf(cursor), message }
        }
      }
    }
    return { ok: true, message }
  }

  function pack(message: Message): Buffer {
    const writer: Writer = { bytes: scratch, offset: 0, code: undefined, path: '' }
    const { fields, composites } = message
    if (headerBytes > 0 && !packHeader(writer, message.header, headerBytes)) throw packError(writer, 'header')
    if (message.mti.length !== mtiDigits) refuse(writer, message.mti.length < mtiDigits ? 'too_short' : 'too_long')
    if (writer.code !== undefined || !mtiCodec.write(writer, message.mti)) throw packError(writer, 'mti')

    const highest = highestField(message)
    if (highest > bitmap.bitsMax) {
      refuse(writer, 'undefined_field')
      throw packError(writer, String(highest))
    }
    const bitmapOffset = writer.offset
    writer.offset += bitmap.wireBytes(highest)
    bits.fill(0)
    for (let number = 0; number <= highest; number++) {
      const value = fields[number] ?? composites?.get(number)
      if (value === undefined) continue
      const codec = codecs[number]
      if (codec === undefined) refuse(writer, 'undefined_field')
      if (codec === undefined || !codec.pack(writer, value)) throw packError(writer, String(number))
      bits[(number - 1) >> 3]! |= 0x80 >> ((number - 1) & 7)
    }
    bitmap.write(writer, bitmapOffset, bits, highest)
    const bytes = Buffer.allocUnsafe(writer.offset)
    scratch.copy(bytes, 0, 0, writer.offset)
    return bytes
  }

  function fixedWireBytesOf(number: number) {
    const field = format.fields.get(number)
    return field === undefined || field.prefix !== undefined ? undefined : codecs[number]?.wireBytesMax
  }

  return { format, pack, unpack, scan, fixedWireBytesOf }
}

/**
 * Of an array up to the last byte of the bitmap in which a bit is set. Most messages end long before the last element
 * that there could be, and each lives until its answer.
 */
function roomFor(bits: Uint8Array, bitmapBytes: number) {
  let last = bitmapBytes - 1
  while (last > 0 && bits[last] === 0) last--
  return 8 * (last + 1) + 1
}

function unpackElement(cursor: Cursor, codec: ElementCodec | undefined) {
  return codec === undefined ? fail(cursor, 'undefined_field', cursor.offset) : codec.unpack(cursor)
}

function keepComposite(message: Message, number: number, value: Composite) {
  message.composites ??= new Map()
  message.composites.set(number, value)
}

function highestField({ fields, composites }: Message) {
  let highest = fields.length - 1
  while (highest > 0 && fields[highest] === undefined) highest--
  if (composites !== undefined) for (const number of composites.keys()) highest = Math.max(highest, number)
  return Math.max(highest, 1)
}

/** Puts the element in front of the path of a failure within it. */
function failAt(cursor: Cursor, element: string): -1 {
  cursor.path = joinPath(element, cursor.path)
  return -1
}

function errorOf({ path, failedAt, code }: Cursor): UnpackError {
  return { path, offset: failedAt, code: code!, text: codecErrorTexts[code!] }
}

function packError(writer: Writer, element: string) {
  return new CodecError(joinPath(element, writer.path), writer.code!)
}
