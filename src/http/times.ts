import { dayOfDate } from '../core/calendar.ts'
import type { Micros } from '../core/ids.ts'

/** RFC 3339 in UTC with all six digits, so that a time that was read can be asked for exactly. */
export function rfc3339(at: Micros): string {
  const iso = new Date(Math.floor(at / 1000)).toISOString()
  return `${iso.slice(0, -1)}${String(at % 1000).padStart(3, '0')}Z`
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
