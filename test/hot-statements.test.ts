import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dayOf } from '../src/core/ids.ts'
import { switchKey } from '../src/core/keys.ts'
import { noNote } from '../src/core/loads.ts'
import { nowMicros } from '../src/ops/clock.ts'
import { migrate } from '../src/store/migrate.ts'
import { laneOptions } from '../src/store/session.ts'
import { type Statement, statement, type Value } from '../src/store/sql.ts'
import { commandsOf, newClientKey, newKey, originalKey } from './support/commands.ts'
import { createDatabase, type TestDatabase } from './support/database.ts'
import { objectionTo, scansOf } from './support/plans.ts'
import { nameOf, quietEvents, riggedConnect } from './support/rigging.ts'
import { startBalance, startLedger, type TestLedger, tokenOf } from './support/switch.ts'

/** Every statement of the two flights, with values as they came in a batch of several commands. */
const hot = new Map<string, Statement>()
const expectedNames = [
  ...['fence', 'lock_names', 'lock_holders_wait', 'lock_holders_of_originals_wait', 'read_decisions'],
  ...['read_transactions', 'read_transactions_by_key', 'read_cards', 'read_lots'],
  ...['read_watermarks', 'read_remembered_reversals', 'read_clock', 'read_partitions'],
  ...['insert_decisions', 'insert_transactions', 'update_transactions', 'update_lots', 'update_read_lots'],
  ...['insert_hold_deadlines', 'update_pin_tries'],
  ...[
    'lock_organisations',
    'read_lots_of_transactions',
    'draw_lots',
    'insert_lots',
    'update_lot_expiry',
    'update_usage',
  ],
  ...['update_organisations', 'insert_movements', 'insert_organisation_movements'],
  ...['insert_remembered_reversals', 'delete_remembered_reversals', 'insert_batch'],
  ...['resolve_key', 'resolve_key_range', 'resolve_rrn', 'resolve_reference'],
]
/** Tables that do not grow with the traffic of a day. */
const small = /^(?:settlements)$/
const oldRows = 40_000

const credit = [{ program: 'credit', amount: startBalance }]

let ledger: TestLedger
let empty: TestDatabase
let onEmpty: pg.Client
let onBig: pg.Client

const connect = async (url: string): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: url, options: laneOptions })
  await client.connect()
  return client
}

beforeAll(async () => {
  const limits = [
    { of: 'account', per: 'day', count: 1_000_000 },
    { of: 'organisation', per: 'month', count: 1_000_000 },
  ]
  ledger = await startLedger({ programs: [{ code: 'credit', kind: 'credit', terms: { limits } }], load: credit })
  empty = await createDatabase({ migrate: async url => void (await migrate(url)) })
  await catchStatements(ledger)
  await addOldDay(ledger)
  onBig = await connect(ledger.url)
  onEmpty = await connect(empty.url)
})

afterAll(async () => {
  await Promise.all([onBig?.end(), onEmpty?.end()])
  await ledger.close()
  await empty.drop()
})

const weightOfValue = (value: Value): number =>
  typeof value !== 'object' || value === null ? 1 : value.values.length === 0 ? 0 : 1_000 + value.values.join().length

/** The more of its arrays have something in them, and the longer they are, the more a statement shows. */
const weightOf = ({ values }: Statement): number => values.reduce<number>((sum, value) => sum + weightOfValue(value), 0)

