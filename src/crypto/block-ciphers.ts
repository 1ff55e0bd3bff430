import { createCipheriv, createDecipheriv } from 'node:crypto'
import { CryptoError } from './errors.ts'

export const desBlockBytes = 8
export const aesBlockBytes = 16

/**
 * DES and triple DES (NIST SP 800-67), AES (FIPS 197), in ECB and CBC mode (NIST SP 800-38A), without padding. Keys:
 * 16 or 24 bytes for triple DES, 16, 24 or 32 for AES, 8 for DES; parity bits do not matter. Each throws CryptoError
 * `key_length`, or `data_length` if the data is not whole blocks.
 */
export const tdesEncrypt = (key: Buffer, data: Buffer): Buffer => encrypt('des-ede3-ecb', tdesKey(key), null, data)
export const tdesDecrypt = (key: Buffer, data: Buffer): Buffer => decrypt('des-ede3-ecb', tdesKey(key), null, data)
export const tdesCbcEncrypt = (key: Buffer, iv: Buffer, data: Buffer): Buffer =>
  encrypt('des-ede3-cbc', tdesKey(key), iv, data)
export const tdesCbcDecrypt = (key: Buffer, iv: Buffer, data: Buffer): Buffer =>
  decrypt('des-ede3-cbc', tdesKey(key), iv, data)

export const aesEncrypt = (key: Buffer, data: Buffer): Buffer => encrypt(aes(key, 'ecb'), key, null, data)
export const aesDecrypt = (key: Buffer, data: Buffer): Buffer => decrypt(aes(key, 'ecb'), key, null, data)
export const aesCbcEncrypt = (key: Buffer, iv: Buffer, data: Buffer): Buffer => encrypt(aes(key, 'cbc'), key, iv, data)
export const aesCbcDecrypt = (key: Buffer, iv: Buffer, data: Buffer): Buffer => decrypt(aes(key, 'cbc'), key, iv, data)

export const desEncrypt = (key: Buffer, data: Buffer): Buffer => encrypt('des-ede3-ecb', desKey(key), null, data)
export const desCbcEncrypt = (key: Buffer, iv: Buffer, data: Buffer): Buffer =>
  encrypt('des-ede3-cbc', desKey(key), iv, data)

function tdesKey(key: Buffer): Buffer {
  if (key.length === 24) return key
  if (key.length === 16) return Buffer.concat([key, key.subarray(0, 8)])
  throw new CryptoError('key_length')
}

/** OpenSSL 3 has DES in its legacy provider only, which Node does not load; three equal keys undo each other to one. */
function desKey(key: Buffer): Buffer {
  if (key.length !== 8) throw new CryptoError('key_length')
  return Buffer.concat([key, key, key])
}

function aes(key: Buffer, mode: 'ecb' | 'cbc'): string {
  if (key.length !== 16 && key.length !== 24 && key.length !== 32) throw new CryptoError('key_length')
  return `aes-${key.length * 8}-${mode}`
}

const blockBytesOf = (cipher: string) => (cipher.startsWith('aes') ? aesBlockBytes : desBlockBytes)

function encrypt(cipher: string, key: Buffer, iv: Buffer | null, data: Buffer): Buffer {
  if (data.length % blockBytesOf(cipher) !== 0) throw new CryptoError('data_length')
  return createCipheriv(cipher, key, iv).setAutoPadding(false).update(data)
}

function decrypt(cipher: string, key: Buffer, iv: Buffer | null, data: Buffer): Buffer {
  if (data.length % blockBytesOf(cipher) !== 0) throw new CryptoError('data_length')
  return createDecipheriv(cipher, key, iv).setAutoPadding(false).update(data)
}
