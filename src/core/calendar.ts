import { type Day, type Micros, microsPerSecond } from './ids.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
    formats.set(timeZone, format)
  }
  return format
}

/** The accounting day at `at`: the local date, which moves on `cutOverSeconds` after local midnight. */
export function businessDateOf(at: Micros, timeZone: string, cutOverSeconds: number): Day {
  const local = formatOf(timeZone).format((at - cutOverSeconds * microsPerSecond) / 1000)
  return Date.parse(`${local}T00:00:00Z`) / 86_400_000
}

/** `2026-11-21` */
export const dateOfDay = (day: Day): string => new Date(day * 86_400_000).toISOString().slice(0, 10)

/** The day of `2026-11-21`; null if there is no such date. */
export function dayOfDate(date: string): Day | null {
  const day = Date.parse(`${date}T00:00:00Z`) / 86_400_000
  return Number.isInteger(day) && dateOfDay(day) === date ? day : null
}

/**
 * The day of a month and day without a year (DE7, DE13: MMDD), in the year that puts it nearest to `today`. Null if
 * there is no such day.
 */
export function nearestDay(monthAndDay: string, today: Day): Day | null {
  const thisYear = new Date(today * 86_400_000).getUTCFullYear()
  let nearest: Day | null = null
  for (const year of [thisYear - 1, thisYear, thisYear + 1]) {
    const day = dayOfDate(`${year}-${monthAndDay.slice(0, 2)}-${monthAndDay.slice(2, 4)}`)
    if (day !== null && (nearest === null || Math.abs(day - today) < Math.abs(nearest - today))) nearest = day
  }
  return nearest
}
