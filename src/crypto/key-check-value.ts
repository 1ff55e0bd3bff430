import { tdesEncrypt } from './block-ciphers.ts'
import { equalBytes } from './bytes.ts'
import { aesCmac } from './cmac.ts'

export type KeyAlgorithm = 'tdes' | 'aes'

/** An operator may give fewer bytes than there are, but not so few that a wrong key passes. */
const givenBytesMin = 3

/**
 * The check value of a key: for triple DES the first 3 bytes of a zero block under it, for AES the first 5 of the CMAC
 * of one. ANSI X9.24-1:2017, annex A. It tells nothing of the key. Throws CryptoError `key_length`.
 */
export function keyCheckValue(algorithm: KeyAlgorithm, key: Buffer): Buffer {
  if (algorithm === 'aes') return aesCmac(key, Buffer.alloc(16)).subarray(0, 5)
  return tdesEncrypt(key, Buffer.alloc(8)).subarray(0, 3)
}

/** Whether `given` are the first bytes, at least 3, of the key's check value; in constant time. */
export function matchesCheckValue(algorithm: KeyAlgorithm, key: Buffer, given: Buffer): boolean {
  if (given.length < givenBytesMin) return false
  return equalBytes(keyCheckValue(algorithm, key).subarray(0, given.length), given)
}
