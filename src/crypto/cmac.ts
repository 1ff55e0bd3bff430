import {
  aesBlockBytes,
  aesCbcEncrypt,
  aesEncrypt,
  desBlockBytes,
  tdesCbcEncrypt,
  tdesEncrypt,
} from './block-ciphers.ts'

type CmacCipher = {
  readonly blockBytes: number
  /** What a doubling that overflows is reduced with: NIST SP 800-38B, section 5.3. */
  readonly reduction: number
  encrypt(key: Buffer, block: Buffer): Buffer
  encryptCbc(key: Buffer, iv: Buffer, data: Buffer): Buffer
}

const aes: CmacCipher = {
  blockBytes: aesBlockBytes,
  reduction: 0x87,
  encrypt: aesEncrypt,
  encryptCbc: aesCbcEncrypt,
}

const tdes: CmacCipher = {
  blockBytes: desBlockBytes,
  reduction: 0x1b,
  encrypt: tdesEncrypt,
  encryptCbc: tdesCbcEncrypt,
}

/** AES-CMAC (NIST SP 800-38B, RFC 4493), 16 bytes. Throws CryptoError `key_length`. */
export const aesCmac = (key: Buffer, data: Buffer): Buffer => cmac(aes, key, data)

/** CMAC with triple DES (NIST SP 800-38B; ANSI X9.143 version B uses it), 8 bytes. Throws CryptoError `key_length`. */
export const tdesCmac = (key: Buffer, data: Buffer): Buffer => cmac(tdes, key, data)

function cmac(cipher: CmacCipher, key: Buffer, data: Buffer): Buffer {
  const { blockBytes } = cipher
  const zero = Buffer.alloc(blockBytes)
  const blocks = Math.max(1, Math.ceil(data.length / blockBytes))
  const padded = Buffer.alloc(blocks * blockBytes)
  data.copy(padded)
  const wholeKey = double(cipher.encrypt(key, zero), cipher.reduction)
  const isWhole = data.length === padded.length
  if (!isWhole) padded[data.length] = 0x80
  const subkey = isWhole ? wholeKey : double(wholeKey, cipher.reduction)
  const last = padded.length - blockBytes
  for (let index = 0; index < blockBytes; index++) padded[last + index]! ^= subkey[index]!
  return cipher.encryptCbc(key, zero, padded).subarray(last)
}

/** Times x in the field of the block's size, without a branch on the secret. */
function double(block: Buffer, reduction: number): Buffer {
  const doubled = Buffer.alloc(block.length)
  let carry = 0
  for (let index = block.length - 1; index >= 0; index--) {
    const byte = block[index]!
    doubled[index] = (byte << 1) | carry
    carry = byte >> 7
  }
  doubled[block.length - 1]! ^= reduction * carry
  return doubled
}