/** Runs commands of every kind and keeps the weightiest of each statement that their batches send. */
async function catchStatements({ url, catalog, engine: engineOf }: TestLedger): Promise<void> {
  const keep = (one: Statement): Statement => {
    const name = nameOf(one)
    const known = hot.get(name)
    if (known === undefined || weightOf(known) < weightOf(one)) hot.set(name, one)
    return one
  }
  const engine = engineOf({ laneCount: 1, events: quietEvents, connect: riggedConnect(url, { rewrite: keep }) })
  // Another engine has no memory of keys, so that originals are looked up.
  const second = engineOf({ laneCount: 1, events: quietEvents, connect: riggedConnect(url, { rewrite: keep }) })
  const commands = commandsOf(catalog.tenant.id)
  const opened = Array.from({ length: 12 }, (_, n) =>
    commands.authorize({
      card: tokenOf(1 + n),
      key: n % 2 === 0 ? newKey() : newClientKey(),
      reference: `bill-${n}`,
      rrn: `0000000000${10 + n}`,
    }),
  )
  await Promise.all(opened.map(command => engine.submit(command)))
  const { tenant, merchant } = opened[0] as (typeof opened)[number]
  const base = { tenant, channel: 'switch', day: null, content: '00' } as const
  const movement = { ...base, holder: 1, program: 1, note: noNote } as const
  const expiresAt = nowMicros() + 2_000_000
  await Promise.all([
    engine.submit({ ...movement, kind: 'load', key: switchKey('load', 1_000), funder: 1, amount: 1n, expiresAt }),
    engine.submit({ ...movement, kind: 'clawback', key: switchKey('load', 1_001), funder: null, amount: 1n }),
    engine.submit({
      ...base,
      kind: 'deposit',
      key: switchKey('load', 1_002),
      organisation: 1,
      amount: 1n,
      note: noNote,
    }),
  ])
  const held = commands.authorize({ card: tokenOf(1), amount: 1n })
  await engine.submit(held)
  await sleep((expiresAt - nowMicros()) / 1_000 + 100)
  await second.submit(commands.reverse(originalKey(held)))
  const by = (n: number) => originalKey(opened[n] as (typeof opened)[number])
  const { key } = opened[8] as (typeof opened)[number]
  await Promise.all([
    ...[0, 1, 2].map(n => second.submit(commands.confirm(by(n)))),
    ...[3, 4].map(n => second.submit(commands.reverse(by(n)))),
    second.submit(commands.confirm({ by: 'rrn', merchant, rrn: '000000000015' })),
    second.submit(commands.confirm({ by: 'reference', merchant, reference: 'bill-6' })),
    second.submit(commands.confirm({ by: 'keyRange', from: key, to: key })),
    second.submit(commands.reverse({ by: 'reference', merchant, reference: 'early' })),
  ])
  await Promise.all([13, 14].map(n => second.submit(commands.authorize({ card: tokenOf(n), pin: 'wrong' }))))
  await Promise.all([second.submit(commands.refund(by(0))), second.submit(commands.authorize({ reference: 'early' }))])
  await second.submit(commands.reverse(by(1)))
}

/** Yesterday's partitions are big and have statistics; today's are small and have none. No other table has any. */
async function addOldDay({ pool }: TestLedger): Promise<void> {
  const yesterday = 'floor(extract(epoch FROM clock_timestamp()) / 86400)::integer - 1'
  await pool.query(
    `INSERT INTO decisions
     SELECT (jsonb_populate_record(d, jsonb_build_object('key', gen_random_uuid(), 'day', ${yesterday}))).*
     FROM decisions d, generate_series(1, ${oldRows})
     WHERE d.key = (SELECT key FROM decisions WHERE kind = 0 LIMIT 1)`,
  )
  await pool.query(
    `INSERT INTO transactions
     SELECT (jsonb_populate_record(t, jsonb_build_object('id', n, 'day', ${yesterday}, 'rrn', n::text,
       'reference', n::text))).*
     FROM transactions t, generate_series(1, ${oldRows}) n WHERE t.id = (SELECT id FROM transactions LIMIT 1)`,
  )
  await pool.query(`INSERT INTO cardholders SELECT 1000 + n, 1 FROM generate_series(1, ${oldRows}) n`)
  await pool.query(
    `INSERT INTO cards (token, holder, tenant, last4) SELECT gen_random_uuid(), 1000 + n, 1, '0000'
     FROM generate_series(1, ${oldRows}) n`,
  )
  await pool.query(
    `INSERT INTO lots (holder, lot, tenant, program, funder, asset) SELECT 1000 + n, 1000 + n, 1, 1, 1, 1
     FROM generate_series(1, ${oldRows}) n`,
  )
  const { rows } = await pool.query<{ day: number }>(`SELECT ${yesterday} AS day`)
  await pool.query(`ANALYZE decisions_${rows[0]?.day}, transactions_${rows[0]?.day}`)
}

test('all statements of the two flights are here', () => {
  const known = [...hot.keys()].filter(name => name !== 'begin' && name !== 'commit').sort()
  expect(known).toEqual([...expectedNames].sort())
})

