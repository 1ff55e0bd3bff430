import type { Message } from '../codec/message.ts'
import type { PinVerdict } from '../core/commands.ts'
import type { KeySerialNumber } from '../crypto/dukpt.ts'
import { aesDukptKeys, aesInitialKey, readAesKsn } from '../crypto/dukpt-aes.ts'
import { readTdesKsn, tdesDukptKeys, tdesInitialKey } from '../crypto/dukpt-tdes.ts'
import { CryptoError } from '../crypto/errors.ts'
import type { OpenKey } from '../crypto/key-ring.ts'
import { decipherPin, type PinBlockFormat } from '../crypto/pin-translation.ts'
import { validationDataOf, verifyIbm3624, verifyVisaPvv } from '../crypto/pin-verification.ts'
import { type Keys, terminalOwner } from './mac-guard.ts'

export interface PinSettings {
  /** Whose PIN key: the terminal's, the listener's (a zone), or derived for each transaction (DUKPT). */
  readonly keys: 'terminal' | 'listener' | 'dukpt-tdes' | 'dukpt-aes'
  /** ISO 9564-1; 4 is for AES keys. */
  readonly format: PinBlockFormat
  /** Where the PIN block is: DE52, or another where 16 bytes do not fit there. */
  readonly element: number
  /** Where the key serial number of DUKPT is, as bytes or as hexadecimal text. */
  readonly ksnElement: number
  /** A purchase or inquiry without a PIN is refused as malformed. */
  readonly required: boolean
}

/** What the PIN of a card is checked against. `keyName`: which of the tenant's PIN verification keys. */
export interface PinData {
  readonly method: 'pvv' | 'ibm3624'
  readonly keyName: string
  readonly value: string
}

export interface PinSources {
  /** Null: nothing is stored for the card. */
  pinDataOf(tenant: number, token: string): Promise<PinData | null>
  /** Takes a DUKPT counter; false: it was used before. */
  takeCounter(use: { tenant: number; device: string; counter: number; request: string }): Promise<boolean>
}

interface PinQuestion {
  readonly message: Message
  readonly tenant: number
  readonly pan: string
  readonly token: string
  /** The key of the request, so that a repeat with the same PIN block is not taken for a replay. */
  readonly request: string
}

interface Deciphered {
  readonly pin: string
  readonly serial: KeySerialNumber | null
}

/** Turns the PIN block of a message into a verdict. PIN, block and keys do not leave it, not even in an error. */
export class PinCheck {
  readonly settings: PinSettings
  /** Keys that a PIN block could be read under, as `MacGuard.proved`. */
  readonly proved = new WeakSet<Buffer>()
  readonly #listener: string
  readonly #keys: Keys
  readonly #sources: PinSources

  constructor(settings: PinSettings, listener: string, keys: Keys, sources: PinSources) {
    this.settings = settings
    this.#listener = listener
    this.#keys = keys
    this.#sources = sources
  }

  isPresent({ fields }: Message): boolean {
    return fields[this.settings.element] !== undefined
  }

  /** Rejects if the PIN data cannot be read or the counter not be kept; nothing has happened then. */
  async verdictOf(question: PinQuestion): Promise<PinVerdict> {
    const { tenant, token, request } = question
    const deciphered = this.#decipher(question)
    // Only a block that can be read moves the counter: garbage with a high one must not lock the terminal out.
    if (deciphered === null) return 'unverifiable'
    const { pin, serial } = deciphered
    const [isFresh, data] = await Promise.all([
      serial === null || this.#take(tenant, serial, request),
      this.#sources.pinDataOf(tenant, token),
    ])
    if (!isFresh) return 'replayed'
    return data === null ? 'unverifiable' : this.#verify(question, pin, data)
  }

  #take(tenant: number, { initialKeyId, counter }: KeySerialNumber, request: string): Promise<boolean> {
    return this.#sources.takeCounter({ tenant, device: initialKeyId, counter, request })
  }

  #decipher({ message, tenant, pan }: PinQuestion): Deciphered | null {
    const { format, element } = this.settings
    const block = Buffer.from(message.fields[element] ?? '', 'hex')
    for (const { key, serial } of this.#pinKeysOf(message, tenant)) {
      const pin = unlessInvalid(() => decipherPin({ format, key }, block, pan))
      if (pin === null) continue
      this.proved.add(key)
      return { pin, serial }
    }
    return null
  }

  #pinKeysOf(message: Message, tenant: number): { key: Buffer; serial: KeySerialNumber | null }[] {
    const { keys, ksnElement } = this.settings
    const listener = `listener:${this.#listener}`
    if (keys === 'terminal' || keys === 'listener') {
      const owner = keys === 'terminal' ? terminalOwner(message) : listener
      return this.#keys.find({ tenant, owner, usage: 'pin', name: '' }).map(({ key }) => ({ key, serial: null }))
    }
    const digits = message.fields[ksnElement]?.trim() ?? ''
    if (!/^(?:[0-9A-Fa-f]{2})*$/.test(digits)) return []
    const ksn = Buffer.from(digits, 'hex')
    const isAes = keys === 'dukpt-aes'
    const serial = unlessInvalid(() => (isAes ? readAesKsn(ksn) : readTdesKsn(ksn)))
    if (serial === null) return []
    const own = this.#keys.findBase(tenant, listener, serial.initialKeyId)
    const bases = own.length > 0 ? own : this.#keys.findBase(tenant, 'tenant', serial.initialKeyId)
    return bases.flatMap(base => {
      const key = unlessInvalid(() =>
        isAes ? aesPinKey(base.key, ksn, this.settings.format) : tdesPinKey(base.key, ksn),
      )
      return key === null ? [] : [{ key, serial }]
    })
  }

  #verify({ tenant, pan }: PinQuestion, pin: string, { method, keyName, value }: PinData): PinVerdict {
    const keys = this.#keys.find({ tenant, owner: 'tenant', usage: method, name: keyName })
    const results = keys.map(key => unlessInvalid(() => isPinOf(key, pan, pin, { method, keyName, value })))
    if (results.includes(true)) return 'verified'
    return results.includes(false) ? 'wrong' : 'unverifiable'
  }
}

const tdesPinKey = (base: Buffer, ksn: Buffer): Buffer => tdesDukptKeys(tdesInitialKey(base, ksn), ksn).pin

/** Format 4 is enciphered under an AES key as long as the base key, the others under two-key triple DES. */
function aesPinKey(base: Buffer, ksn: Buffer, format: PinBlockFormat): Buffer {
  const aesType = ({ 16: 'aes-128', 24: 'aes-192', 32: 'aes-256' } as const)[base.length] ?? 'aes-128'
  return aesDukptKeys(aesInitialKey(base, ksn.subarray(0, 8)), ksn, format === 4 ? aesType : '2tdea').pin
}

function isPinOf({ key, settings }: OpenKey, pan: string, pin: string, { method, keyName, value }: PinData): boolean {
  if (method === 'pvv') return verifyVisaPvv({ key, keyIndex: keyName, pan }, pin, value)
  const { decimalisation, start, length, pad } = JSON.parse(settings ?? '{}') as Ibm3624Settings
  return verifyIbm3624(
    { key, decimalisation, validationData: validationDataOf(pan, { start, length, pad }) },
    pin,
    value,
  )
}

interface Ibm3624Settings {
  readonly decimalisation: string
  readonly start: number
  readonly length: number
  readonly pad: string
}

/** Null where what came from outside, or a key, is not usable. */
function unlessInvalid<Value>(compute: () => Value): Value | null {
  try {
    return compute()
  } catch (error) {
    if (error instanceof CryptoError) return null
    throw error
  }
}
