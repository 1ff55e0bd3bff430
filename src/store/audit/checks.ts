import type pg from 'pg'
import type { Check } from './check.ts'
import { ledgerChecks, makeMovements } from './ledger.ts'
import { limitsCheck } from './limits.ts'

const offendersMax = 10

/** All invariants of the database at this URL, in the order in which they are told. */
export const checksOf = (url: string): readonly Check[] => [...ledgerChecks, limitsCheck(url)]

/**
 * Begins the snapshot in which everything is read, and reads the postings into `movements`. Only hash joins have a
 * price that does not hang on statistics, which a database that was filled a moment ago does not have: all others read
 * one side again for each row of the other.
 */
export async function beginChecks(client: pg.Client): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  await client.query(`SET LOCAL jit = off; SET LOCAL work_mem = '256MB'; SET LOCAL enable_nestloop = off;
    SET LOCAL enable_mergejoin = off`)
  await client.query(makeMovements)
  await client.query('ANALYZE movements')
}

/**
 * The first of what is wrong. Planned as if all of it were wanted: for ten rows the planner takes what is cheap only
 * where there are ten, and mostly there are none.
 */
export const firstWrong = ({ wrong }: Check): string =>
  `WITH w (id) AS MATERIALIZED (${wrong}) SELECT id FROM w LIMIT ${offendersMax}`
