import { refusalOfCard, refusalOfTerminal } from './authorize.ts'
import { balancesOf } from './balances.ts'
import type { Inquire } from './commands.ts'
import { answer, answerUnstored, type DecisionContext, deferred, isCurrency, type Outcome } from './decision.ts'
import { countedOf, needOfOrganisations } from './limits.ts'
import { refusalOfPin } from './pin.ts'
import type { Reason } from './reasons.ts'
import { isCatalogBehind } from './spend.ts'
import type { WorkingSet } from './working-set.ts'

/** Tells what is on the card, and what could be spent now, there. */
export function decideInquire(command: Inquire, rows: WorkingSet, context: DecisionContext): Outcome {
  const { catalog, at } = context
  const refuse = (reason: Reason): Outcome => answer(command, rows, context, { reason, transaction: null })
  const card = rows.card(command.card)
  if (card !== undefined && !rows.knowsUsage(card.holder)) return deferred()

  const merchant = catalog.merchantsByCode.get(command.merchant)
  if (merchant === undefined) return refuse('merchant_unknown')
  const terminal = catalog.terminalsByCode.get(command.terminal)
  if (terminal === undefined) return refuse('terminal_unknown')
  if (terminal.merchant !== merchant.id) return refuse('terminal_not_of_merchant')
  const placeRefusal = merchant.isSuspended ? 'merchant_suspended' : refusalOfTerminal(terminal, 'inquiry')
  if (placeRefusal !== null) return refuse(placeRefusal)
  if (!isCurrency(command.currency, context)) return refuse('currency_unsupported')
  if (card === undefined) return refuse('card_unknown')
  const cardRefusal = refusalOfCard(card, at)
  if (cardRefusal !== null) return refuse(cardRefusal)

  const lots = rows.lotsOf(card.holder)
  if (lots === undefined) return deferred({ lotsOf: [card.holder] })
  if (isCatalogBehind(lots, catalog)) {
    return answerUnstored(command, rows, context, { reason: 'switch_unavailable', transaction: null })
  }
  const balances = balancesOf(lots, merchant, context.local, countedOf(card.holder, rows), catalog)
  if (balances === undefined) return deferred(needOfOrganisations(lots, at, rows, catalog) ?? {})
  const pinRefusal = refusalOfPin(command.pin, card, rows)
  if (pinRefusal !== null) return refuse(pinRefusal)
  return answer(command, rows, context, { reason: 'approved', transaction: null, balances })
}
