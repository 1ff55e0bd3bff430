import type { Micros } from './ids.ts'

/** What may have to wait for a second person. */
export const approvalKinds = [
  'load',
  'clawback',
  'adjust',
  'transfer',
  'list',
  'clawback-list',
  'schedule',
  'vouchers',
  'activation',
  'gift-load',
  'merge',
  'terms',
  'tenant',
  'holiday',
] as const
export type ApprovalKind = (typeof approvalKinds)[number]

export const approvalStatuses = ['waiting', 'approved', 'rejected', 'expired'] as const
export type ApprovalStatus = (typeof approvalStatuses)[number]

/**
 * A request that waits for longer is not carried out any more; nor is one that could not be carried out for so long
 * after it was approved.
 */
export const approvalDaysMax = 7

export interface Approval {
  readonly id: number
  readonly kind: ApprovalKind
  readonly status: ApprovalStatus
  /** What is to be done, as JSON: there is no card number in it. */
  readonly request: unknown
  /** What came of it; null: it has not been carried out. */
  readonly answer: ApprovalAnswer | null
  /** The key of the request, and the fingerprint of its content: it has one effect, whenever it is carried out. */
  readonly key: string
  readonly content: string
  readonly madeAt: Micros
  readonly madeBy: { readonly apiKey: number; readonly label: string }
  /** Until when it may be decided; of one that was approved, until when it may be carried out. */
  readonly expiresAt: Micros
  readonly decidedAt: Micros | null
  readonly decidedBy: { readonly apiKey: number; readonly label: string } | null
  readonly note: string | null
}

/** The status and JSON that the request would have been answered with. */
export interface ApprovalAnswer {
  readonly status: number
  readonly body: unknown
}

/** The approval that a change carries out: only with the change is its answer stored, so that it is made once. */
export interface Agreed<Outcome> {
  readonly approval: number
  answerOf(outcome: Outcome): ApprovalAnswer
}
