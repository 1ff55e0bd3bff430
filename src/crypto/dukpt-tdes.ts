import { desEncrypt, tdesEncrypt } from './block-ciphers.ts'
import { xor } from './bytes.ts'
import { type CounterRule, checkCounter, type DukptKeys, type KeySerialNumber, nextCounter, pathOf } from './dukpt.ts'
import { CryptoError } from './errors.ts'

// DUKPT with triple DES, as the receiving host: ANSI X9.24-1:2009, annex A. Keys are 16 bytes.

const counterRule: CounterRule = { bits: 21, onesMax: 10 }
const counterMask = 0x1fffff
const ksnBytes = 10
const keyBytes = 16

/** Splits the 10 bytes; shorter ones must have been filled with F on the left. Throws CryptoError `ksn`. */
export function readTdesKsn(ksn: Buffer): KeySerialNumber {
  if (ksn.length !== ksnBytes) throw new CryptoError('ksn')
  const counter = ksn.readUIntBE(ksnBytes - 3, 3) & counterMask
  checkCounter(counter, counterRule)
  return { initialKeyId: withCounter(ksn, 0).toString('hex').toUpperCase(), counter }
}

/** The KSN of a terminal's next transaction, from its last one or from the initial one, whose counter is 0; or null. */
export function nextTdesKsn(ksn: Buffer): Buffer | null {
  if (ksn.length !== ksnBytes) throw new CryptoError('ksn')
  const next = nextCounter(ksn.readUIntBE(ksnBytes - 3, 3) & counterMask, counterRule)
  return next === null ? null : withCounter(ksn, next)
}

/** A terminal's initial key (IPEK), annex A.6. Throws CryptoError `ksn` or `key_length`. */
export function tdesInitialKey(baseKey: Buffer, ksn: Buffer): Buffer {
  if (ksn.length !== ksnBytes) throw new CryptoError('ksn')
  if (baseKey.length !== keyBytes) throw new CryptoError('key_length')
  const serial = withCounter(ksn, 0).subarray(0, 8)
  return Buffer.concat([tdesEncrypt(baseKey, serial), tdesEncrypt(xor(baseKey, leftHalfMask), serial)])
}

/** The key of one transaction, from which no other can be had. Throws CryptoError `ksn` or `key_length`. */
export function tdesTransactionKey(initialKey: Buffer, ksn: Buffer): Buffer {
  if (initialKey.length !== keyBytes) throw new CryptoError('key_length')
  const { counter } = readTdesKsn(ksn)
  return pathOf(counter, counterRule).reduce(
    (key, reached) => nonReversibleKey(key, withCounter(ksn, reached).subarray(2)),
    initialKey,
  )
}

/** The working keys of one transaction, annex A.4.1: variants, and for data a one-way step. Throws as above. */
export function tdesDukptKeys(initialKey: Buffer, ksn: Buffer): DukptKeys {
  const key = tdesTransactionKey(initialKey, ksn)
  return {
    pin: xor(key, variants.pin),
    macRequest: xor(key, variants.macRequest),
    macResponse: xor(key, variants.macResponse),
    dataRequest: underItself(xor(key, variants.dataRequest)),
    dataResponse: underItself(xor(key, variants.dataResponse)),
  }
}

const leftHalfMask = Buffer.from('C0C0C0C000000000C0C0C0C000000000', 'hex')

const variants = {
  pin: Buffer.from('00000000000000FF00000000000000FF', 'hex'),
  macRequest: Buffer.from('000000000000FF00000000000000FF00', 'hex'),
  macResponse: Buffer.from('00000000FF00000000000000FF000000', 'hex'),
  dataRequest: Buffer.from('0000000000FF00000000000000FF0000', 'hex'),
  dataResponse: Buffer.from('000000FF00000000000000FF00000000', 'hex'),
}

const underItself = (key: Buffer) => tdesEncrypt(key, key)

function withCounter(ksn: Buffer, counter: number): Buffer {
  const changed = Buffer.from(ksn)
  const device = ksn.readUIntBE(ksnBytes - 3, 3) & ~counterMask
  changed.writeUIntBE(device | counter, ksnBytes - 3, 3)
  return changed
}

/** The non-reversible key generation of annex A.2; `register` is the KSN's right 8 bytes, with the counter so far. */
function nonReversibleKey(key: Buffer, register: Buffer): Buffer {
  return Buffer.concat([halfKey(xor(key, leftHalfMask), register), halfKey(key, register)])
}

function halfKey(key: Buffer, register: Buffer): Buffer {
  const right = key.subarray(8)
  return xor(desEncrypt(key.subarray(0, 8), xor(register, right)), right)
}
