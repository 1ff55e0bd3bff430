import type { Lot, Posting } from '../../core/ledger.ts'
import { phaseOfCode, type StoredPhase } from '../../core/phases.ts'
import { reasonOfCode } from '../../core/reasons.ts'
import type { Balance, Card, Decision, Leg, Transaction } from '../../core/transactions.ts'
import type { Usage } from '../../core/usage.ts'
import type { RowReader } from '../rows.ts'
import { cardStatuses, commandKinds, transactionKinds } from './codes.ts'

/** Lists of columns, each beside the function that reads them, in the same order. */

export const decisionColumns = (d: string): string =>
  `${d}.key, ${d}.day, ${d}.content, ${d}.kind, ${d}.reason, ${d}.txn, ${d}.phase, ${d}.requested, ${d}.authorized,
   ${d}.confirmed, ${d}.reversed, ${d}.refunded, ${d}.legs, ${d}.balances, ${d}.batch_seq, ${d}.idx, ${d}.at`

export function decisionOf(row: RowReader): Decision {
  const key = row.uuid()
  const day = row.number()
  const content = row.hex()
  const kind = commandKinds[row.number()] as Decision['kind']
  const reason = reasonOfCode(row.number())
  const transaction = row.numberOrNull()
  const phase = row.numberOrNull()
  const requested = row.moneyOrNull()
  const amounts = { authorized: row.money(), confirmed: row.money(), reversed: row.money(), refunded: row.money() }
  return {
    key,
    day,
    content,
    kind,
    reason,
    transaction,
    phase: phase === null ? null : phaseOfCode(phase),
    amounts: requested === null ? null : { requested, ...amounts },
    postings: postingsOf(row),
    balances: balancesOf(row.text()),
    batch: row.number(),
    index: row.number(),
    at: row.time(),
  }
}

export const transactionColumns = (t: string): string =>
  `${t}.id, ${t}.kind, ${t}.phase, ${t}.version, ${t}.holder, ${t}.card, ${t}.merchant, ${t}.terminal, ${t}.asset,
   ${t}.requested, ${t}.authorized, ${t}.confirmed, ${t}.reversed, ${t}.refunded, ${t}.legs, ${t}.at, ${t}.expires_at,
   ${t}.business_date, ${t}.confirmed_in, ${t}.original, ${t}.stan, ${t}.rrn, ${t}.reference, ${t}.reason`

export const transactionOf = (row: RowReader): Transaction => ({
  id: row.number(),
  kind: transactionKinds[row.number()] as Transaction['kind'],
  phase: phaseOfCode(row.number()) as StoredPhase,
  version: row.number(),
  holder: row.numberOrNull(),
  card: row.uuid(),
  merchant: row.numberOrNull(),
  terminal: row.numberOrNull(),
  asset: row.number(),
  amounts: {
    requested: row.money(),
    authorized: row.money(),
    confirmed: row.money(),
    reversed: row.money(),
    refunded: row.money(),
  },
  legs: legsOf(row),
  at: row.time(),
  expiresAt: row.timeOrNull(),
  businessDate: row.number(),
  confirmedIn: row.numberOrNull(),
  original: row.numberOrNull(),
  stan: row.numberOrNull(),
  rrn: row.text(),
  reference: row.text(),
  reason: reasonOfCode(row.number()),
})

/** All but the token, which is known. */
export const cardColumns = (c: string): string => `${c}.holder, ${c}.status, ${c}.expires_at, ${c}.pin_tries`

export const cardOf = (row: RowReader, token: string): Card => ({
  token,
  holder: row.number(),
  status: cardStatuses[row.number()] as Card['status'],
  expiresAt: row.timeOrNull(),
  pinTries: row.number(),
})

export const lotColumns = (l: string): string =>
  `${l}.lot, ${l}.holder, ${l}.program, ${l}.funder, ${l}.asset, ${l}.debits_pending, ${l}.debits_posted,
   ${l}.credits_pending, ${l}.credits_posted, ${l}.credit_limit, ${l}.expires_at, ${l}.sweep_due, ${l}.status`

/** Null where a join has found none; the columns behind it are not read then. */
export function lotOf(row: RowReader): Lot | null {
  const id = row.numberOrNull()
  if (id === null) return null
  return {
    id,
    holder: row.number(),
    program: row.number(),
    funder: row.number(),
    asset: row.number(),
    debitsPending: row.money(),
    debitsPosted: row.money(),
    creditsPending: row.money(),
    creditsPosted: row.money(),
    limit: row.money(),
    expiresAt: row.timeOrNull(),
    sweepDue: row.timeOrNull(),
    isFrozen: row.number() === 1,
  }
}

/** Five numbers a posting: debit, credit, pending, posted, remaining. */
export function postingsOf(row: RowReader): Posting[] {
  const postings: Posting[] = []
  for (let left = row.list(); left > 0; left -= 5) {
    postings.push({
      debit: row.number(),
      credit: row.number(),
      pending: row.money(),
      posted: row.money(),
      remaining: row.money(),
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
export function usageOf(row: RowReader): Usage {
  const usage: Usage[number][] = []
  for (let left = row.list(); left > 0; left -= 4) {
    usage.push({ counter: row.number(), window: row.number(), amount: row.money(), count: row.number() })
  }
  return usage
}

export function writeUsage(numbers: (number | bigint)[], { counter, window, amount, count }: Usage[number]): void {
  numbers.push(counter, window, amount, count)
}

/** Five numbers a leg: lot, program, funder, held, posted. */
export function legsOf(row: RowReader): Leg[] {
  const legs: Leg[] = []
  for (let left = row.list(); left > 0; left -= 5) {
    legs.push({
      lot: row.number(),
      program: row.number(),
      funder: row.number(),
      held: row.money(),
      posted: row.money(),
    })
  }
  return legs
}

export function writeLeg(numbers: (number | bigint)[], leg: Leg): void {
  numbers.push(leg.lot, leg.program, leg.funder, leg.held, leg.posted)
}

/** A list of program, balance, held and spendable; amounts as digits, since JSON has no bigint. */
function balancesOf(json: string | null): Balance[] | null {
  if (json === null) return null
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
