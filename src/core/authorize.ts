import type { Merchant, Operation, Terminal } from './catalog.ts'
import type { Authorize } from './commands.ts'
import { answer, answerUnstored, type DecisionContext, deferred, isCurrency, type Outcome } from './decision.ts'
import { dayOfMicros, type Micros, microsPerSecond, shardOfToken, transactionIdOf } from './ids.ts'
import { hold, type Posting, transfer } from './ledger.ts'
import { countApproval, countedOf, needOfOrganisations } from './limits.ts'
import { keepAlive } from './lot-expiry.ts'
import { pinTriesMax, refusalOfPin } from './pin.ts'
import type { Reason } from './reasons.ts'
import { candidatesOf, isCatalogBehind, reasonOfShortfall, type Spend, spend } from './spend.ts'
import type { Amounts, Card, Transaction } from './transactions.ts'
import type { WorkingSet } from './working-set.ts'

const confirmWithinSecondsByDefault = { api: 900, switch: 900, terminal: 86_400 } as const
const confirmPreauthorizationWithinSeconds = 7 * 86_400

/** What an authorize is about, as far as it is known: refusals keep as much of it as they can. */
interface Parties {
  merchant: Merchant | null
  terminal: Terminal | null
  card: Card | null
}

/** Reserves the amount on the card's lots; with `capture` it is confirmed in the same decision. */
export function decideAuthorize(command: Authorize, rows: WorkingSet, context: DecisionContext): Outcome {
  const { catalog, at } = context
  const parties: Parties = { merchant: null, terminal: null, card: rows.card(command.card) ?? null }
  if (parties.card !== null && !rows.knowsUsage(parties.card.holder)) return deferred()

  const merchant = catalog.merchantsByCode.get(command.merchant)
  if (merchant === undefined) return refuse('merchant_unknown', command, parties, rows, context)
  parties.merchant = merchant
  const terminal = catalog.terminalsByCode.get(command.terminal)
  if (terminal === undefined) return refuse('terminal_unknown', command, parties, rows, context)
  if (terminal.merchant !== merchant.id) return refuse('terminal_not_of_merchant', command, parties, rows, context)
  parties.terminal = terminal
  const placeRefusal = merchant.isSuspended ? 'merchant_suspended' : refusalOfTerminal(terminal, command.purpose)
  if (placeRefusal !== null) return refuse(placeRefusal, command, parties, rows, context)
  if (command.reference !== null && rows.recall({ merchant: merchant.id, reference: command.reference })) {
    return refuse('reversed_before', command, parties, rows, context)
  }
  if (!isCurrency(command.currency, context)) return refuse('currency_unsupported', command, parties, rows, context)
  if (command.amount <= 0n) return refuse('amount_invalid', command, parties, rows, context)
  const { card } = parties
  if (card === null) return refuse('card_unknown', command, parties, rows, context)
  const cardRefusal = refusalOfCard(card, at)
  if (cardRefusal !== null) return refuse(cardRefusal, command, parties, rows, context)

  const lots = rows.lotsOf(card.holder)
  if (lots === undefined) return deferred({ lotsOf: [card.holder] })
  if (isCatalogBehind(lots, catalog)) {
    return answerUnstored(command, rows, context, { reason: 'switch_unavailable', transaction: null })
  }
  const { amount, eligibleAmount, basket } = command
  const purchase = { amount, eligibleAmount, basket, merchant, local: context.local }
  const candidates = candidatesOf(lots, purchase, catalog)
  const counted = countedOf(card.holder, rows)
  const found = spend(candidates, purchase, counted)
  if (found === undefined) return deferred(needOfOrganisations(lots, at, rows, catalog) ?? {})
  const pinRefusal = refusalOfPin(command.pin, card, rows)
  if (pinRefusal !== null) return refuse(pinRefusal, command, parties, rows, context)
  const partial = command.partial === 'terminal' ? terminal.partial : command.partial
  if (found.total < command.amount && !(partial && found.total > 0n)) {
    const reason = reasonOfShortfall(candidates, purchase, counted, partial ? 1n : amount)
    return refuse(reason, command, parties, rows, context)
  }
  return approve(command, found, { merchant, terminal, card }, rows, context)
}

/** Why nothing of this kind is taken at this terminal; null if it is. */
export function refusalOfTerminal(terminal: Terminal, operation: Operation): Reason | null {
  if (terminal.isSuspended) return 'terminal_suspended'
  if (terminal.operations !== null && !terminal.operations.includes(operation)) return 'operation_not_allowed'
  return null
}

