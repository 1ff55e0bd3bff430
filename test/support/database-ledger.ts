import type { Command } from '../../src/core/commands.ts'
import type { Outcome } from '../../src/core/decision.ts'
import type { Lot } from '../../src/core/ledger.ts'
import type { Decision } from '../../src/core/transactions.ts'
import type { Submit } from '../../src/engine/result.ts'
import { decisionColumns, decisionOf, lotColumns, lotOf } from '../../src/store/batch/columns.ts'
import { fenceClass } from '../../src/store/batch/lock.ts'
import { TextReader } from '../../src/store/rows.ts'
import type { TestLedger } from './switch.ts'

export type Decided = Extract<Outcome, { kind: 'decided' }>

/** One command, whose answer must be a decision. */
export async function ask(engine: Submit, command: Command): Promise<Decided> {
  const result = await engine.submit(command)
  if (result.kind !== 'decided') throw new Error(`no decision on a ${command.kind} but ${JSON.stringify(result)}`)
  return result
}

export const reasonOf = (outcome: { kind: string; decision?: { reason: string } }): string =>
  outcome.decision?.reason ?? outcome.kind

async function rowsOf({ pool }: TestLedger, text: string, values: unknown[]): Promise<TextReader[]> {
  const types = { getTypeParser: () => (value: string) => value }
  const { rows } = await pool.query({ text, values, rowMode: 'array', types: types as never })
  return rows.map(values => new TextReader(values as (string | null)[]))
}

export async function readLots(ledger: TestLedger, tenant = ledger.catalog.tenant.id): Promise<Lot[]> {
  const rows = await rowsOf(ledger, `SELECT ${lotColumns('l')} FROM lots l WHERE tenant = $1 ORDER BY l.lot`, [tenant])
  return rows.flatMap(row => lotOf(row) ?? [])
}

/** Every stored answer, in the order of deciding. */
export async function readDecisions(ledger: TestLedger, tenant = ledger.catalog.tenant.id): Promise<Decision[]> {
  const text = `SELECT ${decisionColumns('d')} FROM decisions d WHERE tenant = $1 ORDER BY d.batch_seq, d.idx`
  return (await rowsOf(ledger, text, [tenant])).map(decisionOf)
}

/** Sets the watermark of a merchant, as closing a settlement does; answers up to which batch it takes. */
export async function closeSettlement({ pool, catalog }: TestLedger, merchant: number): Promise<number> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query(`SELECT pg_advisory_xact_lock(${fenceClass}, $1::integer)`, [catalog.tenant.id])
    const { rows } = await client.query<{ last: string }>(
      `WITH request AS (INSERT INTO settlement_requests (at, key, tenant, content)
         VALUES (clock_timestamp(), gen_random_uuid(), $1, '') RETURNING key)
       INSERT INTO settlements (tenant, merchant, number, after_batch, up_to_batch, business_date, closed_at, request)
       SELECT $1, $2, count(*) + 1, coalesce(max(up_to_batch), -1), nextval('batch_seq'), 0, clock_timestamp(),
         (SELECT key FROM request)
       FROM settlements WHERE tenant = $1 AND merchant = $2 RETURNING up_to_batch::text AS last`,
      [catalog.tenant.id, merchant],
    )
    await client.query('COMMIT')
    return Number.parseInt(rows[0]?.last ?? '', 10)
  } finally {
    client.release()
  }
}
