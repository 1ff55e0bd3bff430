import { dateOfDay, dayOfDate } from '../core/calendar.ts'
import { type Day, dayOfMicros, type Micros, microsPerDay, microsPerSecond } from '../core/ids.ts'

const datesMax = 64
const dates = new Map<Day, string>()

/** `2026-11-21`. Answers are about few days, and making a date takes longer than all else of an answer. */
export function dateText(day: Day): string {
  let text = dates.get(day)
  if (text === undefined) {
    if (dates.size === datesMax) dates.clear()
    text = dateOfDay(day)
    dates.set(day, text)
  }
  return text
}

const twoDigits = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'))

/** RFC 3339 in UTC with all six digits, so that a time that was read can be asked for exactly. */
export function rfc3339(at: Micros): string {
  const day = dayOfMicros(at)
  const micros = at - day * microsPerDay
  const seconds = Math.floor(micros / microsPerSecond)
  const hour = twoDigits[Math.floor(seconds / 3600)]
  const minute = twoDigits[Math.floor(seconds / 60) % 60]
  const fraction = String(micros % microsPerSecond).padStart(6, '0')
  return `${dateText(day)}T${hour}:${minute}:${twoDigits[seconds % 60]}.${fraction}Z`
}

// A plus sign that was not escaped in a query arrives as a blank.
const form = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:([Zz])|([+ -])(\d{2}:\d{2}))$/

/** The moment of an RFC 3339 time, digits beyond the microsecond cut off; null if it is not one. */
export function parseRfc3339(text: string): Micros | null {
  const [matched, date = '', time = '', fraction = '', zulu, sign, offset] = form.exec(text) ?? []
  if (matched === undefined || dayOfDate(date) === null) return null
  const zone = zulu === undefined ? `${sign === '-' ? '-' : '+'}${offset}` : 'Z'
  const millis = Date.parse(`${date}T${time}${zone}`)
  if (Number.isNaN(millis)) return null
  return millis * 1000 + Number.parseInt(fraction.padEnd(6, '0').slice(0, 6), 10)
}
