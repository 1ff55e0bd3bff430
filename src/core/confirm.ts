import type { Confirm } from './commands.ts'
import { answer, type DecisionContext, deferred, type Outcome, payableOf } from './decision.ts'
import { giveValueBack, needOfGivingBack } from './give-back.ts'
import { capture, type Posting } from './ledger.ts'
import { lesser } from './money.ts'
import { findOriginal } from './original.ts'
import { refusalOf } from './phases.ts'
import type { Reason } from './reasons.ts'
import { heldOf, type Leg, type Transaction } from './transactions.ts'
import type { WorkingSet } from './working-set.ts'

/**
 * Posts a hold, wholly or in part, and releases the rest. It checks only that the hold is open and the amount within
 * it: an approval is a guarantee, whatever has become of lots, cards and terms since.
 */
export function decideConfirm(command: Confirm, rows: WorkingSet, context: DecisionContext): Outcome {
  const found = findOriginal(command, rows, context)
  if (found.kind === 'deferred') return found
  const refuse = (reason: Reason, transaction: Transaction | null): Outcome =>
    transaction !== null && rows.transaction(transaction.id) === undefined
      ? deferred({ transactions: [transaction.id] })
      : answer(command, rows, context, { reason, transaction })
  if (found.kind === 'unseen') return refuse('original_unknown', null)
  if (found.kind === 'refused') return refuse(found.reason, null)

  const { transaction } = found
  const refusal = refusalOf(transaction.phase, 'confirm')
  if (refusal !== null) {
    const reached =
      transaction.phase === 'confirmed' && transaction.kind !== 'refund' && isSameAmount(command, transaction)
    return refuse(reached && command.channel === 'terminal' ? 'approved' : refusal, transaction)
  }
  if (transaction.expiresAt !== null && context.at > transaction.expiresAt)
    return refuse('confirm_too_late', transaction)
  const amount = command.amount ?? heldOf(transaction)
  if (amount <= 0n) return refuse('amount_invalid', transaction)
  if (amount > heldOf(transaction)) return refuse('amount_beyond', transaction)

  const isPartial = amount < heldOf(transaction)
  const need = isPartial ? needOfGivingBack(transaction, rows, context) : null
  if (need !== null) return deferred(need)

  const postings: Posting[] = []
  const legs: Leg[] = []
  let left = amount
  for (const leg of transaction.legs) {
    const posted = lesser(leg.held, left)
    left -= posted
    legs.push({ ...leg, held: 0n, posted })
    postings.push(capture(leg.lot, payableOf(transaction, context), leg.held, posted))
  }
  const confirmed: Transaction = {
    ...transaction,
    phase: 'confirmed',
    amounts: { ...transaction.amounts, confirmed: amount },
    legs,
    confirmedIn: context.batch,
  }
  rows.change(transaction, confirmed)
  if (isPartial) giveValueBack(transaction, legs, rows, context)
  return answer(command, rows, context, { reason: 'approved', transaction: confirmed, postings })
}

const isSameAmount = ({ amount }: Confirm, { amounts }: Transaction): boolean =>
  amount === null || amount === amounts.confirmed
