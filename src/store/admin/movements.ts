import type { Page, PageRequest } from '../../core/admin.ts'
import type { ListedMovement, MovementFilter, MovementKind } from '../../core/lot-movements.ts'
import { commandCodeOf, commandKinds } from '../batch/codes.ts'
import { idOf, microsOf, timestampOf } from '../sql.ts'
import { lotMovementOf } from './loads.ts'
import type { Run, TextRow } from './pool.ts'

/** One call looks at so many at the most: there is no index for every filter. */
export const movementsSeenMax = 20_000

const inOrder = 'ORDER BY m.at DESC, m.batch_seq DESC, m.idx DESC, m.lot DESC'

/**
 * What moved value outside purchases, the newest first. A cursor is time, batch, index and lot of the last one that was
 * looked at: a page may be short, even empty, and have a next one. OFFSET 0 keeps the look-up of each lot one, where a
 * planner would join all there are and sort them.
 */
export async function listMovements(
  run: Run,
  tenant: number,
  { kind, funder, program, holder, actor, from, to }: MovementFilter,
  { limit, after }: PageRequest,
): Promise<Page<ListedMovement>> {
  const [at = null, batch = null, index = null, lot = null] = after?.split('.') ?? []
  const rows = await run(
    `SELECT m.batch_seq, m.idx, ${microsOf('m.at')} AS micros, m.kind, m.lot, m.holder, l.program, l.funder, m.amount,
       m.balance, m.reason, m.reference, m.actor, m.seen
     FROM (
       SELECT *, row_number() OVER () AS seen FROM (
         SELECT * FROM lot_movements m
         WHERE m.tenant = $1 AND ($2::bigint IS NULL OR m.holder = $2)
           AND m.at >= coalesce(${timestampOf('$3::bigint')}, '-infinity')
           AND m.at < coalesce(${timestampOf('$4::bigint')}, 'infinity')
           AND m.at <= coalesce(${timestampOf('$5::bigint')}, 'infinity')
           AND ($5::bigint IS NULL
             OR (m.at, m.batch_seq, m.idx::bigint, m.lot) < (${timestampOf('$5::bigint')}, $6, $7::bigint, $8::bigint))
         ${inOrder} LIMIT $9) AS m) AS m
     LEFT JOIN LATERAL (
       SELECT l.program, l.funder FROM lots l
       WHERE l.tenant = m.tenant AND l.holder = m.holder AND l.lot = m.lot
         AND ($10::smallint IS NULL OR m.kind = $10) AND ($11::integer IS NULL OR l.funder = $11)
         AND ($12::integer IS NULL OR l.program = $12) AND ($13::text IS NULL OR m.actor = $13)
       OFFSET 0) AS l ON true
     WHERE l.program IS NOT NULL OR m.seen = $9
     ${inOrder} LIMIT $14`,
    [
      tenant,
      holder,
      from,
      to,
      at,
      batch,
      index,
      lot,
      movementsSeenMax,
      kind === null ? null : commandCodeOf(kind),
      funder,
      program,
      actor,
      limit + 1,
    ],
  )
  const found = rows.filter(row => row.program !== null)
  const last = found.length > limit ? found[limit - 1] : rows.find(row => idOf(row.seen) === movementsSeenMax)
  return { items: found.slice(0, limit).map(movementOf), next: last === undefined ? null : placeOf(last) }
}

const placeOf = ({ micros, batch_seq, idx, lot }: TextRow): string => [micros, batch_seq, idx, lot].join('.')

const movementOf = (row: TextRow): ListedMovement => ({
  ...lotMovementOf(row),
  batch: idOf(row.batch_seq),
  index: idOf(row.idx),
  at: idOf(row.micros),
  kind: commandKinds[idOf(row.kind)] as MovementKind,
  note: { reason: row.reason ?? null, reference: row.reference ?? null, actor: row.actor ?? null },
})
