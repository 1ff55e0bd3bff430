import type { Close, Load, Settle } from './commands.ts'
import { answer, type DecisionContext, deferred, type Outcome } from './decision.ts'
import { transfer } from './ledger.ts'
import type { WorkingSet } from './working-set.ts'

/** Puts value on a lot from its funder's account. Lot and funder are the caller's to know: a wrong one is a bug. */
export function decideLoad(command: Load, rows: WorkingSet, context: DecisionContext): Outcome {
  if (!rows.isLocked(command.holder)) return deferred()
  const lot = rows.lotsOf(command.holder)?.find(({ id }) => id === command.lot)
  if (lot === undefined) throw new Error(`lot ${command.lot} of holder ${command.holder} does not exist`)
  const funder = context.catalog.fundersById.get(lot.funder)
  if (funder === undefined) throw new Error(`funder ${lot.funder} of lot ${lot.id} is not in the catalog`)
  const postings = [transfer(funder.account, lot.id, command.amount, 0n)]
  return answer(command, rows, context, { reason: 'approved', transaction: null, postings })
}

/**
 * Moves a settlement's net from what is owed to the merchant into clearing, or back where refunds outweigh purchases.
 */
export function decideSettle(command: Settle, rows: WorkingSet, context: DecisionContext): Outcome {
  const merchant = context.catalog.merchantsByCode.get(command.merchant)
  if (merchant === undefined) throw new Error(`merchant ${command.merchant} is not in the catalog`)
  const { clearingAccount } = context.catalog.tenant
  const { net } = command
  const postings =
    net < 0n
      ? [transfer(clearingAccount, merchant.payable, -net, 0n)]
      : [transfer(merchant.payable, clearingAccount, net, 0n)]
  return answer(command, rows, context, { reason: 'approved', transaction: null, postings })
}

/** The key of a request to close is kept with all others, so that it cannot name another request too. */
export function decideClose(command: Close, rows: WorkingSet, context: DecisionContext): Outcome {
  return answer(command, rows, context, { reason: 'approved', transaction: null })
}
