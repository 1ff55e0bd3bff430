import type { Original } from '../core/commands.ts'
import type { Day } from '../core/ids.ts'
import { type Step, terminalKey, terminalKeyRange } from '../core/keys.ts'
import { codeOf, dayOfMonthAndDay, type Fields, isDigits, isZeros, numberOf } from './elements.ts'
import { kindOfMti } from './mti.ts'

/** Which request of a terminal a message is, as far as it says so. */
export interface Identity {
  readonly terminal: string
  readonly merchant: string
  readonly stan: number
  readonly sentAt: number
  readonly day: Day
}

export interface Named {
  readonly kind: 'named'
  readonly original: Original
  /** The reference in a form that a repeat of the message has too. */
  readonly content: string
  /** Where it was. */
  readonly element: 'DE90' | 'DE37'
}

type NamedOriginal = Named | { readonly kind: 'none' } | { readonly kind: 'fault'; readonly fault: string }

const none: NamedOriginal = { kind: 'none' }
const invalid: NamedOriginal = { kind: 'fault', fault: 'DE90 invalid' }

/** DE90 (n 42): MTI 4, DE11 6, DE7 10, and two institutions, which do not count. */
const stanAt = 4
const sentAtAt = 10
const originalEnd = 20

/**
 * The transaction that a message is about: DE90, else DE37 with DE42. DE90 of zeros is none, and with
 * only its DE7 zero it fits any time. With local identity a follow-up carries DE12 and DE13 of the original.
 */
export function originalOf(fields: Fields, own: Identity, isLocal: boolean, today: Day): NamedOriginal {
  const elements = fields[90]
  if (elements === undefined || isZeros(elements, 0, elements.length)) return originalByRrn(fields, own)
  if (!isDigits(elements, 0, originalEnd)) return invalid
  const step = stepOf(elements.slice(0, stanAt))
  if (step === null) return invalid
  const request = { terminal: own.terminal, merchant: own.merchant, step, stan: numberOf(elements, stanAt, sentAtAt) }

  if (!isLocal && isZeros(elements, sentAtAt, originalEnd)) {
    const range = terminalKeyRange(request)
    return { kind: 'named', original: { by: 'keyRange', ...range }, content: range.from, element: 'DE90' }
  }
  const day = isLocal ? own.day : dayOfMonthAndDay(elements.slice(sentAtAt, sentAtAt + 4), today)
  if (day === null) return invalid
  const sentAt = isLocal ? own.sentAt : numberOf(elements, sentAtAt, originalEnd)
  const key = terminalKey({ ...request, sentAt })
  return { kind: 'named', original: { by: 'key', key, day }, content: key, element: 'DE90' }
}

function originalByRrn(fields: Fields, { merchant }: Identity): NamedOriginal {
  const rrn = fields[37]
  if (rrn === undefined || codeOf(rrn) === '') return none
  return { kind: 'named', original: { by: 'rrn', merchant, rrn }, content: rrn, element: 'DE37' }
}

function stepOf(mti: string): Step | null {
  switch (kindOfMti(mti)) {
    case 'preauthorization':
    case 'financial':
    case 'offline':
      return 'open'
    case 'completion':
      return 'confirm'
    case 'reversal':
      return 'reverse'
    default:
      return null
  }
}
