import type { Tenant } from './catalog.ts'
import type { Day } from './ids.ts'
import { type LocalTime, weekdayOf } from './local-time.ts'

/** What limits are counted over. Months and years are those of the calendar that is named; `hours` is rolling. */
export const periods = ['day', 'week', 'month', 'persian_month', 'year', 'persian_year', 'lifetime', 'hours'] as const
export type Period = (typeof periods)[number]
type CalendarPeriod = Exclude<Period, 'hours' | 'lifetime'>

const minutesPerHour = 60
const microsPerMinute = 60_000_000

/** Where approvals of a moment are counted, and since when those of before count with them. */
interface Window {
  readonly start: number
  readonly since: number
}

/**
 * The window of a period at a moment. Calendar periods are named by their first day. Rolling ones count in steps of a
 * sixtieth of their length (24 hours in steps of 24 minutes): what was approved counts at least that long, and at most
 * a step longer.
 */
export function windowOf(per: Period, hours: number | null, local: LocalTime, { calendar }: Tenant): Window {
  if (per === 'lifetime') return { start: 0, since: 0 }
  if (per === 'hours') {
    const step = hours ?? 1
    const minute = Math.floor(local.at / microsPerMinute)
    return { start: minute - (minute % step), since: minute - step * minutesPerHour - step + 1 }
  }
  const start = firstDayOf(per, local.day, calendar)
  return { start, since: start }
}

/** The first day of the period that a day is in. Weeks begin on Saturday in the Persian calendar, else on Monday. */
export function firstDayOf(per: CalendarPeriod, day: Day, calendar: Tenant['calendar']): Day {
  switch (per) {
    case 'day':
      return day
    case 'week':
      return day - ((weekdayOf(day) + (calendar === 'persian' ? 1 : 6)) % 7)
    case 'month':
      return day - new Date(day * 86_400_000).getUTCDate() + 1
    case 'year':
      return Date.UTC(new Date(day * 86_400_000).getUTCFullYear(), 0, 1) / 86_400_000
    case 'persian_month':
      return day - persianDateOf(day).day + 1
    case 'persian_year': {
      const date = persianDateOf(day)
      const before = date.month <= 6 ? (date.month - 1) * 31 : 186 + (date.month - 7) * 30
      return day - before - date.day + 1
    }
  }
}

/** The first day after the period that a day is in. */
export function firstDayAfter(per: CalendarPeriod, day: Day, calendar: Tenant['calendar']): Day {
  const longest = { day: 1, week: 7, month: 31, persian_month: 31, year: 366, persian_year: 366 }[per]
  const first = firstDayOf(per, day, calendar)
  // The day so far after is in the next period, or in the one after next if that is shorter than a day.
  return longest === 1 ? first + 1 : firstDayOf(per, first + longest, calendar)
}

interface PersianDate {
  readonly year: number
  readonly month: number
  readonly day: number
}

const persianFormat = new Intl.DateTimeFormat('en-u-ca-persian-nu-latn', {
  timeZone: 'UTC',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
})
const rememberedMax = 4_096
const remembered = new Map<Day, PersianDate>()

export function persianDateOf(day: Day): PersianDate {
  let date = remembered.get(day)
  if (date === undefined) {
    // 9/1/1405 AP
    const [month = 0, dayOfMonth = 0, year = 0] = persianFormat
      .format(day * 86_400_000)
      .split(/[^0-9]+/)
      .map(digits => Number.parseInt(digits, 10))
    date = { year, month, day: dayOfMonth }
    if (remembered.size >= rememberedMax) remembered.clear()
    remembered.set(day, date)
  }
  return date
}
