import type { Reverse } from './commands.ts'
import { answer, type DecisionContext, deferred, type Outcome, payableOf } from './decision.ts'
import { giveValueBack, needOfGivingBack } from './give-back.ts'
import { dayOfMicros } from './ids.ts'
import { availableOf, type Posting, release, transfer } from './ledger.ts'
import { countAgain, needOfOrganisations } from './limits.ts'
import { lotsNeed } from './lot-expiry.ts'
import { lesser } from './money.ts'
import { findOriginal } from './original.ts'
import { refusalOf } from './phases.ts'
import type { Reason } from './reasons.ts'
import { giveBack, isOfReverse } from './refund.ts'
import { type Amounts, inForce, type Leg, type Transaction } from './transactions.ts'
import type { WorkingSet } from './working-set.ts'

/**
 * Undoes a transaction before its settlement, wholly or in part. A reverse that overtakes its original is remembered:
 * the original is refused when it comes. A terminal's reverse is never refused for lateness: after settlement it is a
 * refund.
 */
export function decideReverse(command: Reverse, rows: WorkingSet, context: DecisionContext): Outcome {
  const found = findOriginal(command, rows, context)
  if (found.kind === 'deferred') return found
  if (found.kind === 'unseen') return remember(command, rows, context)
  const respond = (reason: Reason, transaction: Transaction | null): Outcome =>
    answer(command, rows, context, { reason, transaction })
  if (found.kind === 'refused') return respond(found.reason, null)

  const { transaction } = found
  const isTerminal = command.channel === 'terminal'
  const refusal = refusalOf(rows.isSettled(transaction) ? 'settled' : transaction.phase, 'reverse')
  if (!isOriginalAmount(command, transaction)) return respond('amount_mismatch', transaction)
  const amount = amountOff(command, transaction)
  if (amount <= 0n && isTerminal && isReached(command, transaction)) return respond('approved', transaction)
  // A terminal's reverse is never too late for a purchase; a refund that is settled stays.
  const isLatePurchase = isTerminal && rows.isSettled(transaction) && transaction.kind !== 'refund'
  if (refusal !== null && !isLatePurchase) return respond(refusal, transaction)
  if (inForce(transaction) === 0n) return respond('not_reversible', transaction)
  if (amount < 0n && command.extent.by === 'to') return respond('amount_beyond', transaction)
  if (amount <= 0n) return respond('amount_invalid', transaction)
  if (amount > inForce(transaction)) return respond('amount_beyond', transaction)

  if (transaction.kind === 'refund') return takeBack(command, transaction, amount, rows, context)
  const need = needOfGivingBack(transaction, rows, context)
  if (need !== null) return deferred(need)
  if (rows.isSettled(transaction)) return giveBack(command, transaction, amount, null, rows, context)
  return undo(command, transaction, amount, rows, context)
}

/** Nothing remains of it; or as much as is to remain. */
function isReached({ extent }: Reverse, transaction: Transaction): boolean {
  return inForce(transaction) === 0n || (extent.by === 'to' && extent.amount === inForce(transaction))
}

/** How much is to be taken off; zero or less where the goal is reached or passed. */
function amountOff({ extent }: Reverse, transaction: Transaction): bigint {
  if (extent.by === 'off') return extent.amount
  return inForce(transaction) - (extent.by === 'to' ? extent.amount : 0n)
}

function isOriginalAmount({ originalAmount }: Reverse, { amounts }: Transaction): boolean {
  if (originalAmount === null) return true
  return [amounts.requested, amounts.authorized, amounts.confirmed].includes(originalAmount)
}

/** Its own answer, and a refusal under the original's key: the two meet on one unique row, in whichever order. */
function remember(command: Reverse, rows: WorkingSet, context: DecisionContext): Outcome {
  const { original } = command
  if (original.by !== 'key' && original.by !== 'reference') {
    return answer(command, rows, context, { reason: 'original_unknown', transaction: null })
  }
  if (original.by === 'reference') {
    const merchant = context.catalog.merchantsByCode.get(original.merchant)
    if (merchant === undefined) return answer(command, rows, context, { reason: 'original_unknown', transaction: null })
    rows.remember({ merchant: merchant.id, reference: original.reference })
  }
  const outcome = answer(command, rows, context, { reason: 'approved', transaction: null, phase: 'reversed' })
  if (original.by === 'key' && rows.decision(original.key) === undefined) {
    const refused = { ...command, key: original.key, day: original.day ?? dayOfMicros(context.at), content: '' }
    answer(refused, rows, context, { reason: 'reversed_before', transaction: null })
  }
  return outcome
}

