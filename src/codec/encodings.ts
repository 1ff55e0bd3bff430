import { allowedClasses, characterClasses, digitAllowed, signsAllowed } from './characters.ts'
import { type Cursor, fail, type Renderings, refuse, reject, type Writer } from './cursor.ts'
import { type FieldFormat, isSigned } from './dialect-format.ts'
import { type CharacterTable, ebcdic037, ebcdic1047 } from './ebcdic.ts'
import { binary, hexText, packedDigits, packedHex, packedTrack, translatedBinary } from './packed.ts'
import { utf8ByBytes, utf8ByCharacters } from './utf8.ts'

/**
 * How a value stands on the wire; its characters are checked on the way, in both directions. Lengths here are in
 * characters of the value (a binary value has two a byte). `read` returns undefined after `fail` or `reject`, `write`
 * false after `refuse`.
 */
export type ValueEncoding = {
  /**
   * True where the characters alone don't give the bytes on the wire (UTF-8); `wireBytes` is then the largest number.
   */
  readonly variableWidth: boolean
  wireBytes(characters: number): number
  /** The length of a value as `read` counts it. */
  characters(value: string): number
  read(cursor: Cursor, characters: number): string | undefined
  write(writer: Writer, value: string): boolean
}

/** The encoding of one field; notes in `renderings` what it reads from. */
export function valueEncoding(field: FieldFormat, renderings: Renderings): ValueEncoding {
  const { type, encoding, spareNibble } = field
  if (type === 'b') {
    renderings.hex ||= encoding === 'binary' || encoding === 'bcd'
    if (encoding === 'binary-ebcdic') return translatedBinary(ebcdic1047)
    renderings.text ||= encoding === 'hex'
    if (encoding === 'bcd') return packedHex(spareNibble)
    if (encoding === 'binary') return binary
    return encoding === 'hex' ? hexText() : hexText(ebcdic1047)
  }
  if (isSigned(type)) {
    const sign = signsAllowed[type]
    renderings.text = true
    renderings.hex ||= encoding === 'bcd'
    if (encoding === 'bcd') return signed(latin1(sign), packedDigits(spareNibble))
    if (encoding === 'ascii') return signed(latin1(sign), latin1(digitAllowed))
    return signed(translated(ebcdic1047, sign), translated(ebcdic1047, digitAllowed))
  }
  if (encoding === 'bcd') {
    renderings.hex = true
    return type === 'z' ? packedTrack(spareNibble) : packedDigits(spareNibble)
  }
  const allowed = allowedClasses(type, encoding !== 'ascii')
  if (encoding === 'utf8') return field.unit === 'bytes' ? utf8ByBytes(allowed) : utf8ByCharacters(allowed)
  if (encoding === 'ebcdic') return translated(ebcdic1047, allowed)
  if (encoding === 'ebcdic037') return translated(ebcdic037, allowed)
  renderings.text = true
  return latin1(allowed)
}

const oneByteEach = {
  variableWidth: false,
  wireBytes: (characters: number) => characters,
  characters: (value: string) => value.length,
}

/** ASCII and Latin-1: which of the two is a matter of the allowed classes. */
function latin1(allowed: number): ValueEncoding {
  return {
    ...oneByteEach,
    read(cursor, characters) {
      const { bytes, offset } = cursor
      const end = offset + characters
      if (end > cursor.end) return fail(cursor, 'truncated', offset)
      for (let i = offset; i < end; i++) {
        if ((characterClasses[bytes[i]!]! & allowed) === 0) return reject(cursor, 'bad_character', i, end)
      }
      cursor.offset = end
      return cursor.text.substring(offset, end)
    },
    write(writer, value) {
      const { bytes } = writer
      let offset = writer.offset
      for (let i = 0; i < value.length; i++) {
        const code = value.charCodeAt(i)
        if (code > 255 || (characterClasses[code]! & allowed) === 0) return refuse(writer, 'bad_character')
        bytes[offset++] = code
      }
      writer.offset = offset
      return true
    },
  }
}

/** EBCDIC. */
function translated({ toLatin1, fromLatin1 }: CharacterTable, allowed: number): ValueEncoding {
  return {
    ...oneByteEach,
    read(cursor, characters) {
      const { bytes, offset } = cursor
      const end = offset + characters
      if (end > cursor.end) return fail(cursor, 'truncated', offset)
      let value = ''
      for (let i = offset; i < end; i++) {
        const code = toLatin1[bytes[i]!]!
        if ((characterClasses[code]! & allowed) === 0) return reject(cursor, 'bad_character', i, end)
        value += String.fromCharCode(code)
      }
      cursor.offset = end
      return value
    },
    write(writer, value) {
      for (let i = 0; i < value.length; i++) {
        const code = value.charCodeAt(i)
        if (code > 255 || (characterClasses[code]! & allowed) === 0) return refuse(writer, 'bad_character')
        writer.bytes[writer.offset++] = fromLatin1[code]!
      }
      return true
    },
  }
}

/** Amounts: one sign character, then digits. */
function signed(sign: ValueEncoding, digits: ValueEncoding): ValueEncoding {
  const wireBytes = (characters: number) => 1 + digits.wireBytes(characters - 1)
  return {
    variableWidth: false,
    wireBytes,
    characters: value => value.length,
    read(cursor, characters) {
      const end = cursor.offset + wireBytes(characters)
      const x = sign.read(cursor, 1)
      const amount = x === undefined ? undefined : digits.read(cursor, characters - 1)
      if (x !== undefined && amount !== undefined) return x + amount
      if (cursor.resumeAt >= 0) cursor.resumeAt = Math.min(end, cursor.end)
      return undefined
    },
    write: (writer, value) => sign.write(writer, value.slice(0, 1)) && digits.write(writer, value.slice(1)),
  }
}
