import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../../test/support/database.ts'
import { type RowReader, TextReader } from './rows.ts'
import { Session } from './session.ts'
import { bigints, type Column, places, statement, texts, timestamps, uuids } from './sql.ts'

let database: TestDatabase
let session: Session
let client: pg.Client

beforeAll(async () => {
  database = await createDatabase({})
  session = await Session.connect(database.url)
  client = new pg.Client({ connectionString: database.url, types: { getTypeParser: () => (text: string) => text } })
  await client.connect()
})

afterAll(async () => {
  await client?.end()
  await session?.close()
  await database?.drop()
})

/** What both ways of reading make of the rows of a query without parameters. */
async function bothOf<Value>(text: string, read: (row: RowReader) => Value): Promise<[Value[], Value[]]> {
  const [reply] = await session.run([statement(`read_${text}`.slice(0, 60), text)], { commits: false })
  const binary = reply?.rows.map(read) ?? []
  await session.forgetStatements()
  const { rows } = await client.query<(string | null)[]>({ text, rowMode: 'array' })
  return [binary, rows.map(row => read(new TextReader(row)))]
}

test.each<[string, (row: RowReader) => unknown, unknown]>([
  ['1::smallint', row => row.number(), 1],
  ['-2::integer', row => row.number(), -2],
  ['9007199254740991::bigint', row => row.number(), Number.MAX_SAFE_INTEGER],
  ['-9007199254740991::bigint', row => row.numberOrNull(), Number.MIN_SAFE_INTEGER],
  ['NULL::bigint', row => row.numberOrNull(), null],
  ['9223372036854775807::bigint', row => row.money(), 9_223_372_036_854_775_807n],
  ['-1::bigint', row => row.moneyOrNull(), -1n],
  ['NULL::bigint', row => row.money(), 0n],
  ['NULL::bigint', row => row.moneyOrNull(), null],
  ["'00112233-4455-6677-8899-aabbccddeeff'::uuid", row => row.uuid(), '00112233445566778899aabbccddeeff'],
  ["'\\x00ff10'::bytea", row => row.hex(), '00ff10'],
  ["''::text", row => row.text(), ''],
  ["'چهارسو'::text", row => row.text(), 'چهارسو'],
  ['NULL::text', row => row.text(), null],
  [`'["1"]'::json`, row => row.text(), '["1"]'],
  ["'1970-01-01 00:00:00.000001+00'::timestamptz", row => row.time(), 1],
  ["'2026-03-20 23:59:59.5+03:30'::timestamptz", row => row.time(), 1_774_038_599_500_000],
  ['NULL::timestamptz', row => row.timeOrNull(), null],
  ["'9999-12-31 23:59:59+00'::timestamptz", row => row.time(), 253_402_300_799_000_000],
  ["'10000-01-01 00:00:00+00'::timestamptz", row => row.timeOrNull(), 253_402_300_800_000_000],
  ["'1600-01-01 00:00:00+00'::timestamptz", row => row.time(), -11_676_096_000_000_000],
  ["'(4294967295,65535)'::tid", row => row.place(), 2 ** 48 - 1],
  ["'{}'::bigint[]", row => row.list(), 0],
  ['NULL::bigint[]', row => row.list(), 0],
  ["'{7,8,9}'::bigint[]", row => [row.list(), row.number(), row.money(), row.numberOrNull()], [3, 7, 8n, 9]],
])('%s', async (sql, read, expected) => {
  expect(await bothOf(`SELECT ${sql}, 42`, row => [read(row), row.isNull(), row.number()])).toEqual([
    [[expected, false, 42]],
    [[expected, false, 42]],
  ])
})

test.each<[string, (row: RowReader) => unknown]>([
  ['9007199254740992::bigint', row => row.number()],
  ['NULL::bigint', row => row.number()],
  ['NULL::uuid', row => row.uuid()],
  ['NULL::timestamptz', row => row.time()],
  ['NULL::tid', row => row.place()],
])('%s is refused', async (sql, read) => {
  await bothOf(`SELECT ${sql}`, row => {
    expect(() => read(row)).toThrow(RangeError)
  })
})

const columnsOf = (count: number) =>
  fc.record({
    ids: fc.array(fc.option(fc.maxSafeInteger()), { minLength: count, maxLength: count }),
    tokens: fc.array(hex32, { minLength: count, maxLength: count }),
    names: fc.array(fc.option(name), { minLength: count, maxLength: count }),
    times: fc.array(fc.option(fc.integer({ min: 0, max: 8_000_000_000_000_000 })), {
      minLength: count,
      maxLength: count,
    }),
    spots: fc.array(fc.integer({ min: 0, max: 2 ** 48 - 1 }), { minLength: count, maxLength: count }),
  })
const hex32 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytes => Buffer.from(bytes).toString('hex'))
const name = fc.string({ unit: 'grapheme', maxLength: 60 }).map(one => one.replaceAll('\0', ''))

describe('rows come back as they were sent', () => {
  const echo = (columns: readonly Column[]) =>
    statement(
      'echo',
      `SELECT unnest($1::bigint[]), unnest($2::uuid[]), unnest($3::text[]), unnest($4::timestamptz[]),
         unnest($5::tid[])`,
      columns,
    )

  test('any number of them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 300 }).chain(columnsOf), async given => {
        const { ids, tokens, names, times, spots } = given
        const columns = [bigints(ids), uuids(tokens), texts(names), timestamps(times), places(spots)]
        const flight = [echo(columns), statement('one', 'SELECT 1'), echo(columns)]
        const replies = await session.run(flight, { commits: false })
        expect(replies.map(({ command, rows }) => [command, rows.count])).toEqual([
          ['SELECT', ids.length],
          ['SELECT', 1],
          ['SELECT', ids.length],
        ])
        for (const reply of [replies[0], replies[2]]) {
          const read = reply?.rows.map(row => [
            row.numberOrNull(),
            row.uuid(),
            row.text(),
            row.timeOrNull(),
            row.place(),
          ])
          expect(read).toEqual(ids.map((id, at) => [id, tokens[at], names[at], times[at], spots[at]]))
        }
      }),
      { numRuns: 40 },
    )
  })
})

test('notices and errors between the rows of a flight are told, and the next flight is read', async () => {
  const noisy = `DO $$ BEGIN RAISE NOTICE 'noise'; RAISE WARNING 'more'; END $$`
  const many = 'SELECT n FROM generate_series(1, 20000) AS n'
  const flight = [statement('noisy', noisy), statement('many', many), statement('bad', 'SELECT 1 / $1::integer', [0])]
  await expect(session.run(flight, { commits: false })).rejects.toMatchObject({ cause: { code: '22012' } })
  await session.rollback()
  const [, reply] = await session.run([statement('noisy', noisy), statement('many', many)], { commits: false })
  expect(reply?.rows.map(row => row.number())).toEqual(Array.from({ length: 20_000 }, (_, index) => index + 1))
})

test('what two flights have answered is not mixed up', async () => {
  for (const value of [1, 2, 3]) {
    const [reply] = await session.run([statement('value', 'SELECT $1::integer', [value])], { commits: false })
    expect(reply?.rows.map(row => row.number())).toEqual([value])
  }
})