/**
 * Shrinks the hold, or posts back what was confirmed: from the lots spent last, so that the order of spending stays.
 */
function undo(
  command: Reverse,
  transaction: Transaction,
  amount: bigint,
  rows: WorkingSet,
  context: DecisionContext,
): Outcome {
  const payable = payableOf(transaction, context)
  const isHold = transaction.phase === 'authorized'
  const postings: Posting[] = []
  const legs: Leg[] = []
  let left = amount
  for (const leg of transaction.legs.toReversed()) {
    const standing = isHold ? leg.held : leg.posted
    const off = lesser(standing, left)
    left -= off
    const remaining = standing - off
    legs.unshift(isHold ? { ...leg, held: remaining } : { ...leg, posted: remaining })
    postings.unshift(isHold ? release(leg.lot, payable, off, remaining) : transfer(payable, leg.lot, off, remaining))
  }
  giveValueBack(transaction, legs, rows, context)
  return finish(command, transaction, legs, postings, amount, rows, context)
}

/** Reverses a refund: what it gave back is taken from the lots again, if it is still there. */
function takeBack(
  command: Reverse,
  refund: Transaction,
  amount: bigint,
  rows: WorkingSet,
  context: DecisionContext,
): Outcome {
  const refunded = refund.original === null ? undefined : rows.transaction(refund.original)
  if (refunded === undefined) return deferred({ transactions: refund.original === null ? [] : [refund.original] })
  const unread = lotsNeed(refund, rows)
  if (unread !== null) return deferred(unread)
  const lots = refund.holder === null ? [] : (rows.lotsOf(refund.holder) ?? [])
  const hasGivenBack = isOfReverse(refund)
  const need = hasGivenBack ? needOfOrganisations(refund.legs, refunded.at, rows, context.catalog) : null
  if (need !== null) return deferred(need)
  const payable = payableOf(refund, context)
  const postings: Posting[] = []
  const legs: Leg[] = []
  let left = amount
  for (const leg of refund.legs.toReversed()) {
    const off = lesser(leg.posted, left)
    left -= off
    const lot = lots.find(({ id }) => id === leg.lot)
    if (lot === undefined || availableOf(lot) < off) {
      return answer(command, rows, context, { reason: 'insufficient_funds', transaction: refund })
    }
    legs.unshift({ ...leg, posted: leg.posted - off })
    postings.unshift(transfer(leg.lot, payable, off, leg.posted - off))
  }
  const back = new Map(postings.map(({ debit, posted }) => [debit, posted]))
  rows.change(refunded, {
    ...refunded,
    // Reversed, if all else of the purchase has been reversed meanwhile.
    phase: refunded.phase === 'reversed' ? 'confirmed' : refunded.phase,
    amounts: { ...refunded.amounts, refunded: refunded.amounts.refunded - amount },
    legs: refunded.legs.map(leg => ({ ...leg, posted: leg.posted + (back.get(leg.lot) ?? 0n) })),
  })
  if (hasGivenBack) {
    const parts = refund.legs.map(({ lot, program, funder }) => ({ program, funder, amount: back.get(lot) ?? 0n }))
    const { confirmed, reversed } = refunded.amounts
    // Only a late reverse of all there was has ended the purchase.
    const isPurchase = refund.amounts.reversed === 0n && refund.amounts.confirmed === confirmed - reversed
    countAgain(refunded, parts, isPurchase, rows, context)
  }
  return finish(command, refund, legs, postings, amount, rows, context)
}

function finish(
  command: Reverse,
  transaction: Transaction,
  legs: readonly Leg[],
  postings: readonly Posting[],
  amount: bigint,
  rows: WorkingSet,
  context: DecisionContext,
): Outcome {
  const amounts: Amounts = { ...transaction.amounts, reversed: transaction.amounts.reversed + amount }
  const remains = legs.some(leg => leg.held > 0n || leg.posted > 0n)
  const after: Transaction = { ...transaction, phase: remains ? transaction.phase : 'reversed', amounts, legs }
  rows.change(transaction, after)
  return answer(command, rows, context, { reason: 'approved', transaction: after, postings })
}
