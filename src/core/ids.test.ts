import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dayOfDate } from './calendar.ts'
import {
  approvalCodeOf,
  dayOf,
  dayOfMicros,
  formatTransactionId,
  idOfRrn,
  parseTransactionId,
  rrnOf,
  shardOf,
  shardOfToken,
  transactionIdOf,
} from './ids.ts'

const on = (date: string): number => dayOfDate(date) ?? 0
const firstDay = on('2020-01-01')
const parts = fc.record({
  day: fc.integer({ min: firstDay, max: firstDay + 2 ** 14 - 1 }),
  shard: fc.nat(127),
  sequence: fc.oneof(fc.nat(2 ** 32 - 1), fc.nat(1000)),
})

describe('an id', () => {
  test('gives day and shard back, is exact, and its texts are its own', () => {
    fc.assert(
      fc.property(parts, ({ day, shard, sequence }) => {
        const id = transactionIdOf(day, shard, sequence)
        expect(Number.isSafeInteger(id)).toBe(true)
        expect([dayOf(id), shardOf(id)]).toEqual([day, shard])
        expect(idOfRrn(rrnOf(id), day)).toBe(id)
        expect(rrnOf(id)).toMatch(/^[0-9]{4}[0-9A-Z]{8}$/)
        expect(approvalCodeOf(id)).toMatch(/^[0-9A-Z]{6}$/)
        if (day > firstDay) expect(parseTransactionId(formatTransactionId(id))).toBe(id)
      }),
    )
  })

  test('is ordered by day, then by sequence, whatever the shard', () => {
    const ids = [
      transactionIdOf(firstDay, 127, 2 ** 32 - 1),
      transactionIdOf(firstDay + 1, 127, 0),
      transactionIdOf(firstDay + 1, 0, 1),
      transactionIdOf(firstDay + 2, 0, 0),
    ]
    expect(ids.toSorted((one, other) => one - other)).toEqual(ids)
  })

  test('a sequence wraps at 2^32', () => {
    expect(transactionIdOf(firstDay, 5, 2 ** 32 + 7)).toBe(transactionIdOf(firstDay, 5, 7))
  })

  test('approval codes differ from one sequence to the next', () => {
    const codes = [0, 1, 35, 36, 36 ** 6 - 1, 36 ** 6].map(n => approvalCodeOf(transactionIdOf(firstDay, 9, n)))
    expect(codes).toEqual(['000000', '000001', '00000Z', '000010', 'ZZZZZZ', '000000'])
  })
})

describe('a retrieval reference number', () => {
  test.each([
    // date,         shard, sequence, number
    ['2026-01-01', 0, 0, '600100000000'],
    ['2026-12-31', 127, 0, '63650000003J'],
    ['2028-12-31', 0, 1, '83660000003K'],
    ['2030-03-01', 0, 2 ** 32 - 1, '006070JYF0QO'],
  ] as const)('%s, %i, %i: %s', (date, shard, sequence, rrn) => {
    const id = transactionIdOf(on(date), shard, sequence)
    expect(rrnOf(id)).toBe(rrn)
    expect(idOfRrn(rrn, on(date))).toBe(id)
  })

  test.each([
    // what,                               number,         today,        date of the id, or none
    ['the year with that last digit', '600100000000', '2026-06-01', '2026-01-01'],
    ['of the years before', '600100000000', '2031-06-01', '2026-01-01'],
    ['not ten years on', '600100000000', '2036-06-01', '2036-01-01'],
    ['at the turn of the year', '536500000000', '2026-01-01', '2025-12-31'],
    ['tomorrow, for another clock', '600100000000', '2025-12-31', '2026-01-01'],
    ['later than tomorrow', '600200000000', '2025-12-31', null],
    ['the 366th of a leap year', '836600000000', '2028-12-31', '2028-12-31'],
    ['the 366th of a common year', '636600000000', '2027-06-01', null],
    ['day zero', '600000000000', '2026-06-01', null],
    ['beyond the sequences', '6001ZZZZZZZZ', '2026-06-01', null],
    ['small letters', '60010000000a', '2026-06-01', null],
    ['too short', '60010000000', '2026-06-01', null],
    ['before the first day', '900100000000', '2020-06-01', null],
  ] as const)('%s', (_what, rrn, today, date) => {
    const id = idOfRrn(rrn, on(today))
    expect(id === null ? null : dayOf(id)).toBe(date === null ? null : on(date))
  })
})

describe('a transaction id from text', () => {
  test.each([
    ['', null],
    ['0', null],
    ['00000000000', null],
    ['abc', null],
    ['zzzzzzzzzzzz', null],
    ['ZZZZZZZZ', null],
    ['1-000000', null],
    [' 1000000', null],
    [Number.MAX_SAFE_INTEGER.toString(36), Number.MAX_SAFE_INTEGER],
    [(2n ** 53n).toString(36), null],
    ['zzzzzzzzzzz', null],
  ])('%o', (text, id) => {
    expect(parseTransactionId(text)).toBe(id)
  })
})

test('the day of a moment', () => {
  const day = on('2026-03-21')
  expect([-1, 0, 86_400_000_000 - 1, 86_400_000_000].map(us => dayOfMicros(day * 86_400_000_000 + us))).toEqual([
    day - 1,
    day,
    day,
    day + 1,
  ])
})

test('the shard of a token is its first seven bits', () => {
  expect(['00', '01', '02', '7f', '80', 'ff'].map(start => shardOfToken(start.padEnd(32, 'a')))).toEqual([
    0, 0, 1, 63, 64, 127,
  ])
})
