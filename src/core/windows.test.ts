import { describe, expect, test } from 'vitest'
import { catalog, catalogWith } from '../../test/support/core.ts'
import { dateOfDay, dayOfDate } from './calendar.ts'
import { localTimeOf } from './local-time.ts'
import { firstDayAfter, firstDayOf, type Period, persianDateOf, windowOf } from './windows.ts'

const dayOf = (date: string): number => dayOfDate(date) ?? Number.NaN

describe('the calendar of Iran', () => {
  test.each([
    // Gregorian,   Persian: 1403 and 1408 are leap years, 1404 is not
    ['2024-03-20', 1403, 1, 1],
    ['2025-03-19', 1403, 12, 29],
    ['2025-03-20', 1403, 12, 30],
    ['2025-03-21', 1404, 1, 1],
    ['2025-09-22', 1404, 6, 31],
    ['2025-09-23', 1404, 7, 1],
    ['2026-03-20', 1404, 12, 29],
    ['2026-03-21', 1405, 1, 1],
    ['2030-03-19', 1408, 12, 29],
    ['2030-03-20', 1408, 12, 30],
    ['2030-03-21', 1409, 1, 1],
  ])('%s is %i-%i-%i', (date, year, month, day) => {
    expect(persianDateOf(dayOf(date))).toEqual({ year, month, day })
  })
})

describe('the period that a day is in', () => {
  test.each([
    // period,        day,          first day,    first day after
    ['day', '2026-03-20', '2026-03-20', '2026-03-21'],
    ['week', '2026-03-20', '2026-03-14', '2026-03-21'],
    ['week', '2026-03-21', '2026-03-21', '2026-03-28'],
    ['month', '2026-02-28', '2026-02-01', '2026-03-01'],
    ['month', '2028-02-29', '2028-02-01', '2028-03-01'],
    ['month', '2026-12-31', '2026-12-01', '2027-01-01'],
    ['year', '2026-12-31', '2026-01-01', '2027-01-01'],
    ['year', '2028-12-31', '2028-01-01', '2029-01-01'],
    ['year', '2026-01-01', '2026-01-01', '2027-01-01'],
    ['persian_month', '2025-03-20', '2025-02-19', '2025-03-21'],
    ['persian_month', '2025-03-21', '2025-03-21', '2025-04-21'],
    ['persian_month', '2025-09-22', '2025-08-23', '2025-09-23'],
    ['persian_month', '2025-09-23', '2025-09-23', '2025-10-23'],
    ['persian_month', '2026-03-20', '2026-02-20', '2026-03-21'],
    ['persian_month', '2030-03-20', '2030-02-19', '2030-03-21'],
    ['persian_year', '2025-03-20', '2024-03-20', '2025-03-21'],
    ['persian_year', '2025-03-21', '2025-03-21', '2026-03-21'],
    ['persian_year', '2026-03-20', '2025-03-21', '2026-03-21'],
    ['persian_year', '2030-03-20', '2029-03-20', '2030-03-21'],
  ] as const)('%s of %s', (per, day, first, after) => {
    expect(dateOfDay(firstDayOf(per, dayOf(day), 'persian'))).toBe(first)
    expect(dateOfDay(firstDayAfter(per, dayOf(day), 'persian'))).toBe(after)
  })

  test.each([
    ['persian', '2026-03-20', '2026-03-14'],
    ['persian', '2026-03-21', '2026-03-21'],
    ['gregorian', '2026-03-22', '2026-03-16'],
    ['gregorian', '2026-03-23', '2026-03-23'],
  ] as const)('a week of the %s calendar', (calendar, day, first) => {
    expect(dateOfDay(firstDayOf('week', dayOf(day), calendar))).toBe(first)
  })

  test('ten years of days: each is in its period, and the periods meet', () => {
    for (const per of ['day', 'week', 'month', 'year', 'persian_month', 'persian_year'] as const) {
      let after = firstDayAfter(per, dayOf('2023-12-31'), 'persian')
      for (let day = after; day < after + 3_700 && day < dayOf('2034-01-01'); day++) {
        const first = firstDayOf(per, day, 'persian')
        if (day >= after) {
          expect(first).toBe(after)
          after = firstDayAfter(per, day, 'persian')
        }
        expect(first <= day && day < after).toBe(true)
      }
    }
  })
})

