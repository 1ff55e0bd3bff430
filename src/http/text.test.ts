import { describe, expect, test } from 'vitest'
import { toJsonAmount } from './amounts.ts'
import { holdsCardNumber } from './card-number.ts'
import { csvRecord } from './csv.ts'
import { parseExactJson } from './json-body.ts'
import { parseRfc3339, rfc3339 } from './times.ts'

test.each([
  // text, whether it may hold a card number
  ['bill-1001', false],
  ['9364000000000019', true],
  ['order 9364000000000019 of today', true],
  ['9364 0000 0000 0019', true],
  ['9364-0000-0000-0019', true],
  ['9364000000000015', false],
  ['۹۳۶۴۰۰۰۰۰۰۰۰۰۰۱۹', true],
  ['٩٣٦٤ ٠٠٠٠ ٠٠٠٠ ٠٠١٩', true],
  ['فاکتور ۱۴۰۵', false],
  ['4222222222222', false],
  ['1795305632364919', false],
  ['371449635398431', true],
  ['422222222222', false],
  ['99364000000000019999999999', false],
  ['2026-11-21-000123', false],
])('a card number in %s: %s', (text, expected) => {
  expect(holdsCardNumber(text)).toBe(expected)
})

describe('JSON without rounding', () => {
  test.each([
    // text, value
    ['{"a":1000}', { a: 1000 }],
    ['{"a":1e3}', { a: 1000 }],
    ['{"a":1000.0}', { a: 1000 }],
    ['{"a":1.5e1}', { a: 15 }],
    ['{"a":10e-1}', { a: 1 }],
    ['{"a":0.0}', { a: 0 }],
    ['{"a":10.5}', { a: Number.NaN }],
    ['{"a":1.00000000000000000001}', { a: Number.NaN }],
    ['{"a":9007199254740991.4}', { a: Number.NaN }],
    ['{"a":1e-400}', { a: Number.NaN }],
    ['{"a":[1.0,{"b":2.5}]}', { a: [1, { b: Number.NaN }] }],
    ['{"a":"x: 1.5"}', { a: 'x: 1.5' }],
    ['{"a":9007199254740991}', { a: 9007199254740991 }],
    ['{"a":9007199254740993}', { a: 2 ** 53 }],
    ['{"a":1e400}', { a: Number.POSITIVE_INFINITY }],
  ])('%s', (text, value) => {
    expect(parseExactJson(text)).toEqual(value)
  })
})

test.each([
  // text, microseconds, as it is written again
  ['2026-11-21T08:30:00Z', 1_795_249_800_000_000, '2026-11-21T08:30:00.000000Z'],
  ['2026-11-21T08:30:00.123456Z', 1_795_249_800_123_456, '2026-11-21T08:30:00.123456Z'],
  ['2026-11-21T12:00:00.5+03:30', 1_795_249_800_500_000, '2026-11-21T08:30:00.500000Z'],
  ['2026-11-21T12:00:00 03:30', 1_795_249_800_000_000, '2026-11-21T08:30:00.000000Z'],
  ['2026-11-21t05:00:00-03:30', 1_795_249_800_000_000, '2026-11-21T08:30:00.000000Z'],
  ['2026-02-30T08:30:00Z', null, ''],
  ['2026-11-21T25:30:00Z', null, ''],
  ['2026-11-21T08:30:00', null, ''],
  ['2026-11-21', null, ''],
  ['yesterday', null, ''],
])('the time %s', (text, micros, written) => {
  expect(parseRfc3339(text)).toBe(micros)
  if (micros !== null) expect(rfc3339(micros)).toBe(written)
})

test.each([
  [['a', 1, 2n, null], 'a,1,2,\r\n'],
  [['a,b', 'say "x"', 'two\nlines'], '"a,b","say ""x""","two\nlines"\r\n'],
  [['=1+1', '@x', '-5', -5n], "'=1+1,'@x,'-5,-5\r\n"],
])('CSV: record %#', (fields, record) => {
  expect(csvRecord(fields)).toBe(record)
})

test('amounts are exact or not written at all', () => {
  expect(toJsonAmount(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER)
  expect(toJsonAmount(-5n)).toBe(-5)
  expect(() => toJsonAmount(2n ** 53n)).toThrow(RangeError)
})
