import { idOf, idOrNull, type Row, statement } from '../sql.ts'
import type { Query } from './pool.ts'

export interface ApiKeyRow {
  readonly id: number
  readonly tenant: number
  /** SHA-256 of the key, 64 lower-case hexadecimal digits. */
  readonly hash: string
  readonly scopes: readonly string[]
  readonly merchants: readonly string[]
  readonly label: string
  readonly role: string | null
  /** Id of the only organisation that it sees. */
  readonly organisation: number | null
  readonly demo: boolean
}

/** The keys of all tenants that are not disabled: a key is looked up before its tenant is known. */
const apiKeysStatement = statement(
  'read_api_keys',
  `SELECT id, tenant, encode(hash, 'hex'), array_to_json(scopes), array_to_json(merchants), demo, label, role,
     organisation FROM api_keys WHERE disabled_at IS NULL`,
)

export const readApiKeys = async (query: Query): Promise<ApiKeyRow[]> => (await query(apiKeysStatement)).map(apiKeyOf)

const apiKeyOf = (row: Row): ApiKeyRow => ({
  id: idOf(row[0]),
  tenant: idOf(row[1]),
  hash: row[2] as string,
  scopes: JSON.parse(row[3] as string),
  merchants: JSON.parse(row[4] as string),
  demo: row[5] === 't',
  label: row[6] as string,
  role: row[7] ?? null,
  organisation: idOrNull(row[8]),
})
