import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../../test/support/database.ts'
import { Session } from './session.ts'
import {
  bigints,
  byteas,
  type Column,
  integers,
  places,
  type Statement,
  smallints,
  statement,
  texts,
  timestamps,
  uuids,
  type Value,
} from './sql.ts'

let database: TestDatabase
let session: Session

beforeAll(async () => {
  database = await createDatabase({})
  session = await Session.connect(database.url)
})

afterAll(async () => {
  await session?.close()
  await database?.drop()
})

const echo = async (name: string, text: string, values: readonly Value[]): Promise<unknown> => {
  const [reply] = await session.run([statement(name, text, values)], { commits: false })
  return JSON.parse(reply?.rows.map(row => row.text())[0] as string)
}

/** As the database has understood a column: each value as text. */
const understood = ({ type, values }: Column): Promise<unknown> =>
  echo(type, `SELECT to_json(ARRAY(SELECT v::text FROM unnest($1::${type}[]) AS v))`, [{ type, values }])

const shown = ({ type, values }: Column): unknown =>
  values.map(value => (value === null ? null : (shownOf[type] ?? String)(String(value))))

const shownOf: Partial<Record<Column['type'], (value: string) => string>> = {
  uuid: digits => dashed(digits),
  bytea: digits => `\\x${digits}`,
  tid: one => `(${Math.floor(Number(one) / 65_536)},${Number(one) % 65_536})`,
  timestamptz: micros => {
    const { day, time, fraction } = partsOf(Number(micros))
    return `${day} ${time}${fraction === '' ? '' : `.${fraction}`}+00`
  },
}

/** As DateStyle ISO has it: no zeros at the end of a fraction. */
function partsOf(micros: number) {
  const seconds = Math.floor(micros / 1_000_000)
  const [day, time] = new Date(seconds * 1_000).toISOString().slice(0, 19).split('T')
  return {
    day,
    time,
    fraction: String(micros - seconds * 1_000_000)
      .padStart(6, '0')
      .replace(/0+$/, ''),
  }
}

const dashed = (digits: string): string => digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')

const listOf = <T>(one: fc.Arbitrary<T>) => fc.array(fc.option(one, { freq: 8 }), { maxLength: 40 })
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
// A zero byte is no text to PostgreSQL.
const text = fc.string({ unit: 'grapheme', maxLength: 200 }).map(one => one.replaceAll('\0', ''))
const moment = fc.integer({ min: 0, max: 8_000_000_000_000_000 })
const place = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytes => Buffer.from(bytes).toString('hex'))

describe('a column is what the database reads', () => {
  test.each<[string, fc.Arbitrary<Column>]>([
    ['bigint', listOf(fc.oneof(int64, fc.maxSafeInteger())).map(bigints)],
    ['integer', listOf(fc.integer()).map(integers)],
    ['smallint', listOf(fc.integer({ min: -32_768, max: 32_767 })).map(smallints)],
    ['uuid', fc.array(uuid, { maxLength: 40 }).map(uuids)],
    ['text', listOf(text).map(texts)],
    ['bytea', listOf(fc.uint8Array({ maxLength: 30 }).map(bytes => Buffer.from(bytes).toString('hex'))).map(byteas)],
    ['timestamptz', listOf(moment).map(timestamps)],
    ['tid', listOf(place).map(places)],
  ])('%s', async (_type, columns) => {
    await fc.assert(
      fc.asyncProperty(columns, async column => {
        expect(await understood(column)).toEqual(shown(column))
      }),
      { numRuns: 60 },
    )
  })
})

test('single values and columns side by side, longer than the buffer', async () => {
  const long = 'چهارسو '.repeat(20_000)
  expect(
    await echo(
      'side_by_side',
      'SELECT json_build_array($1::integer, $2::text, length($3::text), $4::boolean, cardinality($5::bigint[]))',
      [-1, null, long, true, bigints(Array.from({ length: 50_000 }, (_, n) => n))],
    ),
  ).toEqual([-1, null, long.length, true, 50_000])
})

test.each<[string, Column]>([
  ['bigint', bigints([2n ** 63n])],
  ['bigint', bigints([0.5])],
  ['bigint', bigints([2 ** 63])],
  ['integer', integers([2 ** 31])],
  ['smallint', smallints([32_768])],
  ['smallint', smallints([Number.NaN])],
  ['uuid', uuids(['00'])],
  ['uuid', uuids(['0'.repeat(33)])],
])('a value that is no %s is refused, and the session goes on', async (type, column) => {
  await expect(understood(column)).rejects.toThrow(RangeError)
  expect(await understood({ type: column.type, values: [] })).toEqual([])
  expect(type).toBe(column.type)
})

test('statements that are forgotten are prepared anew when they are sent again', async () => {
  const one = statement('one', 'SELECT $1::integer', [1])
  const count = statement('count', "SELECT count(*) FROM pg_prepared_statements WHERE name IN ('one', 'forget')")
  const run = async (...statements: Statement[]) =>
    (await session.run(statements, { commits: false })).flatMap(({ rows }) => rows.map(row => row.number()))
  expect(await run(one, count)).toEqual([1, 1])
  await session.forgetStatements()
  expect(await run(count)).toEqual([0])
  expect(await run(one, count)).toEqual([1, 1])
  await session.forgetStatements()
})
