import { desBlockBytes, desCbcEncrypt, tdesCbcEncrypt, tdesEncrypt } from './block-ciphers.ts'
import { equalBytes, xor } from './bytes.ts'
import { aesCmac } from './cmac.ts'
import { CryptoError } from './errors.ts'

/** The padding methods of ISO/IEC 9797-1, section 6.3: zeros, a one bit and zeros, the length in front and zeros. */
export type MacPadding = 1 | 2 | 3

/** How a link is authenticated; `bytes` are the leftmost of the MAC. CMAC has a padding of its own. */
export type MacMethod =
  | { readonly algorithm: 'retail' | 'tdes-cbc'; readonly padding: MacPadding; readonly bytes: 4 | 8 }
  | { readonly algorithm: 'aes-cmac'; readonly bytes: 4 | 8 }

/** The MAC of `data`, 4 or 8 bytes. Throws CryptoError `key_length` if the key does not suit the algorithm. */
export function computeMac(method: MacMethod, key: Buffer, data: Buffer): Buffer {
  return fullMac(method, key, data).subarray(0, method.bytes)
}

/** Whether `mac` is the MAC of `data`, of the method's own length; in constant time. Throws as `computeMac` does. */
export function verifyMac(method: MacMethod, key: Buffer, data: Buffer, mac: Buffer): boolean {
  return equalBytes(computeMac(method, key, data), mac)
}

function fullMac(method: MacMethod, key: Buffer, data: Buffer): Buffer {
  if (method.algorithm === 'aes-cmac') return aesCmac(key, data)
  return method.algorithm === 'retail' ? retailMac(key, data, method.padding) : tdesCbcMac(key, data, method.padding)
}

/**
 * Retail MAC: ISO/IEC 9797-1 algorithm 3 with DES, which with padding 1 is ANSI X9.19; 8 bytes. The key is 16 bytes, K
 * and K'. Throws CryptoError `key_length`.
 */
export function retailMac(key: Buffer, data: Buffer, padding: MacPadding): Buffer {
  if (key.length !== 16) throw new CryptoError('key_length')
  const padded = padForMac(data, padding)
  const last = padded.length - desBlockBytes
  const front = desCbcEncrypt(key.subarray(0, 8), zeroBlock, padded.subarray(0, last))
  const chained = last === 0 ? zeroBlock : front.subarray(last - desBlockBytes)
  // The last DES of the chain and the output transformation together are one triple DES.
  return tdesEncrypt(key, xor(padded.subarray(last), chained))
}

/** Triple DES CBC-MAC: ISO/IEC 9797-1 algorithm 1, 8 bytes. The key has 16 or 24, else CryptoError `key_length`. */
export function tdesCbcMac(key: Buffer, data: Buffer, padding: MacPadding): Buffer {
  return tdesCbcEncrypt(key, zeroBlock, padForMac(data, padding)).subarray(-desBlockBytes)
}

/** `data` padded to whole blocks of 8 bytes, at least one: ISO/IEC 9797-1, section 6.3. */
export function padForMac(data: Buffer, padding: MacPadding): Buffer {
  const front = padding === 3 ? desBlockBytes : 0
  const dataBytes = padding === 2 ? data.length + 1 : Math.max(1, data.length)
  const padded = Buffer.alloc(front + Math.ceil(dataBytes / desBlockBytes) * desBlockBytes)
  data.copy(padded, front)
  if (padding === 2) padded[data.length] = 0x80
  if (padding === 3) padded.writeBigUInt64BE(BigInt(data.length) * 8n)
  return padded
}

const zeroBlock = Buffer.alloc(desBlockBytes)
