import type { Catalog } from './catalog.ts'
import type { Command } from './commands.ts'
import { type Day, dayOfMicros, type Micros, type TransactionId } from './ids.ts'
import type { Posting } from './ledger.ts'
import type { LocalTime } from './local-time.ts'
import type { Phase } from './phases.ts'
import type { Reason } from './reasons.ts'
import type { Balance, Decision, Transaction } from './transactions.ts'
import type { WorkingSet } from './working-set.ts'

/** What the decisions of one batch share. Time, order and ids come from the database, read after the locks. */
export interface DecisionContext {
  readonly catalog: Catalog
  readonly at: Micros
  readonly batch: number
  readonly businessDate: Day
  /** `at` on the clocks of the tenant. */
  readonly local: LocalTime
  /** A number that no other transaction of the day has. */
  nextSequence(): number
  /** A number that no other lot has; undefined where the batch did not draw one. */
  nextLot(): number | undefined
}

/** Rows that a command turned out to need beyond those that its batch has read. */
export interface Need {
  readonly transactions?: readonly TransactionId[]
  readonly lotsOf?: readonly number[]
  /** Merchants whose settlement watermark is to be read. */
  readonly watermarksOf?: readonly number[]
  /** Organisations whose counters are to be locked and read. */
  readonly organisations?: readonly number[]
  /** How many numbers for new lots are to be drawn. */
  readonly lots?: number
}

export const bothNeeds = (one: Need, other: Need): Need => ({
  transactions: [...(one.transactions ?? []), ...(other.transactions ?? [])],
  lotsOf: [...(one.lotsOf ?? []), ...(other.lotsOf ?? [])],
  watermarksOf: [...(one.watermarksOf ?? []), ...(other.watermarksOf ?? [])],
  organisations: [...(one.organisations ?? []), ...(other.organisations ?? [])],
  lots: (one.lots ?? 0) + (other.lots ?? 0),
})

export type Outcome =
  | { kind: 'decided'; decision: Decision; transaction: Transaction | null; replayed: boolean }
  /** The key was used before with content of this fingerprint: nothing is stored, nothing happens. */
  | { kind: 'other_content'; stored: string }
  /** Not decidable on these rows: it goes to the next batch, which also reads what is needed. */
  | { kind: 'deferred'; need: Need }

export const deferred = (need: Need = {}): Outcome => ({ kind: 'deferred', need })

interface Answer {
  readonly reason: Reason
  readonly transaction: Transaction | null
  readonly postings?: readonly Posting[]
  readonly balances?: readonly Balance[]
  /** The phase where there is no transaction to take it from. */
  readonly phase?: Phase
}

/** Stores the answer to `command` and hands it out. The transaction is as it stands after. */
export function answer(command: Command, rows: WorkingSet, context: DecisionContext, given: Answer): Outcome {
  const decision = decisionOf(command, rows, context, given)
  rows.book(decision, given.transaction?.holder ?? null)
  return { kind: 'decided', decision, transaction: given.transaction, replayed: false }
}

/** Hands out a refusal that is not stored: the same key may ask again. */
export function answerUnstored(command: Command, rows: WorkingSet, context: DecisionContext, given: Answer): Outcome {
  const decision = decisionOf(command, rows, context, given)
  return { kind: 'decided', decision, transaction: given.transaction, replayed: false }
}

function decisionOf(command: Command, rows: WorkingSet, context: DecisionContext, given: Answer): Decision {
  const { reason, transaction } = given
  return {
    key: command.key,
    day: command.day ?? dayOfMicros(context.at),
    content: command.content,
    kind: command.kind,
    reason,
    transaction: transaction?.id ?? null,
    phase: transaction === null ? (given.phase ?? null) : rows.isSettled(transaction) ? 'settled' : transaction.phase,
    amounts: transaction?.amounts ?? null,
    postings: given.postings ?? (transaction === null ? [] : standing(transaction, context)),
    balances: given.balances ?? null,
    batch: context.batch,
    index: rows.newDecisions.length,
    at: context.at,
  }
}

/** Postings that move nothing: they keep what the transaction has in force on each lot, for the stored answer. */
function standing(transaction: Transaction, context: DecisionContext): Posting[] {
  if (transaction.legs.length === 0) return []
  const credit = payableOf(transaction, context)
  return transaction.legs.map(({ lot, held, posted }) => ({
    debit: lot,
    credit,
    pending: 0n,
    posted: 0n,
    remaining: transaction.phase === 'authorized' ? held : posted,
  }))
}

/** The account of what is owed to the merchant of a transaction. */
export function payableOf(transaction: Transaction, { catalog }: DecisionContext): number {
  const merchant = transaction.merchant === null ? undefined : catalog.merchantsById.get(transaction.merchant)
  if (merchant === undefined) throw new Error(`transaction ${transaction.id} has no merchant in the catalog`)
  return merchant.payable
}

/** Whether purchases are made in this currency: by its code (IRR) or its ISO 4217 number (364). */
export function isCurrency(currency: string, { catalog }: DecisionContext): boolean {
  return currency === catalog.tenant.currency.code || currency === catalog.tenant.currency.numeric
}
