import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import type { RandomBytes } from './bytes.ts'
import { CryptoError } from './errors.ts'

/** What a stored key is for: moved to another row, or taken for another use, it does not open. */
export type KeyBinding = { readonly tenant: string; readonly owner: string; readonly usage: string }

const formatVersion = 1
const ivBytes = 12
const tagBytes = 16
const frontBytes = 1 + ivBytes + tagBytes

/** A new key-encryption key: 32 random bytes as 64 hexadecimal digits. */
export const newKeyEncryptionKey = (): string => randomBytes(32).toString('hex')

/**
 * The key-encryption key of 64 hexadecimal digits. Without it no stored key can be read; every switch on one database
 * needs the same one. Throws without naming the digits.
 */
export function keyEncryptionKeyOf(hex: string): KeyObject {
  if (!/^[0-9a-f]{64}$/i.test(hex)) throw new Error('the key-encryption key must be 64 hexadecimal digits')
  return createSecretKey(Buffer.from(hex, 'hex'))
}

/**
 * A key as it is stored: a version byte, 12 bytes of nonce, 16 of tag, and the key under AES-256-GCM (NIST SP 800-38D)
 * with the binding as associated data. 29 bytes longer than the key.
 */
export function encryptStoredKey(
  keyEncryptionKey: KeyObject,
  key: Buffer,
  binding: KeyBinding,
  random: RandomBytes = randomBytes,
): Buffer {
  const iv = random(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', keyEncryptionKey, iv, { authTagLength: tagBytes })
  cipher.setAAD(associatedData(binding))
  const encrypted = Buffer.concat([cipher.update(key), cipher.final()])
  return Buffer.concat([Buffer.from([formatVersion]), iv, cipher.getAuthTag(), encrypted])
}

/** The key of `encryptStoredKey`. Throws CryptoError `stored_key` if anything differs: bytes, binding or key. */
export function decryptStoredKey(keyEncryptionKey: KeyObject, stored: Buffer, binding: KeyBinding): Buffer {
  if (stored.length <= frontBytes || stored[0] !== formatVersion) throw new CryptoError('stored_key')
  const iv = stored.subarray(1, 1 + ivBytes)
  const decipher = createDecipheriv('aes-256-gcm', keyEncryptionKey, iv, { authTagLength: tagBytes })
  decipher.setAAD(associatedData(binding))
  decipher.setAuthTag(stored.subarray(1 + ivBytes, frontBytes))
  const key = decipher.update(stored.subarray(frontBytes))
  try {
    decipher.final()
  } catch {
    throw new CryptoError('stored_key')
  }
  return key
}

/** Each part with its length in front, so that no two bindings have the same bytes. */
function associatedData({ tenant, owner, usage }: KeyBinding): Buffer {
  const parts = ['charsu stored key', String(formatVersion), tenant, owner, usage].flatMap(part => {
    const bytes = Buffer.from(part, 'utf8')
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return [length, bytes]
  })
  return Buffer.concat(parts)
}
