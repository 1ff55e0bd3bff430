/**
 * Transaction ids: 53 bits, so that they are exact as a JavaScript number. Time-ordered: day 14 bits (since
 * 2020-01-01), sequence 32 bits, shard 7 bits (of the card token, so that a purchase and all that follows it go to
 * one lane).
 */
export type TransactionId = number

/** Days since 1970-01-01, UTC. The partition of a row. */
export type Day = number

/** Microseconds since 1970-01-01T00:00:00Z: the resolution of the database clock, exact in a number until 2255. */
export type Micros = number

const shardBits = 7
const sequenceSpan = 2 ** 32
const daySpan = 2 ** (32 + shardBits)
const dayZero = 18_262

export const shardCount = 2 ** shardBits
export const microsPerSecond = 1_000_000
export const microsPerDay = 86_400 * microsPerSecond

export const dayOfMicros = (at: Micros): Day => Math.floor(at / microsPerDay)

/** `sequence` may be any non-negative integer: it wraps at 2^32, which a day does not reach. */
export function transactionIdOf(day: Day, shard: number, sequence: number): TransactionId {
  return (day - dayZero) * daySpan + (sequence % sequenceSpan) * shardCount + shard
}

export const dayOf = (id: TransactionId): Day => Math.floor(id / daySpan) + dayZero
export const shardOf = (id: TransactionId): number => id % shardCount
const sequenceOf = (id: TransactionId): number => Math.floor(id / shardCount) % sequenceSpan

/** The shard of a card token (32 hexadecimal digits, in lower case): its first 7 bits. */
export const shardOfToken = (token: string): number => (hexDigitOf(token, 0) << 3) | (hexDigitOf(token, 1) >> 1)

function hexDigitOf(token: string, at: number): number {
  const code = token.charCodeAt(at)
  return code < 0x61 ? code - 0x30 : code - 0x57
}

const fourDigits = 36 ** 4
const fiveDigits = 36 ** 5
/** Two digits of base 36: every answer has fourteen, and `toString` takes ten times as long. */
const pairs = Array.from({ length: 36 ** 2 }, (_, pair) => pair.toString(36).toUpperCase().padStart(2, '0'))
const base36of4 = (value: number): string => pairs[Math.trunc(value / 1296)]! + pairs[value % 1296]!
/** 8 digits of a number below 36^8. */
function base36of8(value: number): string {
  const high = Math.floor(value / fourDigits)
  return base36of4(high) + base36of4(value - high * fourDigits)
}
/** 6 digits of a number below 36^6. */
function base36of6(value: number): string {
  const high = Math.floor(value / fourDigits)
  return pairs[high]! + base36of4(value - high * fourDigits)
}

let lastDay: Day = -1
let lastDate = ''

/** The last digit of the year and the day of the year, remembered for the one day that nearly all have. */
function yearAndDay(day: Day): string {
  if (day !== lastDay) {
    const year = new Date(day * 86_400_000).getUTCFullYear()
    const dayOfYear = day - Date.UTC(year, 0, 1) / 86_400_000 + 1
    lastDay = day
    lastDate = `${year % 10}${String(dayOfYear).padStart(3, '0')}`
  }
  return lastDate
}

/**
 * Retrieval reference number (DE37, an 12) of a transaction that did not bring its own: the last digit of the year and
 * the day of the year, as is the custom, then sequence and shard in base 36.
 */
export function rrnOf(id: TransactionId): string {
  return yearAndDay(dayOf(id)) + base36of8(id % daySpan)
}

/**
 * The id behind a retrieval reference number of `rrnOf`, taking the latest such day up to `today`; null if it is
 * none.
 */
export function idOfRrn(rrn: string, today: Day): TransactionId | null {
  if (!/^[0-9]{4}[0-9A-Z]{8}$/.test(rrn)) return null
  const rest = Number.parseInt(rrn.slice(4), 36)
  const dayOfYear = Number.parseInt(rrn.slice(1, 4), 10)
  if (rest >= daySpan || dayOfYear < 1 || dayOfYear > 366) return null
  const thisYear = new Date((today + 1) * 86_400_000).getUTCFullYear()
  for (let year = thisYear; year > thisYear - 10; year--) {
    if (year % 10 !== Number.parseInt(rrn.slice(0, 1), 10)) continue
    const day = Date.UTC(year, 0, 1) / 86_400_000 + dayOfYear - 1
    const id = transactionIdOf(day, 0, 0) + rest
    // The 366th day of a common year would be the next one's first.
    return day < dayZero || day > today + 1 || rrnOf(id) !== rrn ? null : id
  }
  return null
}

/** Authorization identification response (DE38, an 6). */
export const approvalCodeOf = (id: TransactionId): string => base36of6(sequenceOf(id) % 36 ** 6)

/** A transaction id as clients see it: base 36, so that nobody takes it for a number, least of all for a card's. */
export function formatTransactionId(id: TransactionId): string {
  // In two halves: `toString` of a number beyond 32 bits takes three times as long.
  const high = Math.floor(id / fiveDigits)
  return high === 0 ? id.toString(36) : high.toString(36) + (id - high * fiveDigits).toString(36).padStart(5, '0')
}

/** The id behind `formatTransactionId`; null if there is none. */
export function parseTransactionId(text: string): TransactionId | null {
  if (!/^[1-9a-z][0-9a-z]{5,10}$/.test(text)) return null
  const id = Number.parseInt(text, 36)
  return Number.isSafeInteger(id) ? id : null
}
