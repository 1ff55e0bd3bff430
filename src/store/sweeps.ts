import type { AccountId } from '../core/ledger.ts'
import type { Pool } from './pool.ts'
import { idOf } from './sql.ts'

/** A lot whose unspent value is to be booked as breakage. */
export interface DueLot {
  readonly holder: number
  readonly lot: AccountId
  /** Seconds since 1970, rounded up. */
  readonly dueSeconds: number
}

/** Lots that are due by the database's clock, the oldest first. */
export async function readDueLots(pool: Pool, tenant: number, lotsMax: number): Promise<DueLot[]> {
  const { rows } = await pool.query<{ holder: string; lot: string; due: string }>(
    `SELECT holder::text, lot::text, ceil(extract(epoch FROM sweep_due))::bigint::text AS due FROM lots
     WHERE tenant = $1 AND sweep_due <= clock_timestamp() ORDER BY tenant, sweep_due LIMIT $2`,
    [tenant, lotsMax],
  )
  return rows.map(({ holder, lot, due }) => ({ holder: idOf(holder), lot: idOf(lot), dueSeconds: idOf(due) }))
}
