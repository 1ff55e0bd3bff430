import type { Micros } from './ids.ts'

/**
 * A ledger account. Lots have positive ids and stored counters; the accounts of the catalog (what is owed to merchants,
 * funding, clearing) have negative ids, are never locked and never counted in the hot path: they are the sum of their
 * postings.
 */
export type AccountId = number

export const isLot = (account: AccountId): boolean => account > 0

/**
 * One movement between two accounts, in both of the ledger's columns: `pending` (holds) and `posted` (money). Each side
 * moves by the same amount, so that there is no way to write one side. Negative `pending` releases a hold; posted money
 * never moves by a negative amount, it moves back by a posting in the other direction.
 */
export interface Posting {
  readonly debit: AccountId
  readonly credit: AccountId
  readonly pending: bigint
  readonly posted: bigint
  /**
   * What the transaction still has in force on this lot after the decision: held while authorized, net posted after.
   */
  readonly remaining: bigint
}

export const hold = (lot: AccountId, payable: AccountId, amount: bigint): Posting => ({
  debit: lot,
  credit: payable,
  pending: amount,
  posted: 0n,
  remaining: amount,
})

/** Takes `captured` of a hold of `held`: the rest is released. */
export const capture = (lot: AccountId, payable: AccountId, held: bigint, captured: bigint): Posting => ({
  debit: lot,
  credit: payable,
  pending: -held,
  posted: captured,
  remaining: captured,
})

export const release = (lot: AccountId, payable: AccountId, amount: bigint, remaining: bigint): Posting => ({
  debit: lot,
  credit: payable,
  pending: -amount,
  posted: 0n,
  remaining,
})

/** Posted money from one account to another. */
export const transfer = (from: AccountId, to: AccountId, amount: bigint, remaining: bigint): Posting => ({
  debit: from,
  credit: to,
  pending: 0n,
  posted: amount,
  remaining,
})

/** What is posted and pending on each side of an account, as in two-phase ledgers. None of them is ever negative. */
export interface Counters {
  readonly debitsPending: bigint
  readonly debitsPosted: bigint
  readonly creditsPending: bigint
  readonly creditsPosted: bigint
}

/** A lot: what one load put on one holder's account, in one program, from one funder. */
export interface Lot extends Counters {
  readonly id: AccountId
  readonly holder: number
  readonly program: number
  readonly funder: number
  readonly asset: number
  /** Credit that may be spent beyond what was loaded: a credit line. Never negative. */
  readonly limit: bigint
  readonly expiresAt: Micros | null
  /** From when what is left is to be booked as breakage; null: nothing is. */
  readonly sweepDue: Micros | null
  /** Nothing is spent from it until an operator releases it. */
  readonly isFrozen: boolean
}

/** What can be reserved now: holds count, money that is only pending in does not. */
export const availableOf = (lot: Lot): bigint => lot.creditsPosted + lot.limit - lot.debitsPosted - lot.debitsPending

export const isExpired = ({ expiresAt }: Lot, at: Micros): boolean => expiresAt !== null && expiresAt <= at

/** The lot after a posting that touches it. */
export function afterPosting(lot: Lot, posting: Posting): Lot {
  if (posting.debit === lot.id) {
    return {
      ...lot,
      debitsPending: lot.debitsPending + posting.pending,
      debitsPosted: lot.debitsPosted + posting.posted,
    }
  }
  if (posting.credit === lot.id) {
    return {
      ...lot,
      creditsPending: lot.creditsPending + posting.pending,
      creditsPosted: lot.creditsPosted + posting.posted,
    }
  }
  return lot
}
