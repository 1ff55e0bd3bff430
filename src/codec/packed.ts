import { characterOfNibble, nibbleOfCharacter } from './characters.ts'
import { type Cursor, fail, refuse, reject } from './cursor.ts'
import type { SpareNibbleFormat } from './dialect-format.ts'
import type { CharacterTable } from './ebcdic.ts'
import type { ValueEncoding } from './encodings.ts'

/** BCD: two digits a byte. */
export const packedDigits = (spare: SpareNibbleFormat) =>
  packed(
    spare,
    9,
    text => text,
    code => (code >= 0x30 && code <= 0x39 ? code - 0x30 : -1),
  )

/** ISO 7811-2 track characters are 0x30 plus their four bits, so `=` packs as D; a letter D is taken for `=`. */
export const packedTrack = (spare: SpareNibbleFormat) =>
  packed(
    spare,
    15,
    text => text.replace(/[a-f]/g, digit => String.fromCharCode(0x30 + Number.parseInt(digit, 16))),
    code => (code >= 0x30 && code <= 0x3f ? code - 0x30 : code === 0x44 ? 13 : -1),
  )

/** Hexadecimal digits, two a byte, of which there may be an odd number. */
export const packedHex = (spare: SpareNibbleFormat) =>
  packed(
    spare,
    15,
    text => text.toUpperCase(),
    code => (code < 256 ? nibbleOfCharacter[code]! : -1),
  )

/**
 * Half bytes up to `nibbleMax`. An odd number of them leaves a spare half byte at one side: written as the fill, read
 * as 0 or F (both are in use for the same field by terminals of one fleet).
 */
function packed(
  { side, fill }: SpareNibbleFormat,
  nibbleMax: number,
  fromHex: (hex: string) => string,
  nibbleOf: (code: number) => number,
): ValueEncoding {
  const spareNibble = fill === 'F' ? 15 : 0
  const spareLeft = side === 'left' ? 1 : 0
  const allValid = nibbleMax === 15
  return {
    variableWidth: false,
    wireBytes: characters => (characters + 1) >> 1,
    characters: value => value.length,
    read(cursor, characters) {
      const { bytes, offset } = cursor
      const end = offset + ((characters + 1) >> 1)
      if (end > cursor.end) return fail(cursor, 'truncated', offset)
      const spares = characters & 1
      const first = 2 * offset + (spares & spareLeft)
      if (spares === 1 && !isSpare(cursor, spareLeft === 1 ? offset : end - 1, spareLeft === 1)) {
        return reject(cursor, 'bad_padding', spareLeft === 1 ? offset : end - 1, end)
      }
      if (!allValid) {
        for (let i = first; i < first + characters; i++) {
          const byte = bytes[i >> 1]!
          if (((i & 1) === 0 ? byte >> 4 : byte & 15) > nibbleMax) return reject(cursor, 'bad_character', i >> 1, end)
        }
      }
      cursor.offset = end
      return fromHex(cursor.hex.substring(first, first + characters))
    },
    write(writer, value) {
      const { bytes } = writer
      const bytesCount = (value.length + 1) >> 1
      const odd = value.length & 1
      // With the spare at the left the digits begin one half byte later.
      let position = odd & spareLeft
      if (odd === 1) bytes[writer.offset + (spareLeft === 1 ? 0 : bytesCount - 1)] = spareNibble * 17
      for (let i = 0; i < value.length; i++, position++) {
        const nibble = nibbleOf(value.charCodeAt(i))
        if (nibble < 0) return refuse(writer, 'bad_character')
        const at = writer.offset + (position >> 1)
        if ((position & 1) === 0) bytes[at] = (nibble << 4) | (odd === 1 && i === value.length - 1 ? spareNibble : 0)
        else bytes[at] = (bytes[at]! & 0xf0) | nibble
      }
      writer.offset += bytesCount
      return true
    },
  }
}

