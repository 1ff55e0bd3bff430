import { randomBytes } from 'node:crypto'
import {
  aesBlockBytes,
  aesCbcDecrypt,
  aesCbcEncrypt,
  desBlockBytes,
  tdesCbcDecrypt,
  tdesCbcEncrypt,
} from './block-ciphers.ts'
import { equalBytes, type RandomBytes } from './bytes.ts'
import { aesCmac, tdesCmac } from './cmac.ts'
import { CryptoError } from './errors.ts'
import {
  type KeyBlockHeader,
  type KeyBlockVersion,
  readKeyBlockHeader,
  writeKeyBlockHeader,
} from './key-block-header.ts'
import { tdesCbcMac } from './mac.ts'

// Key blocks: ANSI X9.143:2021 and ASC X9 TR-31:2018.

type Method = {
  readonly blockBytes: number
  readonly macBytes: number
  encrypt(key: Buffer, iv: Buffer, data: Buffer): Buffer
  decrypt(key: Buffer, iv: Buffer, data: Buffer): Buffer
  /** The keys for encryption and for the MAC, from the protection key. */
  keys(protectionKey: Buffer): { encryption: Buffer; mac: Buffer }
  mac(key: Buffer, data: Buffer): Buffer
  /** Whether the MAC is over the encrypted key (A, C) or the clear one, when it is also the initial vector (B, D). */
  readonly isMacOverEncrypted: boolean
}

const byVariant: Method = {
  blockBytes: desBlockBytes,
  macBytes: 4,
  encrypt: tdesCbcEncrypt,
  decrypt: tdesCbcDecrypt,
  keys: key => ({ encryption: variantOf(key, 0x45), mac: variantOf(key, 0x4d) }),
  mac: (key, data) => tdesCbcMac(key, data, 1).subarray(0, 4),
  isMacOverEncrypted: true,
}

const methods: Readonly<Record<KeyBlockVersion, Method>> = {
  A: byVariant,
  B: {
    blockBytes: desBlockBytes,
    macBytes: desBlockBytes,
    encrypt: tdesCbcEncrypt,
    decrypt: tdesCbcDecrypt,
    keys: key => deriveKeys(key, tdesCmac, { 16: 0, 24: 1 }),
    mac: tdesCmac,
    isMacOverEncrypted: false,
  },
  C: byVariant,
  D: {
    blockBytes: aesBlockBytes,
    macBytes: aesBlockBytes,
    encrypt: aesCbcEncrypt,
    decrypt: aesCbcDecrypt,
    keys: key => deriveKeys(key, aesCmac, { 16: 2, 24: 3, 32: 4 }),
    mac: aesCmac,
    isMacOverEncrypted: false,
  },
}

/** The longest key of an algorithm, in bytes: short ones are filled up to it, so that the block does not tell which. */
const longestKeyBytes: Readonly<Record<string, number>> = { T: 24, A: 32 }

/**
 * A key block, version B (protection key of 16 or 24 bytes, triple DES) or D (16, 24 or 32 bytes, AES), as text.
 * `paddedKeyBytes` is the length up to which random bytes hide that of the key, by default the longest of its
 * algorithm. Throws CryptoError `key_block_version`, `key_block_format` for a header that is not valid, `key_length`,
 * or `key_strength` for a symmetric key longer than the protection key.
 */
export function wrapKeyBlock(
  protectionKey: Buffer,
  header: KeyBlockHeader,
  key: Buffer,
  { paddedKeyBytes = longestKeyBytes[header.algorithm] ?? 0, random = randomBytes as RandomBytes } = {},
): string {
  if (header.version !== 'B' && header.version !== 'D') throw new CryptoError('key_block_version')
  const method = methods[header.version]
  const keys = method.keys(protectionKey)
  checkStrength(header, key, protectionKey)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(key.length * 8)
  const clearBytes = roundUp(2 + Math.max(key.length, paddedKeyBytes), method.blockBytes)
  const clear = Buffer.concat([length, key, random(clearBytes - 2 - key.length)])
  const text = writeKeyBlockHeader(header, (clearBytes + method.macBytes) * 2, method.blockBytes)
  const mac = method.mac(keys.mac, Buffer.concat([Buffer.from(text, 'latin1'), clear]))
  return text + hexOf(method.encrypt(keys.encryption, mac, clear)) + hexOf(mac)
}

