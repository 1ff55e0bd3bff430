import type { KeyObject } from 'node:crypto'
import { type KeyAlgorithm, keyCheckValue } from './key-check-value.ts'
import { encryptStoredKey } from './key-encryption.ts'
import { bindingOf, type KeyPlace, KeyRing, type OpenKey, type StoredKey } from './key-ring.ts'

/** A key as the database gives it: the secret in hexadecimal, and when the row last changed. */
type KeyRecord = Omit<StoredKey, 'secret'> & { readonly secret: string | null; readonly changedAt: number }

/** A key as it is stored: check value and encrypted secret in hexadecimal. */
interface EncryptedKey extends KeyPlace {
  readonly algorithm: KeyAlgorithm
  readonly checkValue: string
  readonly secret: string
  readonly settings: string | null
}

interface LiveKeysOptions {
  readonly keyEncryptionKey: KeyObject
  /** Microseconds since 1970. */
  now(): number
  /** Keys that have changed since then. */
  read(since: number): Promise<readonly KeyRecord[]>
  /** Makes a key the active one of its place; the one before is taken for so long. */
  write(key: EncryptedKey, overlapSeconds: number): Promise<unknown>
  /** Gets the id of a key that was altered, or is under another key-encryption key. */
  onUnreadable(id: number): void
}

/** The keys in memory, which follow those in the database. */
export class LiveKeys {
  readonly ring: KeyRing
  readonly #options: LiveKeysOptions
  #since = 0

  constructor(options: LiveKeysOptions) {
    this.#options = options
    this.ring = new KeyRing(options.keyEncryptionKey, options.now, options.onUnreadable)
  }

  async refresh(): Promise<void> {
    const records = await this.#options.read(this.#since)
    for (const { changedAt } of records) this.#since = Math.max(this.#since, changedAt)
    this.ring.apply(
      records.map(one => ({ ...one, secret: one.secret === null ? null : Buffer.from(one.secret, 'hex') })),
    )
  }

  /** Stores a new key and takes it into use here at once; other switches do when they refresh. */
  async store(place: KeyPlace, key: OpenKey, overlapSeconds: number): Promise<void> {
    await this.#options.write(encryptedKey(this.#options.keyEncryptionKey, place, key), overlapSeconds)
    await this.refresh()
  }
}

/** A key ready to be stored. Throws CryptoError `key_length`. */
export function encryptedKey(keyEncryptionKey: KeyObject, place: KeyPlace, { algorithm, key, settings }: OpenKey) {
  const { tenant, owner, usage, name } = place
  return {
    ...{ tenant, owner, usage, name, algorithm, settings },
    checkValue: keyCheckValue(algorithm, key).toString('hex').toUpperCase(),
    secret: encryptStoredKey(keyEncryptionKey, key, bindingOf(place, algorithm)).toString('hex'),
  }
}