const cardRefusals = {
  blocked: 'card_blocked',
  inactive: 'card_inactive',
  replaced: 'card_replaced',
  closed: 'card_closed',
} as const

/** Why this card cannot be used now; null if it can. */
export function refusalOfCard(card: Card, at: Micros): Reason | null {
  if (card.status !== 'active') return cardRefusals[card.status]
  if (card.expiresAt !== null && card.expiresAt <= at) return 'card_expired'
  if (card.pinTries >= pinTriesMax) return 'pin_tries_exceeded'
  return null
}

interface KnownParties {
  readonly merchant: Merchant
  readonly terminal: Terminal
  readonly card: Card
}

function approve(
  command: Authorize,
  spend: Spend,
  { merchant, terminal, card }: KnownParties,
  rows: WorkingSet,
  context: DecisionContext,
): Outcome {
  const implicit = command.purpose === 'purchase' && terminal.confirmation === 'implicit'
  const captured = command.capture === 'terminal' ? implicit : command.capture
  const reason = spend.total < command.amount ? 'approved_partially' : 'approved'
  const transaction: Transaction = {
    ...newTransaction(command, { merchant, terminal, card }, context),
    phase: captured ? 'confirmed' : 'authorized',
    reason,
    amounts: { ...amountsOf(command.amount), authorized: spend.total, confirmed: captured ? spend.total : 0n },
    legs: spend.shares.map(({ candidate: { lot }, amount }) => ({
      lot: lot.id,
      program: lot.program,
      funder: lot.funder,
      held: captured ? 0n : amount,
      posted: captured ? amount : 0n,
    })),
    expiresAt: captured ? null : context.at + holdSeconds(command, spend, terminal) * microsPerSecond,
    confirmedIn: captured ? context.batch : null,
  }
  const postings = spend.shares.map(
    ({ candidate: { lot }, amount }): Posting =>
      captured ? transfer(lot.id, merchant.payable, amount, amount) : hold(lot.id, merchant.payable, amount),
  )
  rows.open(transaction)
  countApproval(card.holder, merchant.id, spend.shares, rows, context)
  keepAlive(spend.shares, rows, context)
  return answer(command, rows, context, { reason, transaction, postings })
}

/**
 * How long the hold stays open: as the request says, else the terminal, else the programs, else the custom of the
 * channel.
 */
function holdSeconds(command: Authorize, spend: Spend, terminal: Terminal): number {
  if (command.confirmWithinSeconds !== null) return command.confirmWithinSeconds
  if (command.purpose === 'preauthorization') return confirmPreauthorizationWithinSeconds
  if (terminal.confirmWithinSeconds !== null) return terminal.confirmWithinSeconds
  const ofPrograms = spend.shares.flatMap(({ candidate }) => candidate.terms.confirmWithinSeconds ?? [])
  return ofPrograms.length > 0 ? Math.min(...ofPrograms) : confirmWithinSecondsByDefault[command.channel]
}

function refuse(
  reason: Reason,
  command: Authorize,
  parties: Parties,
  rows: WorkingSet,
  context: DecisionContext,
): Outcome {
  const transaction: Transaction = {
    ...newTransaction(command, parties, context),
    phase: 'refused',
    reason,
    amounts: amountsOf(command.amount),
    legs: [],
    expiresAt: null,
    confirmedIn: null,
  }
  rows.open(transaction)
  return answer(command, rows, context, { reason, transaction })
}

const amountsOf = (requested: bigint): Amounts => ({
  requested,
  authorized: 0n,
  confirmed: 0n,
  reversed: 0n,
  refunded: 0n,
})

function newTransaction(command: Authorize, { merchant, terminal, card }: Parties, context: DecisionContext) {
  return {
    id: transactionIdOf(dayOfMicros(context.at), shardOfToken(command.card), context.nextSequence()),
    kind: command.purpose,
    version: 0,
    holder: card?.holder ?? null,
    card: command.card,
    merchant: merchant?.id ?? null,
    terminal: terminal?.id ?? null,
    asset: context.catalog.tenant.currency.id,
    at: context.at,
    businessDate: context.businessDate,
    original: null,
    stan: command.stan,
    rrn: command.rrn,
    reference: command.reference,
  }
}
