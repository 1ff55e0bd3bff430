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

/** A terminal that asks again and again would otherwise push its own good keys out of their overlap. */
const onceInMicros = 30_000_000
const keyBytes = 16

/**
 * Session keys by 0800 with DE70 101: new MAC and PIN keys of the terminal, each as a key block (ANSI X9.143) under its
 * master key, as `M:` or `P:`, key block, `:`, check value; two are parted by `;`.
 */
export class KeyExchange {
  readonly #settings: KeyExchangeSettings
  readonly #usages: readonly { mark: string; usage: 'mac' | 'pin'; blockUsage: string; algorithm: KeyAlgorithm }[]
  readonly #keys: Keys
  readonly #store: StoreKey
  readonly #now: () => Micros
  /** Only of terminals that have a master key, so it is bounded by the fleet. */
  readonly #lastAt = new Map<string, Micros>()

  constructor(
    settings: KeyExchangeSettings,
    { mac, pin }: { readonly mac?: MacSettings; readonly pin?: PinSettings },
    { keys, store, now }: { readonly keys: Keys; readonly store: StoreKey; now(): Micros },
  ) {
    this.#settings = settings
    this.#keys = keys
    this.#store = store
    this.#now = now
    this.#usages = [
      ...(mac?.keys !== 'terminal'
        ? []
        : mac.method.algorithm === 'aes-cmac'
          ? [{ mark: 'M', usage: 'mac', blockUsage: 'M6', algorithm: 'aes' } as const]
          : [{ mark: 'M', usage: 'mac', blockUsage: 'M3', algorithm: 'tdes' } as const]),
      ...(pin?.keys !== 'terminal'
        ? []
        : [{ mark: 'P', usage: 'pin', blockUsage: 'P0', algorithm: pin.format === 4 ? 'aes' : 'tdes' } as const]),
    ]
  }

  /** The answer to a key change. Rejects if the keys cannot be stored or protected; the old ones stay then. */
  async answer(message: Message, tenant: number): Promise<Reply> {
    const owner = terminalOwner(message)
    const [master] = this.#keys.find({ tenant, owner, usage: 'master', name: '' })
    if (master === undefined || this.#usages.length === 0) return replyTo(message, 'operation_not_allowed')
    const place = `${tenant}|${owner}`
    const now = this.#now()
    if (now - (this.#lastAt.get(place) ?? 0) < onceInMicros) return replyTo(message, 'switch_busy')
    this.#lastAt.set(place, now)
    const fresh = this.#usages.map(one => ({ ...one, key: newKey(one.algorithm) }))
    const entries = fresh.map(one => `${one.mark}:${blockOf(master, one)}:${checkValueOf(one)}`)
    for (const { usage, algorithm, key } of fresh) {
      await this.#store(
        { tenant, owner, usage, name: '' },
        { algorithm, key, settings: null },
        this.#settings.overlapSeconds,
      )
    }
    const reply = replyTo(message, 'approved')
    reply.message.fields[this.#settings.element] = entries.join(';')
    return reply
  }
}

interface FreshKey {
  readonly blockUsage: string
  readonly usage: 'mac' | 'pin'
  readonly algorithm: KeyAlgorithm
  readonly key: Buffer
}

const newKey = (algorithm: KeyAlgorithm): Buffer =>
  algorithm === 'tdes' ? withOddParity(randomBytes(keyBytes)) : randomBytes(keyBytes)

const checkValueOf = ({ algorithm, key }: FreshKey): string =>
  keyCheckValue(algorithm, key).toString('hex').toUpperCase()

function blockOf(master: OpenKey, { blockUsage, usage, algorithm, key }: FreshKey): string {
  const header = {
    version: master.algorithm === 'aes' ? 'D' : 'B',
    usage: blockUsage,
    algorithm: algorithm === 'aes' ? 'A' : 'T',
    // MAC keys work both ways, PIN keys encipher at the terminal.
    mode: usage === 'mac' ? 'C' : 'E',
    keyVersion: '00',
    exportability: 'N',
    reserved: '00',
    optionalBlocks: [],
  } as const
  return wrapKeyBlock(master.key, header, key)
}
