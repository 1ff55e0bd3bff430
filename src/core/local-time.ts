import type { Tenant } from './catalog.ts'
import { type Day, type Micros, microsPerDay, microsPerSecond } from './ids.ts'

/** A moment on the clocks and calendars of a tenant. */
export interface LocalTime {
  readonly at: Micros
  /** Days since 1970-01-01 of the local date. */
  readonly day: Day
  /** ISO 8601: 1 is Monday, 7 Sunday. */
  readonly weekday: number
  /** Minutes since local midnight, as the clock on the wall shows them. */
  readonly minute: number
  readonly isHoliday: boolean
}

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    })
    formats.set(timeZone, format)
  }
  return format
}

/** What the local clocks show, as if it were UTC, in microseconds (whole seconds). */
function wallClock(at: Micros, timeZone: string): Micros {
  // 2026-11-22, 02:25:52
  const text = formatOf(timeZone).format(Math.floor(at / 1000))
  return Date.parse(`${text.slice(0, 10)}T${text.slice(12)}Z`) * 1000
}

export const weekdayOf = (day: Day): number => ((((day + 3) % 7) + 7) % 7) + 1

export function localTimeOf(at: Micros, { timeZone, holidays }: Pick<Tenant, 'timeZone' | 'holidays'>): LocalTime {
  const wall = wallClock(at, timeZone)
  const day = Math.floor(wall / microsPerDay)
  return {
    at,
    day,
    weekday: weekdayOf(day),
    minute: Math.floor((wall - day * microsPerDay) / (60 * microsPerSecond)),
    isHoliday: holidays.has(day),
  }
}

/** The first moment of a local day: where the clocks leap over midnight, that to which they leap. */
export function startOfDay(day: Day, timeZone: string): Micros {
  const midnight = day * microsPerDay
  const offsetAt = (at: Micros): Micros => wallClock(at, timeZone) - at
  // The clocks are moved at most once within a day, so one of the two is the offset at that midnight.
  const moments = [midnight - offsetAt(midnight - microsPerDay), midnight - offsetAt(midnight + microsPerDay)]
  const [early, late] = [Math.min(...moments), Math.max(...moments)]
  return wallClock(early, timeZone) >= midnight ? early : late
}