function isSpare(cursor: Cursor, at: number, left: boolean) {
  const nibble = left ? cursor.bytes[at]! >> 4 : cursor.bytes[at]! & 15
  return nibble === 0 || nibble === 15
}

/** Bytes as they are; the value is upper-case hexadecimal. */
export const binary: ValueEncoding = {
  variableWidth: false,
  wireBytes: characters => characters >> 1,
  characters: value => value.length,
  read(cursor, characters) {
    const { offset } = cursor
    if ((characters & 1) !== 0) return fail(cursor, 'bad_length', offset)
    const end = offset + (characters >> 1)
    if (end > cursor.end) return fail(cursor, 'truncated', offset)
    cursor.offset = end
    return cursor.hex.substring(2 * offset, 2 * end).toUpperCase()
  },
  write(writer, value) {
    if ((value.length & 1) !== 0) return refuse(writer, 'bad_length')
    for (let i = 0; i < value.length; i += 2) {
      const left = nibbleOfCharacter[value.charCodeAt(i)] ?? -1
      const right = nibbleOfCharacter[value.charCodeAt(i + 1)] ?? -1
      if (left < 0 || right < 0) return refuse(writer, 'bad_character')
      writer.bytes[writer.offset++] = (left << 4) | right
    }
    return true
  },
}

/** Bytes as hexadecimal text in ASCII or EBCDIC; either case is read, upper case is written. */
export function hexText(table?: CharacterTable): ValueEncoding {
  return {
    variableWidth: false,
    wireBytes: characters => characters,
    characters: value => value.length,
    read(cursor, characters) {
      const { bytes, offset } = cursor
      if ((characters & 1) !== 0) return fail(cursor, 'bad_length', offset)
      const end = offset + characters
      if (end > cursor.end) return fail(cursor, 'truncated', offset)
      let translated = ''
      let upperCase = true
      for (let i = offset; i < end; i++) {
        const code = table === undefined ? bytes[i]! : table.toLatin1[bytes[i]!]!
        if (nibbleOfCharacter[code]! < 0) return reject(cursor, 'bad_character', i, end)
        if (code > 0x46) upperCase = false
        if (table !== undefined) translated += String.fromCharCode(code)
      }
      cursor.offset = end
      const value = table === undefined ? cursor.text.substring(offset, end) : translated
      return upperCase ? value : value.toUpperCase()
    },
    write(writer, value) {
      if ((value.length & 1) !== 0) return refuse(writer, 'bad_length')
      for (let i = 0; i < value.length; i++) {
        const nibble = nibbleOfCharacter[value.charCodeAt(i)] ?? -1
        if (nibble < 0) return refuse(writer, 'bad_character')
        const code = characterOfNibble[nibble]!
        writer.bytes[writer.offset++] = table === undefined ? code : table.fromLatin1[code]!
      }
      return true
    },
  }
}

/** Bytes that a host translated from Latin-1 to EBCDIC; the value is those before, as upper-case hexadecimal. */
export function translatedBinary(table: CharacterTable): ValueEncoding {
  return {
    ...binary,
    read(cursor, characters) {
      const { offset } = cursor
      if ((characters & 1) !== 0) return fail(cursor, 'bad_length', offset)
      const end = offset + (characters >> 1)
      if (end > cursor.end) return fail(cursor, 'truncated', offset)
      cursor.offset = end
      return translate(cursor.bytes, offset, end, table.toLatin1).toString('hex').toUpperCase()
    },
    write(writer, value) {
      const start = writer.offset
      if (!binary.write(writer, value)) return false
      translate(writer.bytes, start, writer.offset, table.fromLatin1).copy(writer.bytes, start)
      return true
    },
  }
}

/** A copy of the bytes from `start` to `end`, each as `table` has it. */
export function translate(bytes: Buffer, start: number, end: number, table: Uint8Array): Buffer {
  const translated = Buffer.from(bytes.subarray(start, end))
  for (let i = 0; i < translated.length; i++) translated[i] = table[translated[i]!]!
  return translated
}
