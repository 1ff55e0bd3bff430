import type { Reason } from './reasons.ts'

/** Where a transaction is. `settled` is not stored: it is confirmed and behind its merchant's settlement watermark. */
export type Phase = 'refused' | 'authorized' | 'confirmed' | 'settled' | 'reversed' | 'expired'

/** `restore`: a refund of it is reversed, so that what had gone back is in force again. */
export type Move = 'confirm' | 'reverse' | 'expire' | 'settle' | 'refund' | 'restore'

/** The four phases as data: what may happen to a transaction, and where it then is (once nothing of it remains). */
export const transitions: Readonly<Record<Phase, Partial<Record<Move, Phase>>>> = {
  refused: {},
  authorized: { confirm: 'confirmed', reverse: 'reversed', expire: 'expired' },
  confirmed: { reverse: 'reversed', settle: 'settled', refund: 'confirmed', restore: 'confirmed' },
  settled: { refund: 'settled', restore: 'settled' },
  reversed: { restore: 'confirmed' },
  expired: {},
}

/** What somebody can ask for. */
type Asked = Exclude<Move, 'settle' | 'restore'>

/** Why a move that the table does not have is refused. */
const refusals: Readonly<Record<Asked, Reason>> = {
  confirm: 'not_confirmable',
  reverse: 'not_reversible',
  refund: 'not_refundable',
  expire: 'not_expirable',
}

/** The reason against this move from this phase; null if it is open. */
export function refusalOf(phase: Phase, move: Asked): Reason | null {
  if (transitions[phase][move] !== undefined) return null
  return move === 'confirm' && phase === 'expired' ? 'confirm_too_late' : refusals[move]
}

/**
 * What the database keeps as a phase; codes are never reused. A transaction is never stored as settled, a decision
 * may be.
 */
export const phaseCodes = { refused: 0, authorized: 1, confirmed: 2, reversed: 3, expired: 4, settled: 5 } as const
export type StoredPhase = Exclude<Phase, 'settled'>

const phasesByCode = Object.keys(phaseCodes) as Phase[]

export function phaseOfCode(code: number): Phase {
  const phase = phasesByCode[code]
  if (phase === undefined) throw new Error(`phase code ${code} is not in the table`)
  return phase
}
