import type { CardToken, CommandKind, Key } from './commands.ts'
import type { Day, Micros, TransactionId } from './ids.ts'
import type { AccountId, Posting } from './ledger.ts'
import type { Phase, StoredPhase } from './phases.ts'
import type { Reason } from './reasons.ts'

/**
 * What a transaction has on one lot. While authorized it is held; once confirmed it is posted (net of what went
 * back).
 */
export interface Leg {
  readonly lot: AccountId
  readonly program: number
  readonly funder: number
  readonly held: bigint
  readonly posted: bigint
}

export interface Amounts {
  readonly requested: bigint
  readonly authorized: bigint
  readonly confirmed: bigint
  readonly reversed: bigint
  readonly refunded: bigint
}

/** One purchase (or refund) and its life. */
export interface Transaction {
  readonly id: TransactionId
  readonly kind: 'purchase' | 'preauthorization' | 'refund'
  readonly phase: StoredPhase
  /** The reason of the decision that opened it. */
  readonly reason: Reason
  readonly version: number
  /** Null where the card, merchant or terminal of a refused request is not known. */
  readonly holder: number | null
  readonly card: CardToken
  readonly merchant: number | null
  readonly terminal: number | null
  readonly asset: number
  readonly amounts: Amounts
  readonly legs: readonly Leg[]
  readonly at: Micros
  /** When the hold runs out; null for what never was a hold. */
  readonly expiresAt: Micros | null
  readonly businessDate: Day
  /** The batch that confirmed it: a settlement takes it if it is behind the watermark. */
  readonly confirmedIn: number | null
  /** What a refund refunds. */
  readonly original: TransactionId | null
  readonly stan: number | null
  /** DE37 as the terminal sent it; null: `rrnOf(id)`. */
  readonly rrn: string | null
  readonly reference: string | null
}

export const heldOf = (transaction: Transaction): bigint => transaction.legs.reduce((sum, leg) => sum + leg.held, 0n)
export const postedOf = (transaction: Transaction): bigint =>
  transaction.legs.reduce((sum, leg) => sum + leg.posted, 0n)

/** What can still be undone: the open hold, or what is posted and has not gone back. */
export const inForce = (transaction: Transaction): bigint =>
  transaction.phase === 'authorized' ? heldOf(transaction) : postedOf(transaction)

/** One line of a balance inquiry. `spendable`: what could be spent now, there; `balance` includes what is held. */
export interface Balance {
  readonly program: string
  readonly balance: bigint
  readonly held: bigint
  readonly spendable: bigint
}

/**
 * The stored answer to a command, approval or refusal. It holds all that varies (the transaction as it stood after), so
 * that the same answer can be given again byte for byte, whatever has become of the transaction.
 */
export interface Decision {
  readonly key: Key
  readonly day: Day
  /** Empty for a refusal that a reverse left for its original: it answers whatever content comes. */
  readonly content: string
  readonly kind: CommandKind
  readonly reason: Reason
  /** The transaction that was opened or moved; null if there is none. */
  readonly transaction: TransactionId | null
  readonly phase: Phase | null
  readonly amounts: Amounts | null
  readonly postings: readonly Posting[]
  readonly balances: readonly Balance[] | null
  readonly batch: number
  readonly index: number
  readonly at: Micros
}

/** A card as a decision needs it. */
export interface Card {
  readonly token: CardToken
  readonly holder: number
  readonly status: 'active' | 'blocked' | 'inactive' | 'replaced' | 'closed'
  readonly expiresAt: Micros | null
  /** Wrong PINs in a row. */
  readonly pinTries: number
}
