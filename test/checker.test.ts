import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { switchKey } from '../src/core/keys.ts'
import { SettlementService } from '../src/engine/settlement.ts'
import { nowMicros } from '../src/ops/clock.ts'
import { createReadPool } from '../src/store/reads/pool.ts'
import { check, redOf } from './support/checker.ts'
import type { CheckName } from './support/checker-words.ts'
import { commandsOf, JournaledClient, newKey, originalKey } from './support/commands.ts'
import { Journal, type JournalEntry, readJournal } from './support/journal.ts'
import { runMixedLoad } from './support/mixed-load.ts'
import { quietEvents } from './support/rigging.ts'
import { startLedger, type TestLedger, tokenOf } from './support/switch.ts'

let ledger: TestLedger
let folder: string
let journal: Journal
let client: pg.Client

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'charsu-checker-'))
  ledger = await startLedger({ cards: 8 })
  journal = await Journal.create(join(folder, 'journal'))
  const engine = ledger.engine({ events: quietEvents })
  const load = new JournaledClient(engine, journal)
  const commands = commandsOf(ledger.catalog.tenant.id)
  const options = { client: load, commands, cards: 8, workers: 8, purchases: 25 }
  const short = commands.authorize({ card: tokenOf(7), confirmWithinSeconds: 1 })
  const expiring = await load.send(short)
  await runMixedLoad({ ...options, seed: 1 })
  await load.send(commands.authorize({ card: tokenOf(8), amount: 10n ** 12n }))
  const early = newKey()
  const original = { by: 'key', key: early, day: short.day } as const
  await load.send(commands.reverse(original))
  await load.send(commands.authorize({ key: early, card: tokenOf(3) }))
  const captured = commands.authorize({ card: tokenOf(2), capture: true })
  await load.send(captured)
  await load.send(commands.refund(originalKey(captured), { amount: 400n }))
  await load.send(commands.confirm(originalKey(short), { amount: 10n ** 9n }))
  await sleep(1_100)
  if (expiring.kind !== 'decided' || expiring.decision.transaction === null) throw new Error('no hold to expire')
  const id = expiring.decision.transaction
  const { tenant } = short
  const base = { tenant, channel: 'switch', day: null, content: '00' } as const
  await engine.submit({ ...base, kind: 'expire', key: switchKey('expire', id), id })
  const reads = createReadPool({ url: ledger.url, connectionsMax: 1, statementTimeoutMs: 5_000 }, () => undefined)
  const { pool, catalog } = ledger
  const service = { pool, query: reads.query, submit: engine, catalogOf: () => catalog, now: nowMicros }
  await new SettlementService(service).close({
    tenant,
    key: 'aa'.repeat(16),
    content: '00',
    merchant: null,
    businessDate: null,
    merchants: '*',
  })
  await reads.close()
  client = new pg.Client({ connectionString: ledger.url })
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await journal.close()
  await ledger.close()
  await rm(folder, { recursive: true, force: true })
})

/** Damages the ledger, checks it and undoes the damage. */
async function checkDamaged(statements: readonly string[], entries: readonly JournalEntry[]): Promise<CheckName[]> {
  await client.query('BEGIN')
  try {
    for (const statement of statements) {
      const { rowCount } = await client.query(statement)
      if (rowCount === 0) throw new Error(`no damage was done by ${statement}`)
    }
    return redOf(await check(client, entries))
  } finally {
    await client.query('ROLLBACK')
  }
}

test('a sound ledger is green, and the load has made one of everything', async () => {
  expect(await check(client, journal.entries)).toEqual([])
  const { rows } = await client.query<{ kinds: string; phases: string }>(
    `SELECT (SELECT string_agg(DISTINCT kind::text, ',' ORDER BY kind::text) FROM decisions) AS kinds,
       (SELECT string_agg(DISTINCT phase::text, ',' ORDER BY phase::text) FROM transactions) AS phases`,
  )
  expect(rows).toEqual([{ kinds: '0,1,2,3,4,5,6,7,8', phases: '0,1,2,3,4' }])
})

test('a journal that is read back says the same', async () => {
  const entries = await readJournal(join(folder, 'journal'))
  expect(entries).toEqual(journal.entries)
  expect(await check(client, entries)).toEqual([])
})

