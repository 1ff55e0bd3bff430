import type { Day, Micros } from '../../core/ids.ts'
import type { Reason } from '../../core/reasons.ts'
import { arrayOf, arrayOfText, idOf, idOrNull, microsOf } from '../sql.ts'
import type { Run } from './pool.ts'

/** A list that this process has taken on for a while: nobody else works on it meanwhile. */
export interface ClaimedList {
  readonly id: number
  readonly kind: 'load' | 'clawback'
  readonly runDay: Day
  readonly reason: string | null
  readonly reference: string | null
  readonly actor: string
}

/** A process that has not come back for so long has ended. */
const leaseSeconds = 30

/**
 * Takes on the list that runs, that nobody works on and that has waited longest; null: there is none. They take turns,
 * so that neither a long one nor one with a line that gets no answer keeps the others waiting.
 */
export async function claimList(run: Run, tenant: number): Promise<ClaimedList | null> {
  const [row] = await run(
    `UPDATE load_lists SET leased_until = clock_timestamp() + interval '${leaseSeconds} seconds',
       resumed_at = CASE WHEN leased_until < clock_timestamp() - interval '${leaseSeconds} seconds'
         THEN clock_timestamp() ELSE resumed_at END,
       resumed_done = CASE WHEN leased_until < clock_timestamp() - interval '${leaseSeconds} seconds'
         THEN done ELSE resumed_done END
     WHERE tenant = $1 AND id = (SELECT id FROM load_lists WHERE tenant = $1 AND state = 'running'
       AND (leased_until IS NULL OR leased_until <= clock_timestamp())
       ORDER BY leased_until NULLS FIRST, id LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING id, kind, run_day, reason, reference, actor`,
    [tenant],
  )
  if (row === undefined) return null
  return {
    id: idOf(row.id),
    kind: row.kind as ClaimedList['kind'],
    runDay: idOf(row.run_day),
    reason: row.reason ?? null,
    reference: row.reference ?? null,
    actor: row.actor as string,
  }
}

export interface PendingLine {
  readonly line: number
  readonly holder: number
  readonly program: number | null
  readonly funder: number | null
  readonly amount: bigint | null
  readonly expiresAt: Micros | null
}

/** Lines after this one that are not decided yet, in their order. */
export async function readPending(
  run: Run,
  tenant: number,
  list: number,
  after: number,
  max: number,
): Promise<PendingLine[]> {
  const rows = await run(
    `SELECT line, holder, program, funder, amount, ${microsOf('expires_at')} AS expires_at FROM load_lines
     WHERE tenant = $1 AND list = $2 AND line > $3 AND state = 0 ORDER BY line LIMIT $4`,
    [tenant, list, after, max],
  )
  return rows.map(row => ({
    line: idOf(row.line),
    holder: idOf(row.holder),
    program: idOrNull(row.program),
    funder: idOrNull(row.funder),
    amount: row.amount == null ? null : BigInt(row.amount),
    expiresAt: idOrNull(row.expires_at),
  }))
}

/** What came of a line: the lot and the amount, or the reason of the refusal. */
export interface LineOutcome {
  readonly line: number
  readonly lot: number | null
  readonly amount: bigint | null
  readonly reason: Reason | null
}

/** Stores what came of lines, once for each, and keeps the list for longer. */
export async function recordLines(
  run: Run,
  tenant: number,
  list: number,
  outcomes: readonly LineOutcome[],
): Promise<void> {
  await run(
    `WITH given AS (
       SELECT * FROM unnest($3::integer[], $4::bigint[], $5::bigint[], $6::text[]) AS u(line, lot, amount, reason)),
     marked AS (
       UPDATE load_lines l SET state = CASE WHEN g.reason IS NULL THEN 2 ELSE 1 END, lot = g.lot, reason = g.reason,
         amount = coalesce(g.amount, l.amount)
       FROM given g
       WHERE l.tenant = $1 AND l.list = $2 AND l.line = g.line AND l.line = ANY ($3::integer[]) AND l.state = 0
       RETURNING g.amount, g.reason)
     UPDATE load_lists t SET leased_until = clock_timestamp() + interval '${leaseSeconds} seconds',
       done = t.done + c.done, loaded = t.loaded + c.loaded, loaded_total = t.loaded_total + c.total,
       rejected = t.rejected + c.done - c.loaded
     FROM (SELECT count(*) AS done, count(*) FILTER (WHERE reason IS NULL) AS loaded,
         coalesce(sum(amount) FILTER (WHERE reason IS NULL), 0) AS total FROM marked) AS c
     WHERE t.tenant = $1 AND t.id = $2`,
    [
      tenant,
      list,
      arrayOf(outcomes.map(({ line }) => line)),
      arrayOf(outcomes.map(({ lot }) => lot)),
      arrayOf(outcomes.map(({ amount }) => amount)),
      arrayOfText(outcomes.map(({ reason }) => reason)),
    ],
  )
}

/** Gives a list back; it is done if no line of it waits any more. */
export async function releaseList(run: Run, tenant: number, list: number): Promise<void> {
  await run(
    `UPDATE load_lists SET leased_until = clock_timestamp(), state = CASE WHEN p.waits THEN state ELSE 'done' END,
       version = CASE WHEN p.waits THEN version ELSE version + 1 END,
       finished_at = CASE WHEN p.waits THEN NULL ELSE clock_timestamp() END
     FROM (SELECT EXISTS (SELECT FROM load_lines WHERE tenant = $1 AND list = $2 AND state = 0) AS waits) AS p
     WHERE tenant = $1 AND id = $2 AND state = 'running'`,
    [tenant, list],
  )
}
