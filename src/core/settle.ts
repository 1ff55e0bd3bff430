import type { Close, Settle } from './commands.ts'
import { answer, type DecisionContext, type Outcome } from './decision.ts'
import { transfer } from './ledger.ts'
import type { WorkingSet } from './working-set.ts'

/**
 * Moves a settlement's net from what is owed to the merchant into clearing, or back where refunds outweigh purchases,
 * and the merchant's fee out of it.
 */
export function decideSettle(command: Settle, rows: WorkingSet, context: DecisionContext): Outcome {
  const merchant = context.catalog.merchantsByCode.get(command.merchant)
  if (merchant === undefined) throw new Error(`merchant ${command.merchant} is not in the catalog`)
  const { clearingAccount, feesAccount } = context.catalog.tenant
  const { net, fee } = command
  const paid = net - fee
  const postings =
    paid < 0n
      ? [transfer(clearingAccount, merchant.payable, -paid, 0n)]
      : [transfer(merchant.payable, clearingAccount, paid, 0n)]
  if (fee > 0n) postings.push(transfer(merchant.payable, feesAccount, fee, 0n))
  return answer(command, rows, context, { reason: 'approved', transaction: null, postings })
}

/** The key of a request to close is kept with all others, so that it cannot name another request too. */
export function decideClose(command: Close, rows: WorkingSet, context: DecisionContext): Outcome {
  return answer(command, rows, context, { reason: 'approved', transaction: null })
}
