import type { Key } from './commands.ts'
import type { Micros, TransactionId } from './ids.ts'

/**
 * Keys are packed, not hashed, so that the primary key of the decisions also finds the requests of one terminal by
 * STAN. The first byte tells the sources apart: below 0x80 a terminal (the first character of DE41), from 0x80 an API
 * client, 0xff the switch itself.
 */

/** A step of a transaction, as far as identity goes: a request and its repeats are the same step. */
export const steps = { open: 0, confirm: 1, reverse: 2, close: 3 } as const
export type Step = keyof typeof steps

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
const hexOfByte = Array.from({ length: 256 }, (_, byte) => hex(byte, 2))
/** 28 bits, for keys of which every message has two or three: from the table at a fifth of the price. */
const hex7 = (value: number): string =>
  hexOfByte[value >>> 20]! +
  hexOfByte[(value >>> 12) & 0xff]! +
  hexOfByte[(value >>> 4) & 0xff]! +
  hexDigits[value & 15]!
const hexDigits = '0123456789abcdef'

function text8(code: string): string {
  let digits = ''
  for (let index = 0; index < 8; index++) {
    digits += hexOfByte[index < code.length ? code.charCodeAt(index) & 0x7f : 0x20]!
  }
  return digits
}

/**
 * One byte of FNV-1a: DE41 alone is unique in a tenant, this only keeps a mistyped DE42 from meeting another request.
 */
function byteOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return (hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) & 0xff
}

export interface TerminalRequest {
  /** DE41, at most 8 characters. */
  readonly terminal: string
  /** DE42. */
  readonly merchant: string
  readonly step: Step
  /** DE11, 0 to 999999. */
  readonly stan: number
  /** DE7 (or DE13 and DE12), MMDDhhmmss as a number. */
  readonly sentAt: number
}

/** DE41 8 bytes, STAN 20 bits, step 2 bits, DE7 34 bits, one byte of DE42. */
export function terminalKey({ terminal, merchant, step, stan, sentAt }: TerminalRequest): Key {
  const high = stan * 256 + steps[step] * 64 + Math.floor(sentAt / 2 ** 28)
  return text8(terminal) + hex7(high) + hex7(sentAt % 2 ** 28) + hexOfByte[byteOf(merchant)]!
}

/**
 * The first and last key of one terminal, step and STAN, at any time: for an original that is named without its DE7.
 */
export function terminalKeyRange(request: Omit<TerminalRequest, 'sentAt'>): { from: Key; to: Key } {
  return { from: terminalKey({ ...request, sentAt: 0 }), to: terminalKey({ ...request, sentAt: 2 ** 34 - 1 }) }
}

/**
 * `client`: the id of the API key, below 2^30. `hash`: at least 24 hexadecimal digits of a hash of the
 * Idempotency-Key.
 */
export const clientKey = (client: number, hash: string): Key => hex(0x80000000 + client, 8) + hash.slice(0, 24)

const purposes = { expire: 1, load: 2, settle: 3, refund: 4, breakage: 5, list: 6, approval: 7, import: 9 } as const

/** A key of the switch's own: the same purpose and number always give the same key, so that a job may run twice. */
export const switchKey = (purpose: keyof typeof purposes, number: TransactionId): Key =>
  `ff${hex(purposes[purpose], 2)}${hex(number, 28)}`

/** A lot is swept once for each moment at which it became due. */
export const breakageKey = (lot: number, due: Micros): Key =>
  `ff${hex(purposes.breakage, 2)}${hex(due, 14)}${hex(lot, 14)}`

/** The load of one line of a file that is imported. */
export const importKey = (number: number, line: number): Key =>
  `ff${hex(purposes.import, 2)}${hex(number, 14)}${hex(line, 14)}`

/** A line of a list of loads is done once, however often the list is run. */
export const listLineKey = (list: number, line: number): Key =>
  `ff${hex(purposes.list, 2)}${hex(list, 14)}${hex(line, 14)}`

/** What an approval makes, where the key of the request has the approval itself as its answer. */
export const approvalKey = (approval: number): Key => switchKey('approval', approval)
