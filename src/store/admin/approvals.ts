import {
  type Actor,
  type Changed,
  type Created,
  type Creation,
  type Page,
  type PageRequest,
  refused,
} from '../../core/admin.ts'
import {
  type Approval,
  type ApprovalAnswer,
  type ApprovalKind,
  type ApprovalStatus,
  approvalDaysMax,
} from '../../core/approvals.ts'
import { dayOfMicros } from '../../core/ids.ts'
import { idOf, idOrNull, microsOf } from '../sql.ts'
import { areOfOneHand } from './api-keys.ts'
import { writeAudit } from './audit-log.ts'
import { createOnce } from './changes.ts'
import { asLongAsSure, readCommandContent } from './keys.ts'
import { readIsDecided } from './loads.ts'
import { pageOf } from './page.ts'
import type { AdminPool, Run, TextRow } from './pool.ts'

const entity = { name: 'approval', isReference: false } as const

const expiresAt = `CASE status WHEN 'approved' THEN decided_at ELSE made_at END + interval '${approvalDaysMax} days'`

/** SQL: whether a row of `approvals` is out of time, undecided or approved and without an answer. */
export const isOutOfTime = `(status <> 'rejected' AND answer IS NULL AND ${expiresAt} <= clock_timestamp())`
const statusNow = `CASE WHEN ${isOutOfTime} THEN 'expired' ELSE status END`

const columns = `id, kind, ${statusNow} AS status, request, answer, replace(key::text, '-', '') AS key, content,
  ${microsOf('made_at')} AS made_at, made_by, made_label, ${microsOf(expiresAt)} AS expires_at,
  ${microsOf('decided_at')} AS decided_at, decided_by, decided_label, note`

const approvalOf = (row: TextRow): Approval => {
  const decidedBy = idOrNull(row.decided_by)
  return {
    id: idOf(row.id),
    kind: row.kind as ApprovalKind,
    status: row.status as ApprovalStatus,
    request: JSON.parse(row.request as string),
    answer: row.answer == null ? null : (JSON.parse(row.answer) as ApprovalAnswer),
    key: row.key as string,
    content: row.content as string,
    madeAt: idOf(row.made_at),
    madeBy: { apiKey: idOf(row.made_by), label: row.made_label as string },
    expiresAt: idOf(row.expires_at),
    decidedAt: idOrNull(row.decided_at),
    decidedBy: decidedBy === null ? null : { apiKey: decidedBy, label: row.decided_label as string },
    note: row.note ?? null,
  }
}

/** Whether requests of a tenant wait, and whether the one under this key does. */
interface FourEyes {
  /** Amounts above this wait; null: none does. */
  readonly above: bigint | null
  /** A request under this key was told to wait. */
  readonly isKnown: boolean
  /** The fingerprint of what the engine has decided under this key, and is sure to answer again; null: nothing. */
  readonly decided: string | null
}

export async function readFourEyes(run: Run, tenant: number, key: string): Promise<FourEyes> {
  const [row] = await run(
    `SELECT four_eyes_above AS above, EXISTS (SELECT FROM approvals WHERE tenant = $1 AND key = $2::uuid) AS known
     FROM tenants WHERE id = $1`,
    [tenant, key],
  )
  const above = row?.above == null ? null : BigInt(row.above)
  const isKnown = row?.known === 't'
  const decided = above === null || isKnown ? null : await readCommandContent(run, tenant, key, asLongAsSure)
  return { above, isKnown, decided }
}

/** Whether a repeat under this key is answered as the first was: with a decision, or that it waits. */
export async function readIsAnswered(run: Run, tenant: number, key: string): Promise<boolean> {
  const rows = await run('SELECT FROM approvals WHERE tenant = $1 AND key = $2::uuid', [tenant, key])
  return rows.length > 0 || (await readCommandContent(run, tenant, key)) !== null
}

export function createApproval(
  pool: AdminPool,
  creation: Creation<Approval>,
  kind: ApprovalKind,
  request: object,
): Promise<Created> {
  const { actor, key, content } = creation
  return createOnce(pool, entity, creation, async run => {
    const [row] = await run(
      `INSERT INTO approvals (made_at, key, tenant, made_by, made_label, kind, content, request)
       VALUES (clock_timestamp(), $2::uuid, $1, $3, $4, $5, $6, $7::json) RETURNING ${columns}`,
      [actor.tenant, key, actor.apiKey, actor.label, kind, content, JSON.stringify(request)],
    )
    const item = approvalOf(row as TextRow)
    return { kind: 'made', item, id: String(item.id), version: null, status: 202 }
  })
}

