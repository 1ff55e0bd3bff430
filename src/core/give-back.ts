import type { DecisionContext, Need } from './decision.ts'
import { giveBackToLimits, needOfOrganisations } from './limits.ts'
import { lotsNeed, returnToLots } from './lot-expiry.ts'
import type { Leg, Transaction } from './transactions.ts'
import type { WorkingSet } from './working-set.ts'

/** What must be read before a purchase can give value back: its lots, and counters of organisations. Null: nothing. */
export function needOfGivingBack(transaction: Transaction, rows: WorkingSet, context: DecisionContext): Need | null {
  const lots = lotsNeed(transaction, rows)
  const counters = needOfOrganisations(transaction.legs, transaction.at, rows, context.catalog)
  return lots === null && counters === null ? null : { ...lots, ...counters }
}

/**
 * Tells lots and limits of what a purchase has given back: `after` has the same legs as the transaction, with less in
 * force. Lots that have expired since live again or are swept, limits can be used again in the windows of then.
 */
export function giveValueBack(
  transaction: Transaction,
  after: readonly Leg[],
  rows: WorkingSet,
  context: DecisionContext,
): void {
  const parts = transaction.legs.map(({ lot, program, funder, held, posted }, index) => {
    const left = after[index]
    return { lot, program, funder, amount: held + posted - (left === undefined ? 0n : left.held + left.posted) }
  })
  // Where a part was refunded there was a purchase; and the refund may still be reversed.
  const isEnded = transaction.amounts.refunded === 0n && after.every(({ held, posted }) => held + posted === 0n)
  giveBackToLimits(transaction, parts, isEnded, rows, context)
  const lots = parts.filter(({ amount }) => amount > 0n).map(({ lot }) => lot)
  returnToLots(transaction.holder, lots, rows, context)
}
