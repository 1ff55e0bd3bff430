import { type Change, type Changed, type Created, type Creation, type Refused, refused } from '../../core/admin.ts'
import { idOf, idOrNull } from '../sql.ts'
import { answerApproval } from './approval-answers.ts'
import { writeAudit } from './audit-log.ts'
import { readCommandContent } from './keys.ts'
import type { AdminPool, Run } from './pool.ts'

/** A kind of thing that the admin API changes. */
interface Entity {
  /** As the audit log has it. */
  readonly name: string
  /** Whether it is reference data, which the switches keep in memory and read again when its version moves. */
  readonly isReference: boolean
}

/** What was made. `id`: the code or id under which it is found. `status`: of the answer, 201 if left out. */
interface Made<Item> {
  readonly kind: 'made'
  readonly item: Item
  readonly id: string
  readonly version: number | null
  readonly status?: number
}

const requestsLock = 8584
/** As a batch locks the key of a command of an API client: see `planReads` and `lockNames`. */
const lockKey = "SELECT pg_advisory_xact_lock(hashtextextended('key|' || $1::text || '|' || $2::text, 0))"

/**
 * Makes something once for its key, with its answer and its line in the audit log, all in one transaction. Of reference
 * data one change of a tenant is made at a time, so that `make` may look for what is taken and then take it.
 */
export function createOnce<Item>(
  pool: AdminPool,
  entity: Entity,
  creation: Creation<Item>,
  make: (run: Run) => Promise<Made<Item> | Refused>,
): Promise<Created> {
  const { actor, key, content, bodyOf, approval } = creation
  return pool.transaction(async (run): Promise<Created> => {
    await run('SELECT pg_advisory_xact_lock($1, hashtext($2))', [requestsLock, `${actor.tenant}:${key}`])
    const [stored] = await run(
      'SELECT content, status, version, body FROM admin_requests WHERE tenant = $1 AND key = $2::uuid',
      [actor.tenant, key],
    )
    if (stored !== undefined) {
      if (stored.content !== content) return { kind: 'other_content', stored: stored.content as string }
      const { status, version, body } = stored
      return { kind: 'created', replayed: true, status: idOf(status), version: idOrNull(version), body: body as string }
    }
    const earlier = await readCommandContent(run, actor.tenant, key)
    if (earlier !== null) return { kind: 'other_content', stored: earlier }
    if (entity.isReference) await moveCatalogVersion(run, actor.tenant)
    const made = await make(run)
    if (made.kind === 'refused') return made
    const { item, id, version, status = 201 } = made
    const body = bodyOf(item)
    // Last, because a batch that has the key too waits for it, with all its payments, until this commits.
    await run(lockKey, [String(actor.tenant), key])
    const meanwhile = await readCommandContent(run, actor.tenant, key)
    if (meanwhile !== null) return { kind: 'other_content', stored: meanwhile }
    await run(
      `INSERT INTO admin_requests (made_at, tenant, key, content, status, version, body)
       VALUES (clock_timestamp(), $1, $2::uuid, $3, $4, $5, $6)`,
      [actor.tenant, key, content, status, version, body],
    )
    if (approval !== undefined) await answerApproval(run, actor.tenant, approval, { status, body: JSON.parse(body) })
    await writeAudit(run, actor, { action: 'create', entity: entity.name, entityId: id, before: null, after: body })
    return { kind: 'created', replayed: false, status, version, body }
  })
}

/**
 * Changes something under its version, with a line in the audit log. `read` must lock the row; `write` must move its
 * version. `action`: `update`, or the name of what was done.
 */
export function changeOnce<Item extends { readonly version: number }>(
  pool: AdminPool,
  entity: Entity & { readonly id: string; readonly action?: string },
  change: Change<Item>,
  {
    read,
    write,
  }: { read: (run: Run) => Promise<Item | null>; write: (run: Run, before: Item) => Promise<Refused | null> },
): Promise<Changed<Item>> {
  const { actor, version, bodyOf, agreed } = change
  return pool.transaction(async (run): Promise<Changed<Item>> => {
    if (entity.isReference) await moveCatalogVersion(run, actor.tenant)
    const before = await read(run)
    if (before === null) return { kind: 'not_found' }
    if (version !== null && before.version !== version) return { kind: 'stale' }
    const refusal = await write(run, before)
    if (refusal !== null) return refusal
    const item = await read(run)
    if (item === null) throw new Error(`${entity.name} ${entity.id} is gone`)
    const { name, id: entityId, action = 'update' } = entity
    await writeAudit(run, actor, { action, entity: name, entityId, before: bodyOf(before), after: bodyOf(item) })
    if (agreed !== undefined) await answerApproval(run, actor.tenant, agreed.approval, agreed.answerOf(item))
    return { kind: 'changed', item }
  })
}

/** The switches read the tenant's reference data again. It also keeps other changes of it waiting until the commit. */
export async function moveCatalogVersion(run: Run, tenant: number): Promise<void> {
  await run('UPDATE tenants SET catalog_version = catalog_version + 1 WHERE id = $1', [tenant])
}

/** The refusal of a code that something else of the kind has. */
export const codeTaken = (field = '/code'): Refused => refused('code_taken', field, 'is taken')

/** Assignments of the fields that are given, for UPDATE: the values begin at `$first`. Names are those of columns. */
export function assignments(
  fields: Readonly<Record<string, unknown>>,
  first: number,
): { sql: string; values: unknown[] } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  return {
    sql: ['version = version + 1', ...given.map(([column], index) => `${column} = $${first + index}`)].join(', '),
    values: given.map(([, value]) => value),
  }
}
