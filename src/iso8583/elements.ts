import { nearestDay } from '../core/calendar.ts'
import type { Day } from '../core/ids.ts'

/**
 * Reading data elements: character checks by hand, because this is done a dozen times for each message and a regular
 * expression costs ten times as much.
 */

export function isDigits(text: string, from: number, to: number): boolean {
  if (text.length < to) return false
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x30 || code > 0x39) return false
  }
  return true
}

/** The number that the digits from `from` to before `to` are. */
export function numberOf(digits: string, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) value = value * 10 + digits.charCodeAt(at) - 0x30
  return value
}

export function isZeros(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (text.charCodeAt(at) !== 0x30) return false
  return true
}

const isN = (text: string, length: number): boolean => text.length === length && isDigits(text, 0, length)
const isBelow = (text: string, at: number, limit: number): boolean => numberOf(text, at, at + 2) < limit
const isTime = (text: string, at: number): boolean =>
  isBelow(text, at, 24) && isBelow(text, at + 2, 60) && isBelow(text, at + 4, 60)

/** Text with a visible character: codes are padded with spaces to their fixed length. */
function isCode(text: string, lengthMax: number): boolean {
  return text.length <= lengthMax && codeOf(text) !== ''
}

/** A code without its padding. */
export const codeOf = (text: string): string =>
  text.charCodeAt(text.length - 1) === 0x20 || text.charCodeAt(0) === 0x20 ? text.trim() : text

function isCurrency(text: string): boolean {
  if (text.length !== 3) return false
  if (isDigits(text, 0, 3)) return true
  for (let at = 0; at < 3; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x41 || code > 0x5a) return false
  }
  return true
}

/** The form of a data element (ISO 8583:1987): whether a text is one. */
const forms = {
  3: text => isN(text, 6),
  4: text => isN(text, 12),
  7: text => isN(text, 10) && isTime(text, 4),
  11: text => isN(text, 6),
  12: text => isN(text, 6) && isTime(text, 0),
  13: text => isN(text, 4),
  41: text => isCode(text, 8),
  42: text => isCode(text, 15),
  49: isCurrency,
} as const satisfies Record<number, (text: string) => boolean>

export type CheckedElement = keyof typeof forms
export type Fields = readonly (string | undefined)[]

/** The first of `elements` that is missing or not of its form, as the terminal is told: `DE4 missing`. Null: none. */
export function faultOf(fields: Fields, elements: readonly CheckedElement[]): string | null {
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index]!
    const text = fields[element]
    if (text === undefined) return `DE${element} missing`
    if (!forms[element](text)) return `DE${element} invalid`
  }
  return null
}

/** The same for elements that may be absent. */
export function optionalFaultOf(fields: Fields, element: CheckedElement): string | null {
  const text = fields[element]
  return text === undefined || forms[element](text) ? null : `DE${element} invalid`
}

let daysFrom: Day = -1
const days = new Map<string, Day | null>()
/** Twice the days of a year: terminals of every clock, and no more. */
const daysMax = 800

/** `nearestDay`, remembered: a switch sees the same few days all the time, and a date costs more than a mapping. */
export function dayOfMonthAndDay(monthAndDay: string, today: Day): Day | null {
  if (today !== daysFrom || days.size > daysMax) {
    days.clear()
    daysFrom = today
  }
  let day = days.get(monthAndDay)
  if (day === undefined) {
    day = nearestDay(monthAndDay, today)
    days.set(monthAndDay, day)
  }
  return day
}