const decision = (which: string): string =>
  `(tenant, day, key) = (SELECT tenant, day, key FROM decisions WHERE ${which} ORDER BY batch_seq, idx LIMIT 1)`
const transaction = (which: string): string =>
  `(tenant, day, id) = (SELECT tenant, day, id FROM transactions WHERE ${which} ORDER BY id LIMIT 1)`
const aConfirm = decision('kind = 1 AND reason = 0 AND legs[3] < 0')
const anAuthorize = decision('kind = 0 AND reason = 0 AND legs[3] > 0')
const aRefusal = decision('reason = 24')
const aLine = 'txn = (SELECT min(txn) FROM settlement_lines)'
const anOpenHold = transaction('phase = 1')
const aConfirmed = transaction('phase = 2 AND kind = 0')

test.each<[name: string, statements: readonly string[], red: readonly CheckName[]]>([
  ['a posting dropped', [`UPDATE decisions SET legs = NULL WHERE ${aConfirm}`], ['C1', 'C2', 'C8', 'C12']],
  ['a posting doubled', [`UPDATE decisions SET legs = legs || legs WHERE ${aConfirm}`], ['C1', 'C2', 'C8', 'C12']],
  ['a posting on an unknown account', [`UPDATE decisions SET legs[2] = -999 WHERE ${aConfirm}`], ['C1', 'C12']],
  ['an amount edited', [`UPDATE decisions SET legs[4] = legs[4] + 1 WHERE ${aConfirm}`], ['C1', 'C2', 'C8', 'C12']],
  ['an answer edited', [`UPDATE decisions SET authorized = authorized + 1 WHERE ${anAuthorize}`], ['C3', 'C12']],
  ['a counter edited', ['UPDATE lots SET credits_posted = credits_posted + 1 WHERE lot = 1'], ['C1', 'C2']],
  ['a hold flipped to confirmed', [`UPDATE transactions SET phase = 2 WHERE ${anOpenHold}`], ['C2', 'C8']],
  ['a hold emptied', [`UPDATE transactions SET legs[4] = 0 WHERE ${anOpenHold}`], ['C2', 'C8']],
  ['a confirmed one flipped to a hold', [`UPDATE transactions SET phase = 1 WHERE ${aConfirmed}`], ['C2']],
  ['a sum of a transaction edited', [`UPDATE transactions SET confirmed = confirmed + 1 WHERE ${aConfirmed}`], ['C2']],
  [
    'an authorized sum edited',
    [`UPDATE transactions SET authorized = authorized + 1 WHERE ${anOpenHold}`],
    ['C2', 'C8'],
  ],
  [
    'a hold dated before its confirm',
    [`UPDATE transactions SET expires_at = at WHERE id = (SELECT txn FROM decisions WHERE ${aConfirm})`],
    ['C8'],
  ],
  ['a decision deleted', [`DELETE FROM decisions WHERE ${aConfirm}`], ['C1', 'C2', 'C3', 'C8', 'C12']],
  ['a refusal deleted', [`DELETE FROM decisions WHERE ${aRefusal}`], ['C4', 'C12']],
  ['a transaction deleted', [`DELETE FROM transactions WHERE ${anOpenHold}`], ['C2']],
  [
    'a transaction that nobody asked for',
    [
      `INSERT INTO transactions SELECT (jsonb_populate_record(t, '{"id": 1, "phase": 0, "legs": null}')).*
       FROM transactions t WHERE ${anOpenHold}`,
    ],
    ['C4'],
  ],
  [
    'a decision under two days',
    [
      `INSERT INTO decisions SELECT (jsonb_populate_record(d, jsonb_build_object('day', d.day + 1))).*
       FROM decisions d WHERE ${anAuthorize}`,
    ],
    ['C1', 'C2', 'C6', 'C8', 'C12'],
  ],
  [
    'a decision that nobody asked for',
    [`UPDATE decisions SET key = gen_random_uuid() WHERE ${aRefusal}`],
    ['C4', 'C12'],
  ],
  [
    'a refusal that moves money',
    [`UPDATE decisions SET legs = (SELECT legs FROM decisions WHERE ${anAuthorize}) WHERE ${aRefusal}`],
    ['C5'],
  ],
  ['a refusal flipped to an approval', [`UPDATE decisions SET reason = 0 WHERE ${aRefusal}`], ['C5', 'C12']],
  ['an approval flipped to a refusal', [`UPDATE decisions SET reason = 24 WHERE ${anAuthorize}`], ['C3', 'C5', 'C12']],
  ['a batch deleted', ['DELETE FROM batches WHERE seq = (SELECT max(seq) FROM batches)'], ['C12']],
  ['a link of the chain taken out', ['DELETE FROM batches WHERE position = 3'], ['C12']],
  ['a hash edited', ["UPDATE batches SET hash = sha256('x') WHERE position = 2"], ['C12']],
  [
    'a batch with a part of its decisions',
    ['UPDATE batches SET decisions = decisions + 1 WHERE position = 2'],
    ['C12'],
  ],
  [
    'a decision moved to the end of all',
    [`UPDATE decisions SET batch_seq = 1000000 WHERE ${anAuthorize}`],
    ['C11', 'C12'],
  ],
  [
    'a load that came after the spends',
    ['UPDATE decisions SET batch_seq = 1000000 + batch_seq WHERE kind = 6'],
    ['C7', 'C12'],
  ],
  ['a line of a settlement deleted', [`DELETE FROM settlement_lines WHERE ${aLine}`], ['settlements']],
  [
    'a line of a settlement edited',
    [`UPDATE settlement_lines SET amount = amount + 1 WHERE ${aLine}`],
    ['settlements'],
  ],
  [
    'a total of a settlement edited',
    ['UPDATE settlements SET net = net + 1, purchases = purchases + 1'],
    ['settlements'],
  ],
  ['a watermark moved back', ['UPDATE settlements SET up_to_batch = up_to_batch - 5'], ['settlements']],
  ['a settlement with a gap before it', ['UPDATE settlements SET after_batch = 0, number = 2'], ['settlements']],
  ['a settlement that was not posted', ['UPDATE decisions SET legs = NULL WHERE kind = 7'], ['settlements', 'C12']],
])('red on: %s', async (_name, statements, red) => {
  const found = await checkDamaged(statements, journal.entries)
  expect(found).toEqual(expect.arrayContaining([...red]))
})

