import type { Lot, Posting } from '../../core/ledger.ts'
import { phaseOfCode, type StoredPhase } from '../../core/phases.ts'
import { reasonOfCode } from '../../core/reasons.ts'
import type { Amounts, Balance, Card, Decision, Leg, Transaction } from '../../core/transactions.ts'
import type { Usage } from '../../core/usage.ts'
import { idOf, idOrNull, integersOf, microsOf, type Row } from '../sql.ts'
import { cardStatuses, commandKinds, transactionKinds } from './codes.ts'

/** Lists of columns, each beside the function that reads a row of it. All values come as text. */

export const decisionColumns = (d: string): string =>
  `replace(${d}.key::text, '-', ''), ${d}.day, encode(${d}.content, 'hex'), ${d}.kind, ${d}.reason, ${d}.txn,
   ${d}.phase, ${d}.requested, ${d}.authorized, ${d}.confirmed, ${d}.reversed, ${d}.refunded, ${d}.legs, ${d}.balances,
   ${d}.batch_seq, ${d}.idx, ${microsOf(`${d}.at`)}`

export function decisionOf(row: Row): Decision {
  const phase = idOrNull(row[6])
  return {
    key: row[0] as string,
    day: idOf(row[1]),
    content: row[2] as string,
    kind: commandKinds[idOf(row[3])] as Decision['kind'],
    reason: reasonOfCode(idOf(row[4])),
    transaction: idOrNull(row[5]),
    phase: phase === null ? null : phaseOfCode(phase),
    amounts: row[7] === null ? null : amountsOf(row, 7),
    postings: postingsOf(row[12]),
    balances: row[13] === null || row[13] === undefined ? null : balancesOf(row[13]),
    batch: idOf(row[14]),
    index: idOf(row[15]),
    at: idOf(row[16]),
  }
}

export const transactionColumns = (t: string): string =>
  `${t}.id, ${t}.kind, ${t}.phase, ${t}.version, ${t}.holder, replace(${t}.card::text, '-', ''), ${t}.merchant,
   ${t}.terminal, ${t}.asset, ${t}.requested, ${t}.authorized, ${t}.confirmed, ${t}.reversed, ${t}.refunded, ${t}.legs,
   ${microsOf(`${t}.at`)}, ${microsOf(`${t}.expires_at`)}, ${t}.business_date, ${t}.confirmed_in, ${t}.original,
   ${t}.stan, ${t}.rrn, ${t}.reference, ${t}.reason`

/** How many columns `transactionColumns` is: those that a query adds come after. */
export const transactionColumnCount = 24

export function transactionOf(row: Row): Transaction {
  return {
    id: idOf(row[0]),
    kind: transactionKinds[idOf(row[1])] as Transaction['kind'],
    phase: phaseOfCode(idOf(row[2])) as StoredPhase,
    version: idOf(row[3]),
    holder: idOrNull(row[4]),
    card: row[5] as string,
    merchant: idOrNull(row[6]),
    terminal: idOrNull(row[7]),
    asset: idOf(row[8]),
    amounts: amountsOf(row, 9),
    legs: legsOf(row[14]),
    at: idOf(row[15]),
    expiresAt: idOrNull(row[16]),
    businessDate: idOf(row[17]),
    confirmedIn: idOrNull(row[18]),
    original: idOrNull(row[19]),
    stan: idOrNull(row[20]),
    rrn: row[21] ?? null,
    reference: row[22] ?? null,
    reason: reasonOfCode(idOf(row[23])),
  }
}

/** Token, holder, status, expiry, wrong PINs. */
export const cardColumns = (c: string): string =>
  `replace(${c}.token::text, '-', ''), ${c}.holder, ${c}.status, ${microsOf(`${c}.expires_at`)}, ${c}.pin_tries`

/** How many columns `cardColumns` is: those that a query adds come after. */
export const cardColumnCount = 5

export const cardOf = (row: Row): Card => ({
  token: row[0] as string,
  holder: idOf(row[1]),
  status: cardStatuses[idOf(row[2])] as Card['status'],
  expiresAt: idOrNull(row[3]),
  pinTries: idOf(row[4]),
})

export const lotColumns = (l: string): string =>
  `${l}.lot, ${l}.holder, ${l}.program, ${l}.funder, ${l}.asset, ${l}.debits_pending, ${l}.debits_posted,
   ${l}.credits_pending, ${l}.credits_posted, ${l}.credit_limit, ${microsOf(`${l}.expires_at`)},
   ${microsOf(`${l}.sweep_due`)}, ${l}.status`

