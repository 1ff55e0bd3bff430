import type { DecisionRow, PostingRow } from './raw-ledger.ts'

/** The checks by their names in the list of faults, and that of the settlements, which is part of C4 there. */
export type CheckName = 'C1' | 'C2' | 'C3' | 'C4' | 'C5' | 'C6' | 'C7' | 'C8' | 'C11' | 'C12' | 'settlements'

export interface Finding {
  readonly check: CheckName
  readonly what: string
}

/** Written apart from the core on purpose: its own SQL, its own numbers for kinds, phases and reasons, its own sums. */
export const authorizeKind = 0
export const confirmKind = 1
export const reverseKind = 2
export const expireKind = 4
export const inquireKind = 5
export const settleKind = 7
export const closeKind = 8
export const refundTransaction = 2
export const phase = { refused: 0, authorized: 1, confirmed: 2, reversed: 3, expired: 4 } as const
const approvals = new Set([0, 1])

export const isApproval = (decision: DecisionRow): boolean => approvals.has(decision.reason)
export const moves = (posting: PostingRow): boolean => posting.pending !== 0n || posting.posted !== 0n
export const nameOf = ({ key, day }: { key: string; day: number }): string => `decision ${key} of day ${day}`

export const sumOf = (postings: readonly PostingRow[], amount: (posting: PostingRow) => bigint): bigint =>
  postings.reduce((sum, posting) => sum + amount(posting), 0n)
export const taken = (one: PostingRow): bigint => (one.debit > 0 ? one.posted : 0n)
export const given = (one: PostingRow): bigint => (one.credit > 0 ? one.posted : 0n)