describe('the boundary table: windows of limits', () => {
  const windowAt = (per: Period, moment: string, timeZone = 'Asia/Tehran', hours: number | null = null) => {
    const { tenant } = catalogWith({ tenant: { timeZone } })
    return windowOf(per, hours, localTimeOf(Date.parse(moment) * 1000, tenant), tenant)
  }
  test.each([
    // period,        the last moment before,     the first after,        zone
    ['day', '2026-03-21T20:29:59.999Z', '2026-03-21T20:30:00Z', 'Asia/Tehran'],
    ['week', '2026-03-20T20:29:59.999Z', '2026-03-20T20:30:00Z', 'Asia/Tehran'],
    ['persian_month', '2026-04-20T20:29:59.999Z', '2026-04-20T20:30:00Z', 'Asia/Tehran'],
    ['persian_month', '2025-09-22T20:29:59.999Z', '2025-09-22T20:30:00Z', 'Asia/Tehran'],
    ['persian_month', '2025-03-20T20:29:59.999Z', '2025-03-20T20:30:00Z', 'Asia/Tehran'],
    ['persian_year', '2025-03-20T20:29:59.999Z', '2025-03-20T20:30:00Z', 'Asia/Tehran'],
    ['persian_year', '2026-03-20T20:29:59.999Z', '2026-03-20T20:30:00Z', 'Asia/Tehran'],
    ['persian_year', '2030-03-20T20:29:59.999Z', '2030-03-20T20:30:00Z', 'Asia/Tehran'],
    ['month', '2026-02-28T20:29:59.999Z', '2026-02-28T20:30:00Z', 'Asia/Tehran'],
    ['year', '2026-12-31T20:29:59.999Z', '2026-12-31T20:30:00Z', 'Asia/Tehran'],
    // A day of 23 hours and one of 25.
    ['day', '2026-03-28T22:59:59.999Z', '2026-03-28T23:00:00Z', 'Europe/Berlin'],
    ['day', '2026-03-29T21:59:59.999Z', '2026-03-29T22:00:00Z', 'Europe/Berlin'],
    ['day', '2026-10-24T21:59:59.999Z', '2026-10-24T22:00:00Z', 'Europe/Berlin'],
    ['day', '2026-10-25T22:59:59.999Z', '2026-10-25T23:00:00Z', 'Europe/Berlin'],
  ] as const)('%s: %s and %s in %s', (per, before, after, zone) => {
    expect(windowAt(per, before, zone).start).toBeLessThan(windowAt(per, after, zone).start)
    const later = new Date(Date.parse(after) + 60_000).toISOString()
    expect(windowAt(per, later, zone)).toEqual(windowAt(per, after, zone))
    expect(windowAt(per, after, zone).since).toBe(windowAt(per, after, zone).start)
  })

  test('the 30th of Esfand is in the year that ends with it', () => {
    expect(windowAt('persian_year', '2025-03-20T12:00:00Z')).toEqual(windowAt('persian_year', '2024-03-20T12:00:00Z'))
    expect(windowAt('persian_month', '2025-03-20T12:00:00Z')).toEqual(windowAt('persian_month', '2025-02-19T12:00:00Z'))
  })

  test('a lifetime has one window', () => {
    expect(windowAt('lifetime', '2026-03-20T12:00:00Z')).toEqual(windowAt('lifetime', '2056-03-20T12:00:00Z'))
  })

  test.each([1, 5, 24, 720])('%i rolling hours count at least as long, and at most a sixtieth longer', hours => {
    const { tenant } = catalog
    const at = (minute: number) => windowOf('hours', hours, localTimeOf(minute * 60_000_000, tenant), tenant)
    for (const minute of [29_000_000, 29_000_001, 29_000_719]) {
      const { start } = at(minute)
      const counts = (later: number): boolean => at(minute + later).since <= start
      expect(start).toBeLessThanOrEqual(minute)
      expect(counts(hours * 60)).toBe(true)
      expect(counts(hours * 60 + hours)).toBe(false)
    }
  })
})