/**
 * The header and the key of a key block of version A, B, C or D. Throws CryptoError `key_block_format` with the
 * position in the text, `key_block_mac` if it was altered or is under another key, `key_length` if the protection key
 * does not suit the version.
 */
export function unwrapKeyBlock(protectionKey: Buffer, block: string): { header: KeyBlockHeader; key: Buffer } {
  const { header, end } = readKeyBlockHeader(block)
  const method = methods[header.version]
  const keys = method.keys(protectionKey)
  const macAt = block.length - method.macBytes * 2
  if (macAt <= end || (macAt - end) % (method.blockBytes * 2) !== 0) throw new CryptoError('key_block_format', end)
  const encrypted = readHexBytes(block, end, macAt)
  const mac = readHexBytes(block, macAt, block.length)
  const front = Buffer.from(block.slice(0, end), 'latin1')
  const iv = method.isMacOverEncrypted ? front.subarray(0, desBlockBytes) : mac
  const clear = method.decrypt(keys.encryption, iv, encrypted)
  const covered = method.isMacOverEncrypted ? encrypted : clear
  if (!equalBytes(method.mac(keys.mac, Buffer.concat([front, covered])), mac)) throw new CryptoError('key_block_mac')
  return { header, key: readClearKey(clear, end) }
}

function readClearKey(clear: Buffer, at: number): Buffer {
  const bits = clear.readUInt16BE()
  if (bits === 0 || bits % 8 !== 0 || bits / 8 > clear.length - 2) throw new CryptoError('key_block_format', at)
  return Buffer.from(clear.subarray(2, 2 + bits / 8))
}

/** Upper-case hexadecimal, as the standard has it; `Buffer.from` would stop at a wrong digit without a word. */
function readHexBytes(block: string, from: number, to: number): Buffer {
  const text = block.slice(from, to)
  if (!/^[0-9A-F]*$/.test(text)) throw new CryptoError('key_block_format', from)
  return Buffer.from(text, 'hex')
}

function checkStrength({ version, algorithm }: KeyBlockHeader, key: Buffer, protectionKey: Buffer) {
  if (key.length === 0 || key.length * 8 > 0xffff) throw new CryptoError('key_length')
  // Any AES key is stronger than any triple DES key; other algorithms cannot be compared by their lengths.
  const compared = version === 'D' ? 'A' : 'T'
  const isTooStrong = version === 'B' && algorithm === 'A'
  if (isTooStrong || (algorithm === compared && key.length > protectionKey.length)) {
    throw new CryptoError('key_strength')
  }
}

function variantOf(key: Buffer, mask: number): Buffer {
  return Buffer.from(key.map(byte => byte ^ mask))
}

/** ANSI X9.143, section 7.3.1: CMAC over a counter, the usage (0 encryption, 1 MAC), the algorithm and the length. */
function deriveKeys(
  protectionKey: Buffer,
  cmac: (key: Buffer, data: Buffer) => Buffer,
  algorithms: Readonly<Record<number, number>>,
) {
  const algorithm = algorithms[protectionKey.length]
  if (algorithm === undefined) throw new CryptoError('key_length')
  const derive = (usage: 0 | 1) => {
    let key = Buffer.alloc(0)
    for (let counter = 1; key.length < protectionKey.length; counter++) {
      const data = Buffer.from([counter, 0, usage, 0, 0, algorithm, 0, 0])
      data.writeUInt16BE(protectionKey.length * 8, 6)
      key = Buffer.concat([key, cmac(protectionKey, data)])
    }
    return key.subarray(0, protectionKey.length)
  }
  return { encryption: derive(0), mac: derive(1) }
}

const hexOf = (bytes: Buffer) => bytes.toString('hex').toUpperCase()

const roundUp = (value: number, multiple: number) => Math.ceil(value / multiple) * multiple
