import type { Reason } from './reasons.ts'

/** Why each kind of move of value may be refused: what decides one cannot name any other reason. */
export const moveReasons = {
  load: [
    'program_closed',
    'organisation_unknown',
    'organisation_suspended',
    'contract_not_in_force',
    'amount_invalid',
    'credit_expired',
    'account_unknown',
    'funding_insufficient',
    'amount_too_large',
  ],
  clawback: ['account_unknown', 'amount_invalid', 'insufficient_funds', 'amount_too_large'],
  adjust: [
    'account_unknown',
    'amount_invalid',
    'amount_too_large',
    'insufficient_funds',
    'credit_expired',
    'funding_insufficient',
  ],
  transfer: [
    'program_closed',
    'transfer_not_allowed',
    'account_unknown',
    'amount_invalid',
    'insufficient_funds',
    'amount_too_large',
    'credit_expired',
  ],
  deposit: ['organisation_unknown', 'amount_invalid', 'funding_insufficient', 'amount_too_large'],
} as const satisfies Readonly<Record<string, readonly Reason[]>>

export type MoveReason<Kind extends keyof typeof moveReasons> = (typeof moveReasons)[Kind][number]
