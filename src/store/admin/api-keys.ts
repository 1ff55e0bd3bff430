import {
  type Change,
  type Changed,
  type Created,
  type Creation,
  type Page,
  type PageRequest,
  type Refused,
  refused,
} from '../../core/admin.ts'
import type { ApiKeyRecord, NewApiKey } from '../../core/tenants.ts'
import { idOf, idOrNull, microsOf } from '../sql.ts'
import { changeOnce, createOnce } from './changes.ts'
import { pageOf } from './page.ts'
import type { AdminPool, Run, TextRow } from './pool.ts'

const entity = { name: 'api-key', isReference: false } as const

const selectText = `SELECT k.id, k.label, k.role, array_to_json(k.scopes) AS scopes,
    array_to_json(k.merchants) AS merchants, o.code AS organisation, ${microsOf('k.made_at')} AS made_at,
    ${microsOf('k.disabled_at')} AS disabled_at, k.version
  FROM api_keys k LEFT JOIN organisations o ON o.tenant = k.tenant AND o.id = k.organisation`

export async function readApiKey(run: Run, tenant: number, id: number, lock = ''): Promise<ApiKeyRecord | null> {
  const [row] = await run(`${selectText} WHERE k.tenant = $1 AND k.id = $2::bigint ${lock}`, [tenant, id])
  return row === undefined ? null : apiKeyOf(row)
}

/** In the order of their ids. */
export async function listApiKeys(run: Run, tenant: number, page: PageRequest): Promise<Page<ApiKeyRecord>> {
  const rows = await run(
    `${selectText} WHERE k.tenant = $1 AND k.id > coalesce($2::bigint, 0) ORDER BY k.id LIMIT $3`,
    [tenant, page.after, page.limit + 1],
  )
  return pageOf(rows.map(apiKeyOf), page, ({ id }) => String(id))
}

export function createApiKey(
  pool: AdminPool,
  creation: Creation<ApiKeyRecord>,
  { label, role, scopes, merchants, organisation, hash }: NewApiKey,
): Promise<Created> {
  const { tenant } = creation.actor
  return createOnce(pool, entity, creation, async run => {
    const refusal = await refusalOf(run, tenant, merchants, organisation)
    if (refusal !== null) return refusal
    await run("SELECT pg_advisory_xact_lock(hashtext('charsu api keys'))")
    const [made] = await run(
      `INSERT INTO api_keys (id, tenant, hash, label, role, scopes, merchants, organisation, made_by)
       SELECT coalesce(max(id), 0) + 1, $1, decode($2, 'hex'), $3, $4, $5, $6,
         (SELECT id FROM organisations WHERE tenant = $1 AND code = $7), $8 FROM api_keys RETURNING id`,
      [tenant, hash, label, role, scopes, merchants, organisation, creation.actor.apiKey],
    )
    const item = await readApiKey(run, tenant, idOf(made?.id))
    if (item === null) throw new Error('a new API key is not there')
    return { kind: 'made', item, id: String(item.id), version: item.version }
  })
}

async function refusalOf(
  run: Run,
  tenant: number,
  merchants: readonly string[],
  organisation: string | null,
): Promise<Refused | null> {
  const codes = merchants.filter(code => code !== '*')
  const known = await run('SELECT code FROM merchants WHERE tenant = $1 AND code = ANY ($2)', [tenant, codes])
  const at = merchants.findIndex(code => code !== '*' && !known.some(row => row.code === code))
  if (at >= 0) return refused('format_invalid', `/merchants/${at}`, 'is not a merchant here')
  if (organisation === null) return null
  const [found] = await run('SELECT id FROM organisations WHERE tenant = $1 AND code = $2', [tenant, organisation])
  return found === undefined ? refused('format_invalid', '/organisation', 'is not an organisation here') : null
}

/** Whether one of two keys is the other, or was made with it, or with a key that was made with it, and so on. */
export async function areOfOneHand(run: Run, tenant: number, one: number, other: number): Promise<boolean> {
  const [row] = await run(
    `WITH RECURSIVE makers (id, made_by, start) AS (
       SELECT id, made_by, id FROM api_keys WHERE tenant = $1 AND id IN ($2::integer, $3::integer)
       UNION SELECT k.id, k.made_by, m.start FROM makers m JOIN api_keys k ON k.tenant = $1 AND k.id = m.made_by)
     SELECT EXISTS (SELECT FROM makers WHERE start = $2 AND id = $3 OR start = $3 AND id = $2) AS are`,
    [tenant, one, other],
  )
  return row?.are === 't'
}

/** From then on it is not taken any more. Once disabled it stays so, since when it was first. */
export function disableApiKey(
  pool: AdminPool,
  change: Change<ApiKeyRecord>,
  id: number,
): Promise<Changed<ApiKeyRecord>> {
  const { tenant } = change.actor
  return changeOnce(pool, { ...entity, id: String(id), action: 'disable' }, change, {
    read: run => readApiKey(run, tenant, id, 'FOR NO KEY UPDATE OF k'),
    write: async run => {
      await run(
        `UPDATE api_keys SET disabled_at = clock_timestamp(), version = version + 1
         WHERE tenant = $1 AND id = $2 AND disabled_at IS NULL`,
        [tenant, id],
      )
      return null
    },
  })
}

const apiKeyOf = (row: TextRow): ApiKeyRecord => ({
  id: idOf(row.id),
  label: row.label as string,
  role: row.role ?? null,
  scopes: JSON.parse(row.scopes as string),
  merchants: JSON.parse(row.merchants as string),
  organisation: row.organisation ?? null,
  madeAt: idOf(row.made_at),
  disabledAt: idOrNull(row.disabled_at),
  version: idOf(row.version),
})
