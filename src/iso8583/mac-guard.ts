import type { Dialect } from '../codec/dialect.ts'
import type { Message } from '../codec/message.ts'
import { CryptoError } from '../crypto/errors.ts'
import type { KeyPlace, OpenKey } from '../crypto/key-ring.ts'
import { computeMac, type MacMethod, verifyMac } from '../crypto/mac.ts'
import { codeOf } from './elements.ts'
import { kindOfMti } from './mti.ts'

/** The keys of the switch, as an edge asks for them: those that may be used now, the active one first. */
export interface Keys {
  find(place: KeyPlace): readonly OpenKey[]
  findBase(tenant: number, owner: string, initialKeyId: string): readonly OpenKey[]
}

export interface MacSettings {
  readonly method: MacMethod
  /** Whose MAC key: that of the terminal in DE41, or one for all of the listener. */
  readonly keys: 'terminal' | 'listener'
  /** A message without a MAC is refused too. 0800 may come without: it is how a terminal gets its key. */
  readonly required: boolean
}

/** `key`: what the answer is to be authenticated with; null: with nothing. */
export type MacCheck =
  | { readonly ok: true; readonly key: Buffer | null }
  | { readonly ok: false; readonly fault: 'missing' | 'no_key' | 'wrong' }

const macElements = [64, 128]
const withoutMac: MacCheck = { ok: true, key: null }

/** The owner of keys that a message's sender has: see `KeyPlace`. */
export const terminalOwner = ({ fields }: Message): string => `terminal:${codeOf(fields[41] ?? '')}`

/**
 * Message authentication of one listener: DE64, or DE128 where a later element is present, over everything from the MTI
 * up to it (ISO 8583:1987, section 4; ISO 16609).
 */
export class MacGuard {
  /** Keys that a right MAC has been seen under: whoever they were sent to has them. By the object that `Keys` gives. */
  readonly proved = new WeakSet<Buffer>()
  readonly #dialect: Dialect
  readonly #settings: MacSettings
  readonly #listener: string
  readonly #keys: Keys
  /** By element, its bytes on the wire. */
  readonly #wireBytes: ReadonlyMap<number, number>

  /** Throws an Error if the dialect has no DE64 or DE128 that can carry the MAC. */
  constructor(dialect: Dialect, settings: MacSettings, listener: string, keys: Keys) {
    this.#dialect = dialect
    this.#settings = settings
    this.#listener = listener
    this.#keys = keys
    this.#wireBytes = new Map(
      macElements.map(element => {
        const field = dialect.format.fields.get(element)
        const bytes = dialect.fixedWireBytesOf(element)
        if (field?.type !== 'b' || bytes === undefined) throw new Error(`the dialect's DE${element} cannot carry a MAC`)
        return [element, bytes]
      }),
    )
  }

  /** `body` is what `message` was read from, without an error. */
  check(message: Message, body: Buffer, tenant: number): MacCheck {
    const element = lastElementOf(message)
    const text = message.fields[element]
    const wireBytes = this.#wireBytes.get(element)
    if (wireBytes === undefined || text === undefined) {
      const isNeeded = this.#settings.required && kindOfMti(message.mti) !== 'network'
      return isNeeded ? { ok: false, fault: 'missing' } : withoutMac
    }
    const { method } = this.#settings
    const mac = Buffer.from(text, 'hex').subarray(0, method.bytes)
    const covered = body.subarray(this.#dialect.format.headerBytes, body.length - wireBytes)
    const keys = this.#keysOf(message, tenant)
    const key = keys.find(one => isMacOf(method, one, covered, mac))
    if (key === undefined) return { ok: false, fault: keys.length === 0 ? 'no_key' : 'wrong' }
    this.proved.add(key)
    return { ok: true, key }
  }

  /** The bytes of a message with its MAC. Throws CodecError for what the dialect cannot carry. */
  pack(message: Message, key: Buffer): Buffer {
    const element = lastElementOf(message) > macElements[0]! ? macElements[1]! : macElements[0]!
    const { method } = this.#settings
    const { format } = this.#dialect
    const digits = 2 * (format.fields.get(element)?.length ?? 0)
    message.fields[element] = '0'.repeat(digits)
    const bytes = this.#dialect.pack(message)
    const covered = bytes.subarray(format.headerBytes, bytes.length - this.#wireBytes.get(element)!)
    message.fields[element] = computeMac(method, key, covered).toString('hex').toUpperCase().padEnd(digits, '0')
    return this.#dialect.pack(message)
  }

  #keysOf(message: Message, tenant: number): Buffer[] {
    const owner = this.#settings.keys === 'terminal' ? terminalOwner(message) : `listener:${this.#listener}`
    const algorithm = this.#settings.method.algorithm === 'aes-cmac' ? 'aes' : 'tdes'
    const found = this.#keys.find({ tenant, owner, usage: 'mac', name: '' })
    return found.filter(one => one.algorithm === algorithm).map(({ key }) => key)
  }
}

function lastElementOf({ fields, composites }: Message): number {
  let last = fields.length - 1
  while (last > 0 && fields[last] === undefined) last--
  for (const element of composites?.keys() ?? []) last = Math.max(last, element)
  return last
}

function isMacOf(method: MacMethod, key: Buffer, covered: Buffer, mac: Buffer): boolean {
  try {
    return verifyMac(method, key, covered, mac)
  } catch (error) {
    // A key of a length that the method cannot use.
    if (error instanceof CryptoError) return false
    throw error
  }
}
