import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import type { RandomBytes } from './bytes.ts'
import { CryptoError } from './errors.ts'

/** Whose card number it is: moved to the row of another card or tenant, it does not open. */
interface PanBinding {
  readonly tenant: number
  /** 32 lower-case hexadecimal digits. */
  readonly token: string
}

const formatVersion = 1
const keyBytes = 32
const ivBytes = 12
const tagBytes = 16
const frontBytes = 1 + ivBytes + tagBytes
const panBytesMax = 19
const purpose = 'charsu pan vault 1'

/**
 * The key of the vault, by HKDF-SHA-256 (RFC 5869) from the PAN key. Whoever has that one finds every number by trying
 * them against the tokens, so that a vault under a key of its own would be another secret to keep and no more safety.
 */
export const vaultKeyOf = (panKey: KeyObject): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', panKey, Buffer.alloc(0), purpose, keyBytes)))

/**
 * A card number as it is stored: a version byte, 12 bytes of nonce, 16 of tag, and the digits, filled up to 19 bytes,
 * under AES-256-GCM (NIST SP 800-38D) with the binding as associated data. Always 48 bytes.
 */
export function sealPan(
  vaultKey: KeyObject,
  pan: string,
  binding: PanBinding,
  random: RandomBytes = randomBytes,
): Buffer {
  if (!/^[0-9]{12,19}$/.test(pan)) throw new CryptoError('pan')
  const iv = random(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', vaultKey, iv, { authTagLength: tagBytes })
  cipher.setAAD(associatedData(binding))
  const sealed = Buffer.concat([cipher.update(pan.padEnd(panBytesMax), 'latin1'), cipher.final()])
  return Buffer.concat([Buffer.from([formatVersion]), iv, cipher.getAuthTag(), sealed])
}

/** The card number of `sealPan`. Throws CryptoError `sealed_pan` if anything differs: bytes, binding or key. */
export function openPan(vaultKey: KeyObject, sealed: Buffer, binding: PanBinding): string {
  if (sealed.length !== frontBytes + panBytesMax || sealed[0] !== formatVersion) throw new CryptoError('sealed_pan')
  const iv = sealed.subarray(1, 1 + ivBytes)
  const decipher = createDecipheriv('aes-256-gcm', vaultKey, iv, { authTagLength: tagBytes })
  decipher.setAAD(associatedData(binding))
  decipher.setAuthTag(sealed.subarray(1 + ivBytes, frontBytes))
  const digits = decipher.update(sealed.subarray(frontBytes))
  try {
    decipher.final()
  } catch {
    throw new CryptoError('sealed_pan')
  }
  return digits.toString('latin1').trimEnd()
}

/** Tenant and token have no separator in them, so that no two bindings have the same bytes. */
const associatedData = ({ tenant, token }: PanBinding): Buffer => Buffer.from(`${purpose}|${tenant}|${token}`)
