import { expect, test } from 'vitest'
import { dateOfDay } from './calendar.ts'
import { findColumns, plainTitle } from './load-columns.ts'
import { amountOf, dayOf, readLoadRows } from './load-rows.ts'

test.each([
  ['1250000', 1_250_000n],
  ['1,250,000', 1_250_000n],
  ['۱٬۲۵۰٬۰۰۰', 1_250_000n],
  ['١٬٢٥٠٬٠٠٠', 1_250_000n],
  ['1,250,000 ریال', 1_250_000n],
  ['1.250.000', 1_250_000n],
  ['1.25E+6', 1_250_000n],
  ['1250000.00', 1_250_000n],
  ['1 250 000', 1_250_000n],
  ['1250000 IRR', 1_250_000n],
  ['0', null],
  ['-5', null],
  ['1250.5', null],
  ['12,50', null],
  ['125000 تومان', null],
  ['1e30', null],
  ['9999999999999999', null],
  ['', null],
  ['NaN', null],
  ['=1+1', null],
] as const)('the amount %s', (text, expected) => {
  expect(amountOf(text, 0)).toBe(expected)
})

test('a currency with decimals', () => {
  expect([amountOf('12.5', 2), amountOf('12', 2), amountOf('12.345', 2)]).toEqual([1250n, 1200n, null])
})

test.each([
  ['2026-12-31', '2026-12-31'],
  ['2026/2/28', '2026-02-28'],
  ['1405/12/29', '2027-03-20'],
  ['۱۴۰۵/۰۱/۰۱', '2026-03-21'],
  ['2026-02-30', null],
  ['1405/7/31', null],
  ['31/12/2026', null],
] as const)('the date %s', (text, expected) => {
  const day = dayOf(text)
  expect(day === null ? null : dateOfDay(day)).toBe(expected)
})

test.each([
  ['National Code', 'nationalcode'],
  ['كد ملي', 'کدملی'],
  ['کد‌ملی', 'کدملی'],
  ['مبلغ (ریال)', 'مبلغ'],
  ['مبلغ (تومان)', 'مبلغتومان'],
] as const)('the title %s is %s', (title, expected) => {
  expect(plainTitle(title)).toBe(expected)
})

test('titles may have rows in front, and columns that say nothing here', () => {
  const rows = [['لیست شارژ آذر'], [], ['ردیف', 'نام', 'کد ملی', 'مبلغ (ریال)', 'تاریخ انقضا']]
  expect(findColumns(rows)).toEqual({ at: { national: 2, amount: 3, expiry: 4 }, row: 2, ignored: ['ردیف', 'نام'] })
})

test.each([
  [['کد ملی', 'مبلغ (تومان)'], 'amount'],
  [['amount', 'name'], 'columns'],
  [['amount', 'مبلغ', 'card'], 'amount'],
] as const)('the columns %j are refused for %s', (titles, field) => {
  expect(findColumns([titles])).toMatchObject({ error: { field } })
})

test('each line has its holder, its amount, or what is wrong with it', () => {
  const rows = [
    ['reference', 'card', 'national code', 'mobile', 'amount', 'expiry'],
    ['E-1', '', '', '', '1,000', ''],
    ['', '9364000000000019', '', '', '۲۰۰۰', '1405/12/29'],
    ['', '', '12345679', '', '3', ''],
    ['', '', '0012345679', '', '3', ''],
    ['', '', '', '9121234567', '4', ''],
    ['', '', '', '', '', ''],
    ['', '', '', '', '5', ''],
    ['9364000000000019', '', '', '', '5', ''],
    ['', '9364000000000018', '', '', '5', ''],
    ['E-2', '', '', '', '0', ''],
    ['E-3', '', '', '', '1', 'soon'],
  ]
  const columns = findColumns(rows)
  if ('error' in columns) throw new Error(columns.error.message)
  const read = [...readLoadRows(rows, columns, 0)]
  expect(
    read.map(({ line, who, amount, error }) => [
      line,
      who?.by ?? null,
      who?.text ?? null,
      amount,
      error?.reason ?? null,
    ]),
  ).toEqual([
    [2, 'reference', 'E-1', 1000n, null],
    [3, 'card', '9364000000000019', 2000n, null],
    [4, 'national', '0012345679', 3n, null],
    [5, 'national', '0012345679', 3n, null],
    [6, 'mobile', '+989121234567', 4n, null],
    [8, null, null, 5n, 'holder_missing'],
    [9, null, null, 5n, 'reference_invalid'],
    [10, null, null, 5n, 'card_invalid'],
    [11, 'reference', 'E-2', null, 'amount_invalid'],
    [12, 'reference', 'E-3', 1n, 'expiry_invalid'],
  ])
})
