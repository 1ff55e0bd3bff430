import type { Day } from './ids.ts'
import { firstDayAfter, firstDayOf, persianDateOf } from './windows.ts'

/** Which calendar the months of a date or a schedule are of. */
export type MonthCalendar = 'gregorian' | 'persian'

const periodOf = { gregorian: 'month', persian: 'persian_month' } as const

/** The first day of the month that a day is in. */
export const firstDayOfMonth = (day: Day, calendar: MonthCalendar): Day => firstDayOf(periodOf[calendar], day, calendar)

/** The first day of the month after. */
export const firstDayOfNextMonth = (day: Day, calendar: MonthCalendar): Day =>
  firstDayAfter(periodOf[calendar], day, calendar)

/** A day of the month that `day` is in: `dayOfMonth`, or the month's last day where it has no such one. */
export function dayInMonth(day: Day, dayOfMonth: number, calendar: MonthCalendar): Day {
  const first = firstDayOfMonth(day, calendar)
  return Math.min(first + dayOfMonth, firstDayOfNextMonth(day, calendar)) - 1
}

// 1 Farvardin of the year 1 is 22 March 622 of the Julian calendar, 19 March of the Gregorian one.
const daysPerPersianYear = 365.2422
const firstPersianDay = -492_268

/** The day of a date of the Persian calendar; null if there is no such date. */
export function dayOfPersianDate(year: number, month: number, dayOfMonth: number): Day | null {
  if (month < 1 || month > 12 || dayOfMonth < 1 || dayOfMonth > 31) return null
  const before = month <= 6 ? (month - 1) * 31 : 186 + (month - 7) * 30
  const near = Math.floor(firstPersianDay + (year - 1) * daysPerPersianYear) + before + dayOfMonth - 1
  for (let day = near - 3; day <= near + 3; day++) {
    const date = persianDateOf(day)
    if (date.year === year && date.month === month && date.day === dayOfMonth) return day
  }
  return null
}