/** `madeBy`: only what this API key has asked for; null: all. */
export async function readApproval(
  run: Run,
  tenant: number,
  id: number,
  madeBy: number | null,
): Promise<Approval | null> {
  const [row] = await run(
    `SELECT ${columns} FROM approvals WHERE tenant = $1 AND id = $2 AND ($3::integer IS NULL OR made_by = $3)`,
    [tenant, id, madeBy],
  )
  return row === undefined ? null : approvalOf(row)
}

export interface ApprovalFilter {
  readonly status: ApprovalStatus | null
  readonly kind: ApprovalKind | null
  readonly madeBy: number | null
}

/** The newest first. */
export async function listApprovals(
  run: Run,
  tenant: number,
  { status, kind, madeBy }: ApprovalFilter,
  page: PageRequest,
): Promise<Page<Approval>> {
  const rows = await run(
    `SELECT ${columns} FROM approvals
     WHERE tenant = $1 AND id < coalesce($2::bigint, 9223372036854775807)
       AND ($3::text IS NULL OR ${statusNow} = $3) AND ($4::text IS NULL OR kind = $4)
       AND ($5::integer IS NULL OR made_by = $5)
     ORDER BY id DESC LIMIT $6`,
    [tenant, page.after, status, kind, madeBy, page.limit + 1],
  )
  return pageOf(rows.map(approvalOf), page, ({ id }) => String(id))
}

const ofOneHand = 'must not be a key that was made with the key that has asked, or with which that key was made'

/**
 * Approves or rejects: never by the key that has asked, nor by one that whoever asked may hold. What is decided stays
 * so; the same again is no error.
 */
export function decideApproval(
  pool: AdminPool,
  actor: Actor,
  { id, verdict, note }: { id: number; verdict: 'approved' | 'rejected'; note: string | null },
): Promise<Changed<Approval>> {
  return pool.transaction(async (run): Promise<Changed<Approval>> => {
    await run('SELECT FROM approvals WHERE tenant = $1 AND id = $2 FOR UPDATE', [actor.tenant, id])
    const before = await readApproval(run, actor.tenant, id, null)
    if (before === null) return { kind: 'not_found' }
    if (before.madeBy.apiKey === actor.apiKey) return refused('second_person_needed')
    if (await areOfOneHand(run, actor.tenant, actor.apiKey, before.madeBy.apiKey)) {
      return refused('second_person_needed', 'Authorization', ofOneHand)
    }
    if (before.status === verdict) return { kind: 'changed', item: before }
    if (before.status === 'expired') return decideLate(run, actor.tenant, before, verdict)
    if (before.status !== 'waiting') return refused('state_unsuitable')
    await run(
      `UPDATE approvals SET status = $3, decided_at = clock_timestamp(), decided_by = $4, decided_label = $5, note = $6
       WHERE tenant = $1 AND id = $2`,
      [actor.tenant, id, verdict, actor.apiKey, actor.label, note],
    )
    const item = (await readApproval(run, actor.tenant, id, null)) as Approval
    await writeAudit(run, actor, {
      action: verdict === 'approved' ? 'approve' : 'reject',
      entity: entity.name,
      entityId: String(id),
      before: JSON.stringify({ status: before.status }),
      after: JSON.stringify({ status: verdict, note, kind: item.kind, request: item.request }),
    })
    return { kind: 'changed', item }
  })
}

/** Out of time: only what the engine has decided, and what is still without its answer, is answered as it was. */
async function decideLate(
  run: Run,
  tenant: number,
  approval: Approval,
  verdict: 'approved' | 'rejected',
): Promise<Changed<Approval>> {
  const { key, madeAt, decidedAt } = approval
  if (decidedAt === null) return refused('state_unsuitable', 'id', `was not decided within ${approvalDaysMax} days`)
  if (verdict === 'approved' && (await readIsDecided(run, tenant, { key, day: dayOfMicros(madeAt) }))) {
    return { kind: 'changed', item: approval }
  }
  return refused('state_unsuitable', 'id', `was not carried out within ${approvalDaysMax} days after it was approved`)
}
