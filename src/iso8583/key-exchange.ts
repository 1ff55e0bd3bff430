import { randomBytes } from 'node:crypto'
import type { Message } from '../codec/message.ts'
import type { Micros } from '../core/ids.ts'
import { wrapKeyBlock } from '../crypto/key-block.ts'
import { type KeyAlgorithm, keyCheckValue } from '../crypto/key-check-value.ts'
import { withOddParity } from '../crypto/key-components.ts'
import type { KeyPlace, OpenKey } from '../crypto/key-ring.ts'
import { type Keys, type MacSettings, terminalOwner } from './mac-guard.ts'
import type { PinSettings } from './pin-check.ts'
import { type Reply, replyTo } from './reply.ts'

export interface KeyExchangeSettings {
  /** The element of the answer with the new keys. */
  readonly element: number
  /** How long the keys before are still taken: the terminal may not get the answer. */
  readonly overlapSeconds: number
}

/** Makes a key the active one of its place, for every switch. */
export type StoreKey = (place: KeyPlace, key: OpenKey, overlapSeconds: number) => Promise<void>

interface KeyExchangeDeps {
  readonly keys: Keys
  readonly store: StoreKey
  now(): Micros
  /** Whether the terminal is known to have a key: it has used it. Not known is no harm: it is sent once more. */
  isProved(key: Buffer): boolean
}

/** A terminal that asks again and again would otherwise push its own good keys out of their overlap. */
const onceInMicros = 30_000_000
/** Of one terminal and usage, the active one and those that are retiring: each is tried on a MAC that is wrong. */
export const keysInUseMax = 8
const keyBytes = 16
/** In the settings of a key that was made here, so that every switch knows that the terminal may not have it yet. */
export const madeByExchange = '{"madeBy":"exchange"}'

interface Usage {
  readonly mark: 'M' | 'P'
  readonly usage: 'mac' | 'pin'
  /** ANSI X9.143, table 2. */
  readonly blockUsage: string
  readonly algorithm: KeyAlgorithm
}

/** What a terminal has of one usage: all, and those of the listener's algorithm; the newest first. */
interface Held extends Usage {
  readonly all: readonly OpenKey[]
  readonly usable: readonly OpenKey[]
}

/**
 * Session keys by 0800 with DE70 101: new MAC and PIN keys of the terminal, each as a key block (ANSI X9.143) under its
 * master key, as `M:` or `P:`, key block, `:`, check value; two are parted by `;`.
 *
 * The request has a MAC, unless the terminal has no MAC key yet. New keys are made only when the newest ones have been
 * used; before that the same ones are sent again, which changes nothing, so that neither a flood nor a request that was
 * recorded can push out the keys that a terminal works with.
 */
export class KeyExchange {
  readonly #settings: KeyExchangeSettings
  readonly #macKeys: MacSettings['keys']
  readonly #usages: readonly Usage[]
  readonly #deps: KeyExchangeDeps
  /** Only of terminals that have a master key, so it is bounded by the fleet. */
  readonly #lastAt = new Map<string, Micros>()

