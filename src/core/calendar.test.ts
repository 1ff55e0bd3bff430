import { describe, expect, test } from 'vitest'
import { businessDateOf, dateOfDay, dayOfDate, nearestDay } from './calendar.ts'

const micros = (time: string): number => Date.parse(time) * 1000

describe('the business date', () => {
  test.each([
    // moment,                        zone,          cut-over, date
    ['2026-03-20T20:29:59.999999Z', 'Asia/Tehran', 0, '2026-03-20'],
    ['2026-03-20T20:30:00Z', 'Asia/Tehran', 0, '2026-03-21'],
    ['2026-07-01T20:29:59Z', 'Asia/Tehran', 0, '2026-07-01'],
    ['2026-07-01T20:30:00Z', 'Asia/Tehran', 0, '2026-07-02'],
    ['2021-07-01T19:29:59Z', 'Asia/Tehran', 0, '2021-07-01'],
    ['2021-07-01T19:30:00Z', 'Asia/Tehran', 0, '2021-07-02'],
    ['2026-03-20T20:30:00Z', 'Asia/Tehran', 7_200, '2026-03-20'],
    ['2026-03-20T22:29:59Z', 'Asia/Tehran', 7_200, '2026-03-20'],
    ['2026-03-20T22:30:00Z', 'Asia/Tehran', 7_200, '2026-03-21'],
    ['2026-03-21T20:29:58Z', 'Asia/Tehran', 86_399, '2026-03-20'],
    ['2026-03-21T20:29:59Z', 'Asia/Tehran', 86_399, '2026-03-21'],
    ['2026-03-20T23:59:59Z', 'UTC', 0, '2026-03-20'],
    ['2026-12-31T20:30:00Z', 'Asia/Tehran', 0, '2027-01-01'],
  ] as const)('%s in %s, cut over at %i s: %s', (moment, zone, cutOver, date) => {
    expect(dateOfDay(businessDateOf(micros(moment), zone, cutOver))).toBe(date)
  })

  test('moves on within a microsecond', () => {
    const midnight = micros('2026-03-20T20:30:00Z')
    const days = [-1, 0].map(us => businessDateOf(midnight + us, 'Asia/Tehran', 0))
    expect(days[1]).toBe((days[0] ?? 0) + 1)
  })
})

describe('a date', () => {
  test.each([
    ['1970-01-01', 0],
    ['2020-01-01', 18_262],
    ['2028-02-29', 21_243],
    ['2026-02-29', null],
    ['2026-04-31', null],
    ['2026-13-01', null],
    ['2026-00-10', null],
    ['2026-1-1', null],
    ['20260101', null],
    ['', null],
  ] as const)('%s: %s', (date, day) => {
    expect(dayOfDate(date)).toBe(day)
    if (day !== null) expect(dateOfDay(day)).toBe(date)
  })
})

describe('a month and day without a year', () => {
  test.each([
    // MMDD,  today,        date
    ['0321', '2026-03-21', '2026-03-21'],
    ['1231', '2027-01-01', '2026-12-31'],
    ['0101', '2026-12-31', '2027-01-01'],
    ['0101', '2026-01-01', '2026-01-01'],
    ['1231', '2026-12-31', '2026-12-31'],
    ['0630', '2026-12-29', '2026-06-30'],
    ['0703', '2026-01-01', '2025-07-03'],
    ['0702', '2026-01-01', '2026-07-02'],
    ['0229', '2028-03-01', '2028-02-29'],
    ['0229', '2027-12-01', '2028-02-29'],
    ['0229', '2026-03-01', null],
    ['0230', '2028-03-01', null],
    ['1301', '2026-03-01', null],
    ['0000', '2026-03-01', null],
    ['0431', '2026-03-01', null],
  ] as const)('%s on %s: %s', (monthAndDay, today, date) => {
    const day = nearestDay(monthAndDay, dayOfDate(today) ?? 0)
    expect(day === null ? null : dateOfDay(day)).toBe(date)
  })
})
