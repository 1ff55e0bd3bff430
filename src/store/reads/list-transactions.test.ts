import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { dayOf, microsPerDay, type TransactionId, transactionIdOf } from '../../core/ids.ts'
import { migrate } from '../migrate.ts'
import { everyTransaction, listTransactions, type PageRequest } from './list-transactions.ts'
import { createReadPool, type ReadPool } from './pool.ts'
import { readSettlementLines } from './settlements.ts'

const day = 20_700
let database: TestDatabase
let pool: pg.Pool
let reads: ReadPool
const ids: TransactionId[] = []

beforeAll(async () => {
  database = await createDatabase({ migrate: async url => void (await migrate(url)) })
  pool = new pg.Pool({ connectionString: database.url, max: 1 })
  reads = createReadPool({ url: database.url, connectionsMax: 1, statementTimeoutMs: 5_000 }, () => undefined)
  // Two each on forty days, one of them at another merchant.
  for (let back = 39; back >= 0; back--) {
    for (const merchant of [1, 2]) ids.unshift(transactionIdOf(day - back, merchant, ids.length))
  }
  await pool.query(
    `INSERT INTO transactions (id, holder, requested, authorized, confirmed, reversed, refunded, at, card, tenant, day,
       merchant, business_date, asset, version, phase, reason, kind, reference)
     SELECT id, 1, 5, 5, 0, 0, 0, timestamptz 'epoch' + day * interval '1 day', gen_random_uuid(), 1, day,
       id & 127, day, 1, 0, 1, 0, 0, 'b'
     FROM unnest($1::bigint[], $2::integer[]) AS u(id, day)`,
    [ids, ids.map(dayOf)],
  )
})
afterAll(async () => {
  await pool?.end()
  await reads?.close()
  await database?.drop()
})

type Filter = PageRequest['filter']

async function pagesOf(over: Partial<Filter>, limit: number): Promise<TransactionId[][]> {
  const pages: TransactionId[][] = []
  let before: TransactionId | null = null
  do {
    const filter = { ...everyTransaction, ...over }
    const request: PageRequest = { tenant: 1, filter, limit, before, merchantsOfTenant: [1, 2], today: day }
    const page = await listTransactions(reads.query, request)
    pages.push(page.items.map(({ transaction }) => transaction.id))
    before = page.before
  } while (before !== null)
  return pages
}

test.each([
  // filter, limit, the sizes of the pages
  [{}, 50, [50, 30]],
  [{}, 40, [40, 40]],
  [{}, 200, [62, 18]],
  [{ merchants: [1] }, 25, [25, 15]],
  [{ merchants: [9] }, 10, [0, 0]],
  [{ from: (day - 2) * microsPerDay }, 4, [4, 2]],
  [{ to: (day - 35) * microsPerDay }, 50, [8]],
  [{ to: (day - 100) * microsPerDay }, 50, [0]],
  [{ reference: 'b' }, 30, [30, 30, 20]],
  [{ reference: 'b', merchants: [2] }, 30, [30, 10]],
  [{ reference: 'c' }, 30, [0]],
  [{ holder: 1 }, 50, [50, 30]],
  [{ holder: 1, merchants: [2], from: (day - 2) * microsPerDay }, 2, [2, 1]],
  [{ holder: 2 }, 10, [0]],
  [{ cards: ['a'.repeat(32)] }, 10, [0]],
  [{ minAmount: 5n, maxAmount: 5n, reason: 'approved' }, 100, [62, 18]],
  [{ minAmount: 6n }, 10, [0, 0]],
  [{ maxAmount: 4n }, 10, [0, 0]],
  [{ reason: 'insufficient_funds' }, 10, [0, 0]],
  [{ funder: 1 }, 10, [0, 0]],
])('pages of %o by %i', async (filter, limit, sizes) => {
  const pages = await pagesOf(filter, limit)
  expect(pages.map(page => page.length)).toEqual(sizes)
  const all = pages.flat()
  expect(all).toEqual(all.toSorted((one, other) => other - one))
  expect(new Set(all).size).toBe(all.length)
})

test('lines of a settlement, a thousand at a time', async () => {
  await pool.query(`INSERT INTO tenants (id, code, name, currency, time_zone, cut_over_seconds, clearing_account,
    breakage_account, fees_account) VALUES (1, 't', 't', 1, 'UTC', 0, -1, -2, -3)`)
  await pool.query(`BEGIN; INSERT INTO assets VALUES (1, 1, 'IRR', '364', 0);
    INSERT INTO accounts VALUES (1, -1, 'payable', 1, 'm');
    INSERT INTO merchants VALUES (1, 1, 'M1', 'One', NULL, -1);
    INSERT INTO settlement_requests VALUES (clock_timestamp(), '00000000-0000-0000-0000-000000000001', 1, '');
    INSERT INTO settlements (tenant, merchant, number, after_batch, up_to_batch, business_date, closed_at, request)
    VALUES (1, 1, 1, 0, 1, ${day}, clock_timestamp(), '00000000-0000-0000-0000-000000000001');
    COMMIT`)
  const first = transactionIdOf(day, 0, 1_000_000)
  await pool.query(
    `INSERT INTO transactions (id, requested, authorized, confirmed, reversed, refunded, at, card, tenant, day,
       business_date, asset, version, phase, reason, kind)
     SELECT $1::bigint + n, 5, 5, 5, 0, 0, clock_timestamp(), gen_random_uuid(), 1, $2, $2, 1, 0, 2, 0, 0
     FROM generate_series(1, 2500) AS n`,
    [first, day],
  )
  await pool.query(
    `INSERT INTO settlement_lines
     SELECT 1, s.id, $1::bigint + n, 0, n FROM settlements s, generate_series(1, 2500) AS n`,
    [first],
  )
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM settlements')
  const sizes: number[] = []
  let sum = 0n
  for await (const lines of readSettlementLines(reads.query, 1, Number.parseInt(rows[0]?.id ?? '', 10))) {
    sizes.push(lines.length)
    for (const { amount } of lines) sum += amount
  }
  expect([sizes, sum]).toEqual([[1000, 1000, 500], 3_126_250n])
})