  constructor(
    settings: KeyExchangeSettings,
    { mac, pin }: { readonly mac: MacSettings; readonly pin?: PinSettings | undefined },
    deps: KeyExchangeDeps,
  ) {
    this.#settings = settings
    this.#macKeys = mac.keys
    this.#deps = deps
    const isAesMac = mac.method.algorithm === 'aes-cmac'
    const macUsage = { mark: 'M', usage: 'mac', blockUsage: isAesMac ? 'M6' : 'M3' } as const
    const pinUsage = { mark: 'P', usage: 'pin', blockUsage: 'P0' } as const
    this.#usages = [
      ...(mac.keys === 'terminal' ? [{ ...macUsage, algorithm: algorithmOf(isAesMac) }] : []),
      ...(pin?.keys === 'terminal' ? [{ ...pinUsage, algorithm: algorithmOf(pin.format === 4) }] : []),
    ]
  }

  /**
   * The answer to a key change. `macKey`: what the request was authenticated with; null: with nothing. Rejects if the
   * keys cannot be stored or protected; the old ones stay then.
   */
  async answer(message: Message, tenant: number, macKey: Buffer | null): Promise<Reply> {
    const { keys, isProved } = this.#deps
    const owner = terminalOwner(message)
    const [master] = keys.find({ tenant, owner, usage: 'master', name: '' })
    const held = this.#usages.map((one): Held => {
      const all = keys.find({ tenant, owner, usage: one.usage, name: '' })
      return { ...one, all, usable: all.filter(({ algorithm }) => algorithm === one.algorithm) }
    })
    const [first] = held
    if (master === undefined || first === undefined) return replyTo(message, 'operation_not_allowed')
    const [newest] = first.usable
    const isPending = newest !== undefined && !isProved(newest.key)
    if (!this.#mayAsk(first, isPending, macKey)) return replyTo(message, 'mac_invalid')

    const given = held.map(({ usable: [key], ...one }) => ({ ...one, key: isPending ? key : undefined }))
    if (given.some(({ key }) => key === undefined)) {
      const isFull = held.some(({ all }) => all.length >= keysInUseMax)
      if (isFull || !this.#takeTurn(`${tenant}|${owner}`)) return replyTo(message, 'switch_busy')
    }
    const fresh = given.map(one => ({ ...one, key: one.key ?? newKey(one.algorithm), isNew: one.key === undefined }))
    const entries = fresh.map(one => `${one.mark}:${blockOf(master, one)}:${checkValueOf(one.key)}`)
    for (const { usage, key, isNew } of fresh) {
      if (isNew) await this.#deps.store({ tenant, owner, usage, name: '' }, key, this.#settings.overlapSeconds)
    }
    const reply = replyTo(message, 'approved')
    reply.message.fields[this.#settings.element] = entries.join(';')
    return reply
  }

  #mayAsk({ usage, all, usable: [newest] }: Held, isPending: boolean, macKey: Buffer | null): boolean {
    if (this.#macKeys === 'listener' || usage !== 'mac') return macKey !== null
    // A request under an older key, when the newest is in use, is one that was recorded.
    if (macKey !== null) return isPending || macKey === newest?.key
    // It has no key yet, or none but one that was sent and may have been lost.
    return all.length === 0 || (all.length === 1 && isPending && newest?.settings === madeByExchange)
  }

  #takeTurn(place: string): boolean {
    const now = this.#deps.now()
    if (now - (this.#lastAt.get(place) ?? 0) < onceInMicros) return false
    this.#lastAt.set(place, now)
    return true
  }
}

const algorithmOf = (isAes: boolean): KeyAlgorithm => (isAes ? 'aes' : 'tdes')

const newKey = (algorithm: KeyAlgorithm): OpenKey => ({
  algorithm,
  key: algorithm === 'tdes' ? withOddParity(randomBytes(keyBytes)) : randomBytes(keyBytes),
  settings: madeByExchange,
})

const checkValueOf = ({ algorithm, key }: OpenKey): string =>
  keyCheckValue(algorithm, key).toString('hex').toUpperCase()

function blockOf(master: OpenKey, { blockUsage, usage, key }: Pick<Usage, 'blockUsage' | 'usage'> & { key: OpenKey }) {
  const header = {
    version: master.algorithm === 'aes' ? 'D' : 'B',
    usage: blockUsage,
    algorithm: key.algorithm === 'aes' ? 'A' : 'T',
    // MAC keys work both ways, PIN keys encipher at the terminal.
    mode: usage === 'mac' ? 'C' : 'E',
    keyVersion: '00',
    exportability: 'N',
    reserved: '00',
    optionalBlocks: [],
  } as const
  return wrapKeyBlock(master.key, header, key.key)
}
