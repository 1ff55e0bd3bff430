import type { KeyObject } from 'node:crypto'
import { CryptoError } from './errors.ts'
import type { KeyAlgorithm } from './key-check-value.ts'
import { decryptStoredKey, type KeyBinding } from './key-encryption.ts'

/** `master`: protects session keys on their way. `dukpt`: a base derivation key. The last two verify PINs. */
export const keyUsages = ['master', 'mac', 'pin', 'dukpt', 'pvv', 'ibm3624'] as const
export type KeyUsage = (typeof keyUsages)[number]

/**
 * What a key is for. `owner`: `terminal:T0000001`, `listener:terminals` or `tenant`. `name`: of a DUKPT base key the
 * first digits of its key serial numbers, of a PIN verification key its index, else empty.
 */
export interface KeyPlace {
  readonly tenant: number
  readonly owner: string
  readonly usage: KeyUsage
  readonly name: string
}

/** A key as the database has it. Times are microseconds since 1970; a retired key has no secret any more. */
export interface StoredKey extends KeyPlace {
  readonly id: number
  readonly algorithm: KeyAlgorithm
  readonly status: 'active' | 'retiring' | 'retired'
  readonly until: number | null
  readonly checkValue: string
  readonly secret: Buffer | null
  readonly settings: string | null
}

export interface OpenKey {
  readonly algorithm: KeyAlgorithm
  readonly key: Buffer
  readonly settings: string | null
}

/** What the stored form of a key is bound to: as another's, or for another use, it does not open. */
export const bindingOf = ({ tenant, owner, usage, name }: KeyPlace, algorithm: KeyAlgorithm): KeyBinding => ({
  tenant: String(tenant),
  owner,
  usage: `${usage}/${name}/${algorithm}`,
})

const placeOf = ({ tenant, owner, usage, name }: KeyPlace): string => `${tenant}|${owner}|${usage}|${name}`

/** The keys of all tenants in memory, each opened when it is first asked for. */
export class KeyRing {
  readonly #keyEncryptionKey: KeyObject
  readonly #now: () => number
  readonly #onUnreadable: (id: number) => void
  readonly #byId = new Map<number, StoredKey>()
  readonly #byPlace = new Map<string, Set<number>>()
  /** Names of base keys, by the place without one. */
  readonly #baseNames = new Map<string, Set<string>>()
  readonly #open = new Map<number, OpenKey | null>()

  /** `onUnreadable` gets the id of a key that was altered, or is under another key-encryption key; once. */
  constructor(keyEncryptionKey: KeyObject, now: () => number, onUnreadable: (id: number) => void) {
    this.#keyEncryptionKey = keyEncryptionKey
    this.#now = now
    this.#onUnreadable = onUnreadable
  }

  /** Takes keys that are new or have changed. */
  apply(rows: readonly StoredKey[]): void {
    for (const row of rows) {
      const place = placeOf(row)
      const ids = this.#byPlace.get(place) ?? new Set()
      this.#byPlace.set(place, ids)
      if (row.status === 'retired') {
        this.#byId.delete(row.id)
        this.#open.delete(row.id)
        ids.delete(row.id)
        continue
      }
      this.#byId.set(row.id, row)
      ids.add(row.id)
      if (row.usage !== 'dukpt') continue
      const front = placeOf({ ...row, name: '' })
      this.#baseNames.set(front, (this.#baseNames.get(front) ?? new Set()).add(row.name))
    }
  }

  /** The keys that may be used there now: the active one, then those that are retiring and have not run out. */
  find(place: KeyPlace): OpenKey[] {
    const ids = this.#byPlace.get(placeOf(place))
    if (ids === undefined) return []
    const rows = [...ids].map(id => this.#byId.get(id)!)
    const usable = rows.filter(({ until }) => until === null || until > this.#now())
    // The newest first: it is the active one, where there is one.
    usable.sort((one, other) => other.id - one.id)
    return usable.map(row => this.#opened(row)).filter(key => key !== null)
  }

  /** The base keys of a DUKPT device, by the longest name that its key serial number starts with. */
  findBase(tenant: number, owner: string, initialKeyId: string): OpenKey[] {
    const names = this.#baseNames.get(placeOf({ tenant, owner, usage: 'dukpt', name: '' })) ?? []
    const [name] = [...names]
      .filter(one => initialKeyId.startsWith(one))
      .sort((one, other) => other.length - one.length)
    return name === undefined ? [] : this.find({ tenant, owner, usage: 'dukpt', name })
  }

  #opened(row: StoredKey): OpenKey | null {
    const known = this.#open.get(row.id)
    if (known !== undefined) return known
    const opened = this.#decrypt(row)
    this.#open.set(row.id, opened)
    if (opened === null) this.#onUnreadable(row.id)
    return opened
  }

  #decrypt(row: StoredKey): OpenKey | null {
    const { algorithm, settings, secret } = row
    try {
      const key = decryptStoredKey(this.#keyEncryptionKey, secret!, bindingOf(row, algorithm))
      return { algorithm, key, settings }
    } catch (error) {
      if (error instanceof CryptoError) return null
      throw error
    }
  }
}
