import type { Tenant } from './catalog.ts'
import { type Day, type Micros, microsPerSecond } from './ids.ts'
import { localTimeOf, startOfDay } from './local-time.ts'
import { dayInMonth, firstDayOfMonth, firstDayOfNextMonth, type MonthCalendar } from './months.ts'

/** When a schedule is due: once a month of its calendar, at a time of the tenant's clocks. */
interface Monthly {
  readonly calendar: MonthCalendar
  /** A month without such a day has it on its last. */
  readonly dayOfMonth: number
  /** Minutes after local midnight. */
  readonly minute: number
}

interface Due {
  readonly day: Day
  readonly at: Micros
}

const dueOn = (day: Day, { minute }: Monthly, { timeZone }: Pick<Tenant, 'timeZone'>): Due => ({
  day,
  at: startOfDay(day, timeZone) + minute * 60 * microsPerSecond,
})

/** The first time that a schedule is due after a moment. */
export function firstDueAfter(at: Micros, monthly: Monthly, tenant: Pick<Tenant, 'timeZone' | 'holidays'>): Due {
  const { day: today } = localTimeOf(at, tenant)
  const thisMonth = dueOn(dayInMonth(today, monthly.dayOfMonth, monthly.calendar), monthly, tenant)
  return thisMonth.at > at ? thisMonth : dueAfter(today, monthly, tenant)
}

/** The time that a schedule is due in the month after the one that a day is in. */
export function dueAfter(day: Day, monthly: Monthly, tenant: Pick<Tenant, 'timeZone'>): Due {
  const nextMonth = firstDayOfNextMonth(day, monthly.calendar)
  return dueOn(dayInMonth(nextMonth, monthly.dayOfMonth, monthly.calendar), monthly, tenant)
}

/**
 * When a schedule that was due next on `nextDay` is due once it has changed or goes on after a pause: periods that have
 * passed are left out, and a month that has had its load does not get another.
 */
export function dueAfterChange(
  at: Micros,
  nextDay: Day,
  monthly: Monthly,
  tenant: Pick<Tenant, 'timeZone' | 'holidays'>,
): Due {
  const due = firstDueAfter(at, monthly, tenant)
  if (periodOf(due.day, monthly) >= periodOf(nextDay, monthly)) return due
  return dueOn(dayInMonth(nextDay, monthly.dayOfMonth, monthly.calendar), monthly, tenant)
}

/** The first day of the month that a day is in: it names the period. */
export const periodOf = (day: Day, { calendar }: Pick<Monthly, 'calendar'>): Day => firstDayOfMonth(day, calendar)
