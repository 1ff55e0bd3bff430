/** SHA-256 in hexadecimal; of a text, of its UTF-8. */
export type Hash = (data: string | Uint8Array) => string

const overallDigits = 16

/**
 * The fingerprint of a request's content: 8 bytes of a hash of everything, then one byte for each field, in the order
 * of the asker's list of names. It decides whether a repeat is the same request, and names the field in which it is
 * not. Null fields differ from empty ones.
 */
export function fingerprint(fields: readonly (string | null)[], hash: Hash): string {
  let text = ''
  let fieldMarks = ''
  for (const field of fields) {
    text += field === null ? '-;' : `${field.length}:${field};`
    fieldMarks += markOf(field)
  }
  return hash(text).slice(0, overallDigits) + fieldMarks
}

/** The name of the first field in which two fingerprints differ; `content` where no single byte tells. */
export function differingField(one: string, other: string, names: readonly string[]): string {
  if (one.length !== other.length) return names[0] ?? 'content'
  for (let at = overallDigits; at < one.length; at += 2) {
    if (one.slice(at, at + 2) !== other.slice(at, at + 2)) return names[(at - overallDigits) / 2] ?? 'content'
  }
  return 'content'
}

const marks: readonly string[] = Array.from({ length: 256 }, (_, mark) => mark.toString(16).padStart(2, '0'))

function markOf(field: string | null): string {
  if (field === null) return '00'
  let hash = 0x811c9dc5
  for (let index = 0; index < field.length; index++) hash = Math.imul(hash ^ field.charCodeAt(index), 0x01000193)
  const folded = (hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) & 0xff
  return marks[folded === 0 ? 0xff : folded]!
}
