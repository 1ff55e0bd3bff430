import { inflateRawSync } from 'node:zlib'

const endSignature = 0x06054b50
const entrySignature = 0x02014b50
const endBytes = 22
const entryBytes = 46
const commentBytesMax = 65_535

const stored = 0
const deflated = 8

/**
 * Whether an archive (PKWARE APPNOTE, without zip64) unpacks to at most `bytesMax` in all. Sizes that it states are not
 * believed: everything that its directory lists is unpacked once, as far as the bound. False also for what is no
 * archive.
 */
export function unpacksWithin(archive: Buffer, bytesMax: number): boolean {
  const end = findEnd(archive)
  if (end === null) return false
  let left = bytesMax
  let at = archive.readUInt32LE(end + 16)
  for (let count = archive.readUInt16LE(end + 10); count > 0; count--) {
    if (at + entryBytes > archive.length || archive.readUInt32LE(at) !== entrySignature) return false
    const size = unpackedSize(archive, at, left)
    if (size === null || size > left) return false
    left -= size
    at += entryBytes + archive.readUInt16LE(at + 28) + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
  }
  return true
}

function findEnd(archive: Buffer): number | null {
  const first = Math.max(0, archive.length - endBytes - commentBytesMax)
  for (let at = archive.length - endBytes; at >= first; at--) {
    if (archive.readUInt32LE(at) === endSignature) return at
  }
  return null
}

/** Null: it is more than `max`, or cannot be unpacked. */
function unpackedSize(archive: Buffer, entry: number, max: number): number | null {
  const method = archive.readUInt16LE(entry + 10)
  const packedBytes = archive.readUInt32LE(entry + 20)
  const header = archive.readUInt32LE(entry + 42)
  if (header + 30 > archive.length) return null
  const data = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28)
  if (data + packedBytes > archive.length) return null
  if (method === stored) return packedBytes
  if (method !== deflated) return null
  try {
    // Zero would mean no bound at all.
    return inflateRawSync(archive.subarray(data, data + packedBytes), { maxOutputLength: Math.max(1, max) }).length
  } catch {
    return null
  }
}
