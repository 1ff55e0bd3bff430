import { aesEncrypt } from './block-ciphers.ts'
import { type CounterRule, checkCounter, type DukptKeys, type KeySerialNumber, nextCounter, pathOf } from './dukpt.ts'
import { CryptoError } from './errors.ts'

// DUKPT with AES, as the receiving host: ANSI X9.24-3:2017, section 6.

const counterRule: CounterRule = { bits: 32, onesMax: 16 }
const ksnBytes = 12
const initialKeyIdBytes = 8

/** Table 2: what a derived key is for. Generation and encryption are the terminal's side, so the request. */
const usages = {
  keyEncryption: 0x0002,
  pin: 0x1000,
  macRequest: 0x2000,
  macResponse: 0x2001,
  macBoth: 0x2002,
  dataRequest: 0x3000,
  dataResponse: 0x3001,
  dataBoth: 0x3002,
  derivation: 0x8000,
  initialKey: 0x8001,
} as const

type AesDukptUsage = Exclude<keyof typeof usages, 'derivation' | 'initialKey'>

/** Table 3: the algorithm of a derived key, and its length. */
const keyTypes = {
  '2tdea': { indicator: 0x0000, bits: 128 },
  '3tdea': { indicator: 0x0001, bits: 192 },
  'aes-128': { indicator: 0x0002, bits: 128 },
  'aes-192': { indicator: 0x0003, bits: 192 },
  'aes-256': { indicator: 0x0004, bits: 256 },
  'hmac-128': { indicator: 0x0005, bits: 128 },
  'hmac-192': { indicator: 0x0005, bits: 192 },
  'hmac-256': { indicator: 0x0005, bits: 256 },
} as const

export type AesDukptKeyType = keyof typeof keyTypes

/** Splits the 12 bytes. Throws CryptoError `ksn`. */
export function readAesKsn(ksn: Buffer): KeySerialNumber {
  if (ksn.length !== ksnBytes) throw new CryptoError('ksn')
  const counter = ksn.readUInt32BE(initialKeyIdBytes)
  checkCounter(counter, counterRule)
  return { initialKeyId: ksn.subarray(0, initialKeyIdBytes).toString('hex').toUpperCase(), counter }
}

/** The KSN of a terminal's next transaction, from its last one or from the initial one, whose counter is 0; or null. */
export function nextAesKsn(ksn: Buffer): Buffer | null {
  if (ksn.length !== ksnBytes) throw new CryptoError('ksn')
  const next = nextCounter(ksn.readUInt32BE(initialKeyIdBytes), counterRule)
  if (next === null) return null
  const changed = Buffer.from(ksn)
  changed.writeUInt32BE(next, initialKeyIdBytes)
  return changed
}

/** A terminal's initial key, as long as the base key (16, 24 or 32 bytes). Throws CryptoError `ksn` or `key_length`. */
export function aesInitialKey(baseKey: Buffer, initialKeyId: Buffer): Buffer {
  if (initialKeyId.length !== initialKeyIdBytes) throw new CryptoError('ksn')
  return deriveKey(baseKey, 'initialKey', typeOfKey(baseKey), initialKeyId)
}

/** The derivation key of one transaction, as long as the initial key. Throws CryptoError `ksn` or `key_length`. */
export function aesTransactionKey(initialKey: Buffer, ksn: Buffer): Buffer {
  const { counter } = readAesKsn(ksn)
  const type = typeOfKey(initialKey)
  return pathOf(counter, counterRule).reduce(
    (key, reached) => deriveKey(key, 'derivation', type, contextOf(ksn, reached)),
    initialKey,
  )
}

/**
 * A working key of one transaction. Throws CryptoError `key_strength` for one longer than the initial key, and as
 * `aesTransactionKey` does.
 */
export function aesWorkingKey(initialKey: Buffer, ksn: Buffer, usage: AesDukptUsage, type: AesDukptKeyType): Buffer {
  return workingKey(aesTransactionKey(initialKey, ksn), ksn, usage, type)
}

/** The usual working keys of one transaction, all of one type. Throws as `aesWorkingKey` does. */
export function aesDukptKeys(initialKey: Buffer, ksn: Buffer, type: AesDukptKeyType): DukptKeys {
  const key = aesTransactionKey(initialKey, ksn)
  return {
    pin: workingKey(key, ksn, 'pin', type),
    macRequest: workingKey(key, ksn, 'macRequest', type),
    macResponse: workingKey(key, ksn, 'macResponse', type),
    dataRequest: workingKey(key, ksn, 'dataRequest', type),
    dataResponse: workingKey(key, ksn, 'dataResponse', type),
  }
}

function workingKey(key: Buffer, ksn: Buffer, usage: AesDukptUsage, type: AesDukptKeyType): Buffer {
  // A triple DES key of 192 bits has the strength of 112.
  if (!type.endsWith('tdea') && keyTypes[type].bits > key.length * 8) throw new CryptoError('key_strength')
  return deriveKey(key, usage, type, contextOf(ksn, ksn.readUInt32BE(initialKeyIdBytes)))
}

function typeOfKey(key: Buffer): AesDukptKeyType {
  if (key.length === 16) return 'aes-128'
  if (key.length === 24) return 'aes-192'
  if (key.length === 32) return 'aes-256'
  throw new CryptoError('key_length')
}

/** The right half of the initial key id, and the counter. */
function contextOf(ksn: Buffer, counter: number): Buffer {
  const context = Buffer.from(ksn.subarray(initialKeyIdBytes / 2))
  context.writeUInt32BE(counter, initialKeyIdBytes / 2)
  return context
}

/** Sections 6.3.2 and 6.3.3: one block of derivation data for every 16 bytes of the key, under AES. */
function deriveKey(key: Buffer, usage: keyof typeof usages, type: AesDukptKeyType, context: Buffer): Buffer {
  const { indicator, bits } = keyTypes[type]
  const blocks = Array.from({ length: Math.ceil(bits / 128) }, (_, index) => {
    const data = Buffer.alloc(16)
    data[0] = 1
    data[1] = index + 1
    data.writeUInt16BE(usages[usage], 2)
    data.writeUInt16BE(indicator, 4)
    data.writeUInt16BE(bits, 6)
    context.copy(data, 8)
    return data
  })
  return aesEncrypt(key, Buffer.concat(blocks)).subarray(0, bits / 8)
}
