import type { Actor, AuditEntry, AuditFilter, AuditLine, CommandEntry, Page, PageRequest } from '../../core/admin.ts'
import { idOf, microsOf, timestampOf } from '../sql.ts'
import { pageOf } from './page.ts'
import type { Run, TextRow } from './pool.ts'

const insertText = `INSERT INTO audit_log (at, key, tenant, api_key, actor, action, entity, entity_id, before, after)
  SELECT clock_timestamp(), $9::uuid, $1, $2, $3, $4, $5, $6, $7::json, $8::json
  WHERE NOT EXISTS (SELECT FROM audit_log WHERE tenant = $1 AND key = $9::uuid)`

const valuesOf = ({ tenant, apiKey, label }: Actor, { action, entity, entityId, before, after }: AuditEntry) =>
  [tenant, apiKey, label, action, entity, entityId, before, after] as const

/** One line, in the transaction of the change. */
export async function writeAudit(run: Run, actor: Actor, entry: AuditEntry): Promise<void> {
  await run(insertText, [...valuesOf(actor, entry), null])
}

/** The line of a command of the engine, after its decision: a repeat writes no other. */
export async function writeCommandAudit(run: Run, { actor, key, ...entry }: CommandEntry): Promise<void> {
  try {
    await run(insertText, [...valuesOf(actor, { ...entry, before: null }), key])
  } catch (error) {
    // Another copy of the request has written it in this moment.
    if ((error as { code?: string }).code !== '23505') throw error
  }
}

/** The newest first. */
export async function listAudit(
  run: Run,
  tenant: number,
  filter: AuditFilter,
  page: PageRequest,
): Promise<Page<AuditLine>> {
  const { entity, entityId, action, actor, from, to } = filter
  const rows = await run(
    `SELECT id, ${microsOf('at')} AS at, api_key, actor, action, entity, entity_id, before, after FROM audit_log
     WHERE tenant = $1 AND id < coalesce($2::bigint, 9223372036854775807)
       AND ($3::text IS NULL OR entity = $3) AND ($4::text IS NULL OR entity_id = $4)
       AND ($5::bigint IS NULL OR api_key = $5)
       AND ($6::bigint IS NULL OR at >= ${timestampOf('$6::bigint')})
       AND ($7::bigint IS NULL OR at < ${timestampOf('$7::bigint')}) AND ($8::text IS NULL OR action = $8)
     ORDER BY id DESC LIMIT $9`,
    [tenant, page.after, entity, entityId, actor, from, to, action, page.limit + 1],
  )
  return pageOf(rows.map(lineOf), page, ({ id }) => String(id))
}

const lineOf = (row: TextRow): AuditLine => ({
  id: idOf(row.id),
  at: idOf(row.at),
  apiKey: idOf(row.api_key),
  actor: row.actor as string,
  action: row.action as string,
  entity: row.entity as string,
  entityId: row.entity_id as string,
  before: row.before ?? null,
  after: row.after ?? null,
})
