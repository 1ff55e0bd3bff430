import { sha256Hex } from '../crypto/hash.ts'
import type { ApiKeyRow } from '../store/reads/api-keys.ts'
import { isRole, isScope, type Role, roles, type Scope } from './scopes.ts'

/** Who calls. */
export interface ApiKey {
  /** Names the key in logs and scopes its idempotency keys; it is not secret. */
  readonly id: number
  readonly tenant: number
  /** What people call it. */
  readonly label: string
  readonly role: Role | null
  /** Its own, and those of its role. */
  readonly scopes: ReadonlySet<Scope>
  /** Codes of the merchants it speaks for. */
  readonly merchants: '*' | readonly string[]
  /** Id of the only organisation that it sees; null: all. */
  readonly organisation: number | null
  /** Taken only in demo mode, from this machine. */
  readonly demo: boolean
}

/**
 * The API keys, by the SHA-256 of each: the keys themselves are nowhere. A look-up by hash takes no longer for a key
 * that is nearly right, so that nothing can be learnt from its time.
 */
export class ApiKeys {
  readonly #read: () => Promise<readonly ApiKeyRow[]>
  #byHash: ReadonlyMap<string, ApiKey> = new Map()

  constructor(read: () => Promise<readonly ApiKeyRow[]>) {
    this.#read = read
  }

  /** Reads all keys again. If that fails the present ones stay, and it throws. */
  async refresh(): Promise<void> {
    const rows = await this.#read()
    this.#byHash = new Map(rows.map(row => [row.hash, apiKeyOf(row)]))
  }

  find(key: string): ApiKey | undefined {
    return this.#byHash.get(sha256Hex(key))
  }
}

function apiKeyOf({ id, tenant, label, role: name, scopes, merchants, organisation, demo }: ApiKeyRow): ApiKey {
  // A role or scope of a later release is of no use here.
  const role = name !== null && isRole(name) ? name : null
  return {
    id,
    tenant,
    label,
    role,
    scopes: new Set([...scopes.filter(isScope), ...(role === null ? [] : roles[role])]),
    merchants: merchants.includes('*') ? '*' : merchants,
    organisation,
    demo,
  }
}

export const speaksFor = ({ merchants }: ApiKey, merchant: string): boolean =>
  merchants === '*' || merchants.includes(merchant)

/** Whether it sees this organisation (its id). */
export const sees = ({ organisation }: ApiKey, id: number): boolean => organisation === null || organisation === id