export const lotOf = (row: Row, from: number): Lot => ({
  id: idOf(row[from]),
  holder: idOf(row[from + 1]),
  program: idOf(row[from + 2]),
  funder: idOf(row[from + 3]),
  asset: idOf(row[from + 4]),
  debitsPending: BigInt(row[from + 5] as string),
  debitsPosted: BigInt(row[from + 6] as string),
  creditsPending: BigInt(row[from + 7] as string),
  creditsPosted: BigInt(row[from + 8] as string),
  limit: BigInt(row[from + 9] as string),
  expiresAt: idOrNull(row[from + 10]),
  sweepDue: idOrNull(row[from + 11]),
  isFrozen: row[from + 12] === '1',
})

/** Zero is kept as NULL in a decision, which costs nothing there. */
const amountsOf = (row: Row, from: number): Amounts => ({
  requested: BigInt(row[from] ?? 0),
  authorized: BigInt(row[from + 1] ?? 0),
  confirmed: BigInt(row[from + 2] ?? 0),
  reversed: BigInt(row[from + 3] ?? 0),
  refunded: BigInt(row[from + 4] ?? 0),
})

/** Five numbers a posting: debit, credit, pending, posted, remaining. */
export function postingsOf(literal: string | null | undefined): Posting[] {
  const numbers = integersOf(literal)
  const postings: Posting[] = []
  for (let at = 0; at < numbers.length; at += 5) {
    postings.push({
      debit: idOf(numbers[at]),
      credit: idOf(numbers[at + 1]),
      pending: BigInt(numbers[at + 2] as string),
      posted: BigInt(numbers[at + 3] as string),
      remaining: BigInt(numbers[at + 4] as string),
    })
  }
  return postings
}

export function postingsLiteral(postings: readonly Posting[]): string | null {
  if (postings.length === 0) return null
  const parts = postings.map(
    ({ debit, credit, pending, posted, remaining }) => `${debit},${credit},${pending},${posted},${remaining}`,
  )
  return `{${parts.join(',')}}`
}

export function writePosting(numbers: (number | bigint)[], posting: Posting): void {
  numbers.push(posting.debit, posting.credit, posting.pending, posting.posted, posting.remaining)
}

/** Four numbers an entry: counter, window, amount, count. */
export function usageOf(literal: string | null | undefined): Usage {
  if (literal === null || literal === undefined || literal === '{}') return noUsage
  const usage: Usage[number][] = []
  // Of every purchase with limits all is read: without a string for each number it takes half as long.
  for (let at = 1; at < literal.length; ) {
    const window = literal.indexOf(',', at) + 1
    const amount = literal.indexOf(',', window) + 1
    const count = literal.indexOf(',', amount) + 1
    const comma = literal.indexOf(',', count)
    const end = comma === -1 ? literal.length - 1 : comma
    usage.push({
      counter: integerIn(literal, at, window - 1),
      window: integerIn(literal, window, amount - 1),
      amount: BigInt(literal.slice(amount, count - 1)),
      count: integerIn(literal, count, end),
    })
    at = comma === -1 ? literal.length : end + 1
  }
  return usage
}

function integerIn(digits: string, from: number, until: number): number {
  let value = 0
  for (let index = from; index < until; index++) value = value * 10 + digits.charCodeAt(index) - 48
  return value
}

const noUsage: Usage = []

export function writeUsage(numbers: (number | bigint)[], { counter, window, amount, count }: Usage[number]): void {
  numbers.push(counter, window, amount, count)
}

/** Five numbers a leg: lot, program, funder, held, posted. */
export function legsOf(literal: string | null | undefined): Leg[] {
  const numbers = integersOf(literal)
  const legs: Leg[] = []
  for (let at = 0; at < numbers.length; at += 5) {
    legs.push({
      lot: idOf(numbers[at]),
      program: idOf(numbers[at + 1]),
      funder: idOf(numbers[at + 2]),
      held: BigInt(numbers[at + 3] as string),
      posted: BigInt(numbers[at + 4] as string),
    })
  }
  return legs
}

export function legsLiteral(legs: readonly Leg[]): string | null {
  if (legs.length === 0) return null
  const parts = legs.map(({ lot, program, funder, held, posted }) => `${lot},${program},${funder},${held},${posted}`)
  return `{${parts.join(',')}}`
}

export function writeLeg(numbers: (number | bigint)[], leg: Leg): void {
  numbers.push(leg.lot, leg.program, leg.funder, leg.held, leg.posted)
}

/** A list of program, balance, held and spendable; amounts as digits, since JSON has no bigint. */
function balancesOf(json: string): Balance[] {
  const rows = JSON.parse(json) as [string, string, string, string][]
  return rows.map(([program, balance, held, spendable]) => ({
    program,
    balance: BigInt(balance),
    held: BigInt(held),
    spendable: BigInt(spendable),
  }))
}

export const balancesLiteral = (balances: readonly Balance[] | null): string | null =>
  balances === null
    ? null
    : JSON.stringify(balances.map(one => [one.program, `${one.balance}`, `${one.held}`, `${one.spendable}`]))
