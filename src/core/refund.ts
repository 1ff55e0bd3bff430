import { refusalOfTerminal } from './authorize.ts'
import type { Terminal } from './catalog.ts'
import type { Refund, Reverse } from './commands.ts'
import { answer, type DecisionContext, deferred, type Outcome, payableOf } from './decision.ts'
import { giveValueBack } from './give-back.ts'
import { dayOfMicros, rrnOf, shardOf, transactionIdOf } from './ids.ts'
import { type Posting, transfer } from './ledger.ts'
import { lotsNeed, returnToLots } from './lot-expiry.ts'
import { lesser } from './money.ts'
import { findOriginal } from './original.ts'
import { refusalOf } from './phases.ts'
import type { Reason } from './reasons.ts'
import { type Leg, postedOf, type Transaction } from './transactions.ts'
import type { WorkingSet } from './working-set.ts'

/** Gives money of a confirmed or settled purchase back to the lots it came from, as a linked transaction. */
export function decideRefund(command: Refund, rows: WorkingSet, context: DecisionContext): Outcome {
  const found = findOriginal(command, rows, context)
  if (found.kind === 'deferred') return found
  const refuse = (reason: Reason, transaction: Transaction | null): Outcome =>
    answer(command, rows, context, { reason, transaction })
  if (found.kind === 'unseen') return refuse('original_unknown', null)
  if (found.kind === 'refused') return refuse(found.reason, null)

  const { transaction } = found
  const terminal = command.terminal === null ? null : context.catalog.terminalsByCode.get(command.terminal)
  if (terminal === undefined) return refuse('terminal_unknown', transaction)
  if (terminal !== null && terminal.merchant !== transaction.merchant) {
    return refuse('terminal_not_of_merchant', transaction)
  }
  const placeRefusal = terminal === null ? null : refusalOfTerminal(terminal, 'refund')
  if (placeRefusal !== null) return refuse(placeRefusal, transaction)
  const refusal = transaction.kind === 'refund' ? 'not_refundable' : refusalOf(transaction.phase, 'refund')
  if (refusal !== null) return refuse(refusal, transaction)
  const amount = command.amount ?? postedOf(transaction)
  if (postedOf(transaction) === 0n) return refuse('not_refundable', transaction)
  if (amount <= 0n) return refuse('amount_invalid', transaction)
  if (amount > postedOf(transaction)) return refuse('amount_beyond', transaction)
  const need = lotsNeed(transaction, rows)
  if (need !== null) return deferred(need)
  return giveBack(command, transaction, amount, terminal, rows, context)
}

/** Books a refund of `amount`, from the lots spent last, and answers `command` with it. */
export function giveBack(
  command: Refund | Reverse,
  original: Transaction,
  amount: bigint,
  terminal: Terminal | null,
  rows: WorkingSet,
  context: DecisionContext,
): Outcome {
  const payable = payableOf(original, context)
  const postings: Posting[] = []
  const refundLegs: Leg[] = []
  const originalLegs: Leg[] = []
  let left = amount
  for (const leg of original.legs.toReversed()) {
    const back = lesser(leg.posted, left)
    left -= back
    originalLegs.unshift({ ...leg, posted: leg.posted - back })
    if (back === 0n) continue
    refundLegs.unshift({ ...leg, posted: back })
    postings.unshift(transfer(payable, leg.lot, back, back))
  }
  const id = transactionIdOf(dayOfMicros(context.at), shardOf(original.id), context.nextSequence())
  const refund: Transaction = {
    ...original,
    id,
    kind: 'refund',
    phase: 'confirmed',
    reason: 'approved',
    version: 0,
    terminal: terminal?.id ?? original.terminal,
    amounts: { requested: amount, authorized: amount, confirmed: amount, reversed: 0n, refunded: 0n },
    legs: refundLegs,
    at: context.at,
    expiresAt: null,
    businessDate: context.businessDate,
    confirmedIn: context.batch,
    original: original.id,
    stan: command.kind === 'refund' ? command.stan : null,
    rrn: command.kind === 'reverse' ? rrnOf(id) : command.rrn === rrnOfTransaction(original) ? null : command.rrn,
  }
  rows.change(original, {
    ...original,
    amounts: { ...original.amounts, refunded: original.amounts.refunded + amount },
    legs: originalLegs,
  })
  rows.open(refund)
  // A terminal's late reverse is a refund by name only: it gives back what a reverse gives back.
  if (command.kind === 'reverse') giveValueBack(original, originalLegs, rows, context)
  else
    returnToLots(
      original.holder,
      refundLegs.map(({ lot }) => lot),
      rows,
      context,
    )
  return answer(command, rows, context, { reason: 'approved', transaction: refund, postings })
}

/**
 * Whether a refund is that of a terminal's late reverse, which has given back to limits too: it has the switch's own
 * number, which others go without. (No number of a purchase may name two transactions.)
 */
export const isOfReverse = ({ kind, rrn, id }: Transaction): boolean => kind === 'refund' && rrn === rrnOf(id)

const rrnOfTransaction = ({ rrn, id }: Transaction): string => rrn ?? rrnOf(id)
