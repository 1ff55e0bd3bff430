import { expect, test } from 'vitest'
import { dateOfDay, dayOfDate } from './calendar.ts'
import { dayInMonth, dayOfPersianDate } from './months.ts'
import { persianDateOf } from './windows.ts'

test.each([
  // year, month, day, Gregorian date
  [1405, 1, 1, '2026-03-21'],
  [1403, 12, 30, '2025-03-20'],
  [1404, 12, 29, '2026-03-20'],
  [1357, 11, 22, '1979-02-11'],
  [1450, 6, 31, '2071-09-22'],
] as const)('the Persian date %i/%i/%i', (year, month, dayOfMonth, date) => {
  const day = dayOfPersianDate(year, month, dayOfMonth)
  expect(day === null ? null : dateOfDay(day)).toBe(date)
})

test.each([
  [1404, 12, 30],
  [1405, 7, 31],
  [1405, 13, 1],
  [1405, 0, 1],
  [1405, 1, 0],
] as const)('there is no %i/%i/%i', (year, month, dayOfMonth) => {
  expect(dayOfPersianDate(year, month, dayOfMonth)).toBeNull()
})

test('a Persian date is the day that it came from', () => {
  for (let day = 0; day < 30_000; day += 7) {
    const { year, month, day: dayOfMonth } = persianDateOf(day)
    expect(dayOfPersianDate(year, month, dayOfMonth)).toBe(day)
  }
})

test.each([
  // calendar, a day of the month, day wanted, day found
  ['gregorian', '2026-02-10', 31, '2026-02-28'],
  ['gregorian', '2028-02-10', 31, '2028-02-29'],
  ['gregorian', '2026-01-31', 1, '2026-01-01'],
  ['gregorian', '2026-04-30', 31, '2026-04-30'],
  ['persian', '2026-03-01', 31, '2026-03-20'],
  ['persian', '2025-03-01', 30, '2025-03-20'],
  ['persian', '2026-04-01', 31, '2026-04-20'],
  ['persian', '2026-10-01', 31, '2026-10-22'],
] as const)('%s: of the month of %s the day %i is %s', (calendar, within, dayOfMonth, expected) => {
  expect(dateOfDay(dayInMonth(dayOfDate(within) as number, dayOfMonth, calendar))).toBe(expected)
})
