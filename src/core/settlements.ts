import type { Key } from './commands.ts'
import type { Day, Micros } from './ids.ts'

/** How many transactions of one kind a settlement took, and what they come to, in minor units. */
interface SettlementSum {
  readonly count: number
  readonly amount: bigint
}

/** Everything of one merchant that was confirmed and in no settlement when it was closed. */
export interface Settlement {
  readonly id: number
  /** Counts the settlements of its merchant from 1, without gaps. */
  readonly number: number
  /** Code of the merchant (DE42). */
  readonly merchant: string
  readonly businessDate: Day
  readonly closedAt: Micros
  /** When its lines and totals were there; null while they are being made. */
  readonly postedAt: Micros | null
  readonly purchases: SettlementSum
  readonly refunds: SettlementSum
  /** Purchases less refunds: what the tenant owes the merchant, negative if the merchant owes. */
  readonly net: bigint
  /** What the merchant pays for being settled, out of the net. */
  readonly fee: bigint
  /** Code of the currency. */
  readonly currency: string
}

export interface SettlementRequest {
  readonly tenant: number
  /** A repeat under the same key gets the settlements that the first request closed. */
  readonly key: Key
  /** Fingerprint of what may not differ under the same key. */
  readonly content: string
  /** Code of the merchant; null: each of `merchants`. */
  readonly merchant: string | null
  /** Only what was confirmed up to the end of this date, booked under it; null: everything, under the present date. */
  readonly businessDate: Day | null
  /** Merchant codes that the asker speaks for. */
  readonly merchants: '*' | readonly string[]
}

/** What comes of a request to close. */
export type Closing =
  | { readonly kind: 'closed'; readonly settlements: readonly Settlement[]; readonly replayed: boolean }
  /** The key was used before with content of this fingerprint: nothing is closed. */
  | { readonly kind: 'other_content'; readonly stored: string }
