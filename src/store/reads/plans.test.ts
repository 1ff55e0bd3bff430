import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { transactionIdOf } from '../../core/ids.ts'
import { migrate } from '../migrate.ts'
import { type Statement, statement } from '../sql.ts'
import { cardStatement, holderStatement } from './cards.ts'
import {
  byReference,
  byTerminalsNumber,
  everyTransaction,
  latestDay,
  ofDay,
  ofHolders,
  type PageRequest,
} from './list-transactions.ts'
import { createReadPool, type ReadPool } from './pool.ts'
import { linesStatement, settlementStatement } from './settlements.ts'
import { transactionStatement } from './transactions.ts'

let database: TestDatabase
let pool: ReadPool
let today: number

beforeAll(async () => {
  database = await createDatabase({ migrate: async url => void (await migrate(url)) })
  pool = createReadPool({ url: database.url, connectionsMax: 1, statementTimeoutMs: 5_000 }, () => undefined)
  const [row] = await pool.query(statement('', 'SELECT floor(extract(epoch FROM clock_timestamp()) / 86400)::integer'))
  today = Number.parseInt(row?.[0] ?? '', 10)
})
afterAll(async () => {
  await pool?.close()
  await database?.drop()
})

const explain = async ({ text, values }: Statement): Promise<string> => {
  const rows = await pool.query({ name: '', text: `EXPLAIN (COSTS OFF) ${text}`, values, rowMode: 'array' })
  return rows.map(row => row[0]).join('\n')
}

const page = (over: Partial<PageRequest['filter']> = {}): PageRequest => ({
  tenant: 1,
  filter: { ...everyTransaction, ...over },
  limit: 50,
  before: transactionIdOf(today, 0, 5),
  merchantsOfTenant: [1, 2],
  today,
})

describe('plans on empty tables and new partitions', () => {
  test.each([
    // name, statement, index conditions that the plan must have
    ['one', () => transactionStatement(1, transactionIdOf(today, 1, 1)), /tenant.*day.*id/],
    ['a day', () => ofDay(page(), today), /tenant = 1\) AND \(day = \d+\) AND \(id < /],
    ['a day, settled', () => ofDay(page({ phase: 'settled' }), today), /tenant = 1\) AND \(day = \d+\) AND \(id < /],
    ['a day of a merchant', () => ofDay(page({ merchants: [1] }), today), /tenant = 1\) AND \(day = \d+\) AND \(id < /],
    ['the latest day', () => latestDay(1, transactionIdOf(today, 0, 5)), /tenant = 1\) AND \(day <= \d+\) AND \(id < /],
    ['by bill', () => byReference(page({ reference: 'b' }), 'b'), /tenant.*merchant.*reference = /],
    ['of a holder', () => ofHolders(page({ holder: 1 })), /holder = /],
    ['of cards', () => ofHolders(page({ cards: ['a'.repeat(32)] })), /holder = /],
    ['by number', () => byTerminalsNumber(page({ rrn: 'r' }), 'r'), /tenant.*merchant.*rrn = /],
    ['a card', () => cardStatement(1, 'a'.repeat(32)), /tenant.*token/],
    ['a holder', () => holderStatement(1, 1), /tenant.*id = /],
    ['a settlement', () => settlementStatement(1, 1), /tenant = 1\) AND \(id = /],
    ['lines', () => linesStatement(1, 1, 0), /tenant = 1\) AND \(settlement = .*txn > /],
  ] as const)('%s', async (_name, statementOf, condition) => {
    const { text, values } = statementOf()
    const literal = text.replaceAll(/\$(\d+)/g, (_parameter, number: string) => {
      const value = values[Number.parseInt(number, 10) - 1] ?? null
      return typeof value === 'string' ? `'${value}'` : String(value)
    })
    const plan = await explain({ ...statementOf(), text: literal, values: [] })
    expect(plan).not.toMatch(/Seq Scan on (?:transactions|lots|cards|settlement_lines)/)
    expect(plan).toMatch(new RegExp(`Index Cond: .*${condition.source}`))
  })

  test('a list reads in the order of the index: it can stop after a page', async () => {
    const { text, values } = ofDay(page(), today)
    const literal = text.replaceAll(/\$(\d+)/g, (_parameter, number: string) =>
      String(values[Number.parseInt(number, 10) - 1]),
    )
    const plan = await explain({ name: '', text: literal, values: [], rowMode: 'array' })
    expect(plan).toMatch(new RegExp(`Index Scan Backward using transactions_${today}_pkey`))
    expect(plan).not.toMatch(/Sort/)
  })
})

test('the connections change nothing', async () => {
  await expect(pool.query(statement('', 'CREATE TABLE x (y integer)'))).rejects.toThrow('read-only')
})
