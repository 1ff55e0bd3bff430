import pg from 'pg'
import { checkJournal } from './checker-journal.ts'
import { checkBatches, checkHolds, checkOrder, checkRefusals } from './checker-life.ts'
import { checkSettlements } from './checker-settlements.ts'
import { checkLots, checkSums, checkTransactions } from './checker-sums.ts'
import type { CheckName, Finding } from './checker-words.ts'
import type { JournalEntry } from './journal.ts'
import { readRaw } from './raw-ledger.ts'

/** All checks on one snapshot of a live database. `journal`: of all clients there were; null: without their checks. */
export async function audit(url: string, journal: readonly JournalEntry[] | null = null): Promise<Finding[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    return await check(client, journal)
  } finally {
    await client.end()
  }
}

/** All checks, in the transaction that the client has open. Everything found, nothing if all is well. */
export async function check(client: pg.Client, journal: readonly JournalEntry[] | null): Promise<Finding[]> {
  const raw = await readRaw(client)
  return [
    ...checkSums(raw),
    ...checkLots(raw),
    ...checkTransactions(raw),
    ...checkRefusals(raw),
    ...checkHolds(raw),
    ...checkOrder(raw),
    ...checkBatches(raw),
    ...checkSettlements(raw),
    ...(journal === null ? [] : checkJournal(raw, journal)),
  ]
}

/** The names of the checks that found something, each once. */
export const redOf = (findings: readonly Finding[]): CheckName[] => [...new Set(findings.map(one => one.check))].sort()