describe.each([
  ['on empty tables', () => onEmpty],
  ['on a new partition beside a big old one', () => onBig],
] as const)('%s', (_name, client) => {
  test.each(expectedNames)('%s reads by index, on tenant and key', async name => {
    const scans = await scansOf(client(), hot.get(name) as Statement)
    const objections = scans.filter(({ table }) => !small.test(table)).map(objectionTo)
    expect(objections.filter(objection => objection !== null)).toEqual([])
  })
})

test('of the tables that batches read, no index but the primary key begins with the tenant', async () => {
  const { rows } = await ledger.pool.query<{ index: string }>(
    `SELECT i.indexrelid::regclass::text AS index FROM pg_index i
     JOIN pg_class c ON c.oid = i.indrelid
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
     WHERE c.relname = ANY ($1) AND a.attname = 'tenant' AND NOT i.indisprimary AND i.indpred IS NULL`,
    [['cardholders', 'cards', 'lots', 'transactions', 'decisions', 'organisation_counters']],
  )
  expect(rows).toEqual([])
})

test.each(['lock_holders_of_originals_wait', 'read_decisions', 'read_transactions', 'read_transactions_by_key'])(
  '%s looks into no partition but those of its days',
  async name => {
    const one = hot.get(name) as Statement
    const scans = await scansOf(onBig, one, { runs: true })
    const days = await onBig.query<{ day: number }>(
      'SELECT floor(extract(epoch FROM clock_timestamp()) / 86400)::integer AS day',
    )
    const today = days.rows[0]?.day as number
    const visited = scans.filter(({ loops }) => loops !== 0).map(({ table }) => table)
    const partitions = [...new Set(visited.filter(table => /_(?:\d+|other)$/.test(table)))]
    const allowed = [today, today - 1].flatMap(day => [`decisions_${day}`, `transactions_${day}`])
    expect(partitions.length).toBeGreaterThan(0)
    expect(allowed).toEqual(expect.arrayContaining(partitions))
  },
)

describe('the check goes red on', () => {
  test.each([
    ['a whole tenant', 'SELECT * FROM decisions WHERE tenant = $1', [1], /no index condition on a key/],
    ['a column without index', 'SELECT * FROM transactions WHERE phase = $1', [1], /is read whole/],
    [
      'a key without tenant',
      'SELECT * FROM cards WHERE token = $1',
      ['0'.repeat(32)],
      /is read whole|no index .* tenant/,
    ],
  ])('%s', async (_name, text, values, objection) => {
    const scans = await scansOf(onBig, statement<string | number>('bad', text, values))
    expect(scans.map(objectionTo).find(one => one !== null)).toMatch(objection)
  })
})

test('a transaction that is inserted and then updated once stays on its page: HOT at least 0.95', async () => {
  const { catalog, pool } = ledger
  const engine = ledger.engine({ laneCount: 1, events: quietEvents })
  const commands = commandsOf(catalog.tenant.id)
  const { rows: before } = await pool.query(updatesText)
  let day = 0
  for (let round = 0; round < 12; round++) {
    const opened = Array.from({ length: 128 }, (_, n) => commands.authorize({ card: tokenOf(1 + (n % 20)) }))
    const results = await Promise.all(opened.map(command => engine.submit(command)))
    const [first] = results
    if (first?.kind === 'decided') day = dayOf(first.decision.transaction as number)
    await Promise.all(opened.map(command => engine.submit(commands.confirm(originalKey(command)))))
  }
  // A session tells its counts when it ends.
  await engine.close()
  const updates = async () => (await pool.query<{ table: string; all: number; hot: number }>(updatesText)).rows
  const since = async () =>
    (await updates()).map(row => {
      const old = before.find(({ table }) => table === row.table)
      return { ...row, all: row.all - (old?.all ?? 0), hot: row.hot - (old?.hot ?? 0) }
    })
  const own = async () => (await since()).find(({ table }) => table === `transactions_${day}`)
  for (let wait = 0; wait < 40 && ((await own())?.all ?? 0) < 12 * 128; wait++) await sleep(100)
  const { all, hot: hotUpdates } = (await own()) as { all: number; hot: number }
  expect(all).toBeGreaterThanOrEqual(12 * 128)
  expect(hotUpdates / all).toBeGreaterThanOrEqual(0.95)
})

const updatesText = `SELECT relname AS table, n_tup_upd::int AS all, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables
  WHERE relname ~ '^(transactions_|lots$)'`
