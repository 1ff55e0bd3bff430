import { describe, expect, test } from 'vitest'
import { dateOfDay, dayOfDate } from './calendar.ts'
import { localTimeOf, startOfDay, weekdayOf } from './local-time.ts'

const microsOf = (text: string): number => Date.parse(text) * 1000
const dayOf = (date: string): number => dayOfDate(date) ?? Number.NaN

describe('the clock and the calendar on the wall', () => {
  test.each([
    // moment,                      zone,           date,         weekday, minute
    ['2026-03-20T20:29:59.999Z', 'Asia/Tehran', '2026-03-20', 5, 1_439],
    ['2026-03-20T20:30:00.000Z', 'Asia/Tehran', '2026-03-21', 6, 0],
    ['2026-03-20T20:30:59.999Z', 'Asia/Tehran', '2026-03-21', 6, 0],
    ['2026-03-20T20:31:00.000Z', 'Asia/Tehran', '2026-03-21', 6, 1],
    ['2026-03-22T12:00:00.000Z', 'Asia/Tehran', '2026-03-22', 7, 930],
    ['2026-03-23T12:00:00.000Z', 'UTC', '2026-03-23', 1, 720],
    ['2026-07-01T12:00:00.000Z', 'Europe/Berlin', '2026-07-01', 3, 840],
    ['2026-12-01T12:00:00.000Z', 'Europe/Berlin', '2026-12-01', 2, 780],
    // The clocks go on an hour at 02:00, and back at 03:00.
    ['2026-03-29T00:59:00.000Z', 'Europe/Berlin', '2026-03-29', 7, 119],
    ['2026-03-29T01:00:00.000Z', 'Europe/Berlin', '2026-03-29', 7, 180],
    ['2026-10-25T00:59:00.000Z', 'Europe/Berlin', '2026-10-25', 7, 179],
    ['2026-10-25T01:00:00.000Z', 'Europe/Berlin', '2026-10-25', 7, 120],
    ['1969-12-31T23:59:59.000Z', 'UTC', '1969-12-31', 3, 1_439],
  ])('%s in %s', (moment, timeZone, date, weekday, minute) => {
    const local = localTimeOf(microsOf(moment), { timeZone, holidays: new Set([dayOf('2026-03-21')]) })
    expect(local).toEqual({
      at: microsOf(moment),
      day: dayOf(date),
      weekday,
      minute,
      isHoliday: date === '2026-03-21',
    })
  })
})

describe('the first moment of a local day', () => {
  test.each([
    // date,        zone,               moment
    ['2026-03-21', 'Asia/Tehran', '2026-03-20T20:30:00Z'],
    // Iran had summer time until 2022: its clocks leapt over midnight.
    ['2022-03-22', 'Asia/Tehran', '2022-03-21T20:30:00Z'],
    ['2022-03-23', 'Asia/Tehran', '2022-03-22T19:30:00Z'],
    ['2022-09-22', 'Asia/Tehran', '2022-09-21T20:30:00Z'],
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00Z'],
    ['2026-03-30', 'Europe/Berlin', '2026-03-29T22:00:00Z'],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00Z'],
    ['2026-10-26', 'Europe/Berlin', '2026-10-25T23:00:00Z'],
    // There midnight is struck twice: the first counts.
    ['2026-11-01', 'America/Havana', '2026-11-01T04:00:00Z'],
    ['2026-03-08', 'America/Havana', '2026-03-08T05:00:00Z'],
    ['2026-01-01', 'Pacific/Kiritimati', '2025-12-31T10:00:00Z'],
  ])('%s in %s', (date, timeZone, moment) => {
    const at = startOfDay(dayOf(date), timeZone)
    expect(new Date(at / 1000).toISOString()).toBe(new Date(moment).toISOString())
    const zone = { timeZone, holidays: new Set<number>() }
    expect(dateOfDay(localTimeOf(at, zone).day)).toBe(date)
    expect(dateOfDay(localTimeOf(at - 1, zone).day)).toBe(dateOfDay(dayOf(date) - 1))
  })
})

test.each([
  ['1969-12-28', 7],
  ['1970-01-01', 4],
  ['2026-03-21', 6],
  ['2026-03-23', 1],
])('%s is weekday %i', (date, weekday) => {
  expect(weekdayOf(dayOf(date))).toBe(weekday)
})
