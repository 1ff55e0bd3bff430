import { characterClasses } from './characters.ts'
import { type Cursor, fail, refuse, reject, type Writer } from './cursor.ts'
import type { ValueEncoding } from './encodings.ts'

const replacement = '\ufffd'

/** UTF-8 whose lengths count characters (Unicode code points), so that only reading tells where a value ends. */
export function utf8ByCharacters(allowed: number): ValueEncoding {
  return {
    variableWidth: true,
    wireBytes: characters => 4 * characters,
    characters: codePoints,
    read(cursor, characters) {
      let end = cursor.offset
      for (let i = 0; i < characters; i++) {
        if (end >= cursor.end) return fail(cursor, 'truncated', cursor.offset)
        end += sequenceBytes(cursor.bytes[end]!)
      }
      return read(cursor, end, allowed)
    },
    write: (writer, value) => write(writer, value, allowed),
  }
}

/** UTF-8 whose lengths count bytes. */
export function utf8ByBytes(allowed: number): ValueEncoding {
  return {
    variableWidth: false,
    wireBytes: bytes => bytes,
    characters: value => Buffer.byteLength(value),
    read: (cursor, bytes) => read(cursor, cursor.offset + bytes, allowed),
    write: (writer, value) => write(writer, value, allowed),
  }
}

function read(cursor: Cursor, end: number, allowed: number) {
  if (end > cursor.end) return fail(cursor, 'truncated', cursor.offset)
  const value = cursor.bytes.toString('utf8', cursor.offset, end)
  if (!isAllowed(value, allowed) || value.includes(replacement)) {
    return reject(cursor, 'bad_character', cursor.offset, end)
  }
  cursor.offset = end
  return value
}

function write(writer: Writer, value: string, allowed: number) {
  if (!isAllowed(value, allowed) || !value.isWellFormed()) return refuse(writer, 'bad_character')
  // Unlike the other writers, Buffer.write refuses to run past the end, which a composite too long for its field may
  // ask of it.
  if (writer.offset + Buffer.byteLength(value) > writer.bytes.length) return refuse(writer, 'too_long')
  writer.offset += writer.bytes.write(value, writer.offset)
  return true
}

/** Characters beyond Latin-1 count as those above ASCII do. */
function isAllowed(value: string, allowed: number) {
  const beyondLatin1 = characterClasses[0xff]!
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (((code > 255 ? beyondLatin1 : characterClasses[code]!) & allowed) === 0) return false
  }
  return true
}

const sequenceBytes = (lead: number) => (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4)

function codePoints(value: string) {
  let count = 0
  for (const _ of value) count++
  return count
}
