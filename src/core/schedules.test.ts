import { expect, test } from 'vitest'
import { dateOfDay } from './calendar.ts'
import { dueAfter, dueAfterChange, firstDueAfter } from './schedules.ts'

const tehran = { timeZone: 'Asia/Tehran', holidays: new Set<number>() }
const micros = (time: string): number => Date.parse(time) * 1000
const told = ({ day, at }: { day: number; at: number }): string =>
  `${dateOfDay(day)} ${new Date(at / 1000).toISOString().slice(0, 16)}`

test.each([
  // calendar, day of month, minute, now, expected local day and moment
  ['gregorian', 1, 480, '2026-11-22T03:00:00Z', '2026-12-01 2026-12-01T04:30'],
  ['gregorian', 22, 480, '2026-11-22T04:29:59Z', '2026-11-22 2026-11-22T04:30'],
  ['gregorian', 22, 480, '2026-11-22T04:30:00Z', '2026-12-22 2026-12-22T04:30'],
  ['gregorian', 31, 0, '2026-02-10T00:00:00Z', '2026-02-28 2026-02-27T20:30'],
  ['persian', 1, 0, '2026-03-20T20:29:59Z', '2026-03-21 2026-03-20T20:30'],
  ['persian', 1, 0, '2026-03-20T20:30:00Z', '2026-04-21 2026-04-20T20:30'],
  ['persian', 31, 600, '2026-10-01T00:00:00Z', '2026-10-22 2026-10-22T06:30'],
  ['persian', 30, 600, '2025-03-01T00:00:00Z', '2025-03-20 2025-03-20T06:30'],
  ['persian', 30, 600, '2026-03-01T00:00:00Z', '2026-03-20 2026-03-20T06:30'],
] as const)('%s, day %i, minute %i, at %s: %s', (calendar, dayOfMonth, minute, now, expected) => {
  expect(told(firstDueAfter(micros(now), { calendar, dayOfMonth, minute }, tehran))).toBe(expected)
})

test('a year of periods, one each month, whatever the length of the months', () => {
  const monthly = { calendar: 'gregorian', dayOfMonth: 31, minute: 0 } as const
  const days: string[] = []
  for (let due = firstDueAfter(micros('2027-01-01T00:00:00Z'), monthly, tehran); days.length < 12; ) {
    days.push(dateOfDay(due.day).slice(5))
    due = dueAfter(due.day, monthly, tehran)
  }
  expect(days).toEqual([
    ...['01-31', '02-28', '03-31', '04-30', '05-31', '06-30'],
    ...['07-31', '08-31', '09-30', '10-31', '11-30', '12-31'],
  ])
})

test.each([
  // now, next day before, day of month after the change, due then
  ['2026-11-20T00:00:00Z', '2026-12-01', 25, '2026-12-25'],
  ['2026-11-20T00:00:00Z', '2026-11-30', 25, '2026-11-25'],
  ['2026-11-20T00:00:00Z', '2026-08-01', 1, '2026-12-01'],
] as const)('at %s, next on %s, then on day %i: %s', (now, next, dayOfMonth, expected) => {
  const monthly = { calendar: 'gregorian', dayOfMonth, minute: 0 } as const
  const due = dueAfterChange(micros(now), Date.parse(next) / 86_400_000, monthly, tehran)
  expect(dateOfDay(due.day)).toBe(expected)
})
