import { dayOf, type TransactionId } from '../core/ids.ts'
import type { Pool } from './pool.ts'
import { idOf, integersOf } from './sql.ts'

/** The holds of one batch that have run out: some may have been confirmed or reversed since. */
interface DueHolds {
  readonly tenant: number
  readonly batch: number
  /** The moment, as the database writes it. */
  readonly due: string
  readonly ids: readonly TransactionId[]
}

/** Holds that have run out by the database's clock, the oldest first. */
export async function readDueHolds(pool: Pool, tenant: number, rowsMax: number): Promise<DueHolds[]> {
  const { rows } = await pool.query<{ batch: string; due: string; txns: string }>(
    `SELECT batch_seq::text AS batch, due::text, txns::text FROM hold_deadlines
     WHERE tenant = $1 AND due < clock_timestamp() ORDER BY tenant, due, batch_seq LIMIT $2`,
    [tenant, rowsMax],
  )
  return rows.map(({ batch, due, txns }) => ({ tenant, batch: idOf(batch), due, ids: integersOf(txns).map(idOf) }))
}

/** Those of `ids` that are still open. */
export async function readOpenHolds(
  pool: Pool,
  tenant: number,
  ids: readonly TransactionId[],
): Promise<TransactionId[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT t.id::text
     FROM (SELECT $1::integer AS tenant, * FROM unnest($2::integer[], $3::bigint[]) AS u(day, id) OFFSET 0) AS x
     JOIN transactions t ON t.tenant = x.tenant AND t.day = x.day AND t.id = x.id WHERE t.phase = 1`,
    [tenant, ids.map(dayOf), ids],
  )
  return rows.map(({ id }) => idOf(id))
}

/** Forgets deadlines of which no hold is open any more. */
export async function deleteDueHolds(pool: Pool, due: readonly DueHolds[]): Promise<void> {
  await pool.query(
    `DELETE FROM hold_deadlines h
     USING unnest($1::integer[], $2::timestamptz[], $3::bigint[]) AS u(tenant, due, batch_seq)
     WHERE h.tenant = u.tenant AND h.due = u.due AND h.batch_seq = u.batch_seq`,
    [due.map(one => one.tenant), due.map(one => one.due), due.map(one => one.batch)],
  )
}

/** Reversals by bill number are remembered for a day; after two nobody reads them. */
export async function deleteForgottenReversals(pool: Pool): Promise<void> {
  await pool.query("DELETE FROM remembered_reversals WHERE at < clock_timestamp() - interval '2 days'")
}