test.each<[name: string, change: (entries: JournalEntry[]) => void, red: readonly CheckName[]]>([
  [
    'an acknowledged request is not there',
    entries => {
      Object.assign(pick(entries, 'ok'), { key: newKey() })
    },
    ['C3', 'C4'],
  ],
  [
    'a refusal was told and there is an effect',
    entries => {
      Object.assign(pick(entries, 'ok'), { outcome: 'fail' })
    },
    ['C5'],
  ],
  [
    'another amount was told',
    entries => {
      const entry = pick(entries, 'ok')
      entry.answer = { ...entry.answer, authorized: '77' }
    },
    ['C3'],
  ],
  [
    'another transaction was told',
    entries => {
      const entry = pick(entries, 'ok')
      entry.answer = { ...entry.answer, transaction: 77 }
    },
    ['C3'],
  ],
  [
    'a request is in no journal',
    entries => {
      entries.splice(entries.indexOf(pick(entries, 'ok')), 1)
    },
    ['C4'],
  ],
  [
    'a request was sent after a later one was answered',
    entries => {
      const entry = pick(entries, 'ok')
      Object.assign(entry, { sent: 10 ** 9, answered: null })
    },
    ['C11'],
  ],
])('red on a journal in which %s', async (_name, change, red) => {
  const entries = structuredClone(journal.entries)
  change(entries)
  expect(redOf(await check(client, entries))).toEqual(red)
})

/** The first that was told only once and that no other request names. */
function pick(entries: readonly JournalEntry[], outcome: JournalEntry['outcome']): JournalEntry {
  const times = Map.groupBy(entries, ({ key }) => key)
  const named = new Set(entries.map(({ original }) => (original !== null && 'key' in original ? original.key : '')))
  const found = entries.find(
    ({ command, outcome: own, key }) =>
      command === 'authorize' && own === outcome && times.get(key)?.length === 1 && !named.has(key),
  )
  if (found === undefined) throw new Error(`no ${outcome} in the journal`)
  return found
}
