import type { Micros } from '../core/ids.ts'
import type { AccountId } from '../core/ledger.ts'
import type { Pool } from './pool.ts'
import { idOf, microsOf } from './sql.ts'

/** A lot whose unspent value is to be booked as breakage. */
interface DueLot {
  readonly holder: number
  readonly lot: AccountId
  readonly due: Micros
}

/** Lots that are due by the database's clock, the oldest first. */
export async function readDueLots(pool: Pool, tenant: number, lotsMax: number): Promise<DueLot[]> {
  const { rows } = await pool.query<{ holder: string; lot: string; due: string }>(
    `SELECT holder::text, lot::text, ${microsOf('sweep_due')}::text AS due FROM lots
     WHERE tenant = $1 AND sweep_due <= clock_timestamp() ORDER BY tenant, sweep_due LIMIT $2`,
    [tenant, lotsMax],
  )
  return rows.map(({ holder, lot, due }) => ({ holder: idOf(holder), lot: idOf(lot), due: idOf(due) }))
}
