import { sha256Hex } from '../crypto/hash.ts'
import type { ApiKeyRow } from '../store/reads/api-keys.ts'
import { isRole, isScope, organisationScopes, type Role, roles, type Scope } from './scopes.ts'

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
  #last: Promise<unknown> = Promise.resolve()

  constructor(read: () => Promise<readonly ApiKeyRow[]>) {
    this.#read = read
  }

  /** Reads all keys again. If that fails the present ones stay, and it throws. */
  refresh(): Promise<void> {
    const refresh = async (): Promise<void> => {
      const rows = await this.#read()
      this.#byHash = new Map(rows.map(row => [row.hash, apiKeyOf(row)]))
    }
    // One at a time, so that an older reading never takes the place of a newer one.
    const next = this.#last.then(refresh, refresh)
    this.#last = next
    return next
  }

  find(key: string): ApiKey | undefined {
    return this.#byHash.get(sha256Hex(key))
  }
}

function apiKeyOf({ id, tenant, label, role: name, scopes, merchants, organisation, demo }: ApiKeyRow): ApiKey {
  // A role or scope of a later release is of no use here.
  const role = name !== null && isRole(name) ? name : null
  const given: Scope[] = [...scopes.filter(isScope), ...(role === null ? [] : roles[role])]
  return {
    id,
    tenant,
    label,
    role,
    scopes: new Set(organisation === null ? given : given.filter(scope => organisationScopes.includes(scope))),
    merchants: merchants.includes('*') ? '*' : merchants,
    organisation,
    demo,
  }
}

export const speaksFor = ({ merchants }: ApiKey, merchant: string): boolean =>
  merchants === '*' || merchants.includes(merchant)

/** Whether it sees this organisation (its id). */
export const sees = ({ organisation }: ApiKey, id: number): boolean => organisation === null || organisation === id
