import type { Catalog } from '../core/catalog.ts'
import { approvalCodeOf, formatTransactionId, rrnOf } from '../core/ids.ts'
import { isLot } from '../core/ledger.ts'
import type { Phase } from '../core/phases.ts'
import { isApproval, type Reason } from '../core/reasons.ts'
import type { Amounts, Decision, Leg, Transaction } from '../core/transactions.ts'
import { toJsonAmount } from './amounts.ts'
import { dateText, rfc3339 } from './times.ts'

export interface LegBody {
  readonly program: string
  readonly lot: string
  readonly funder: string
  readonly account: string
  readonly amount: number
}

export interface TransactionBody {
  readonly id: string | null
  readonly kind: Transaction['kind'] | null
  readonly phase: Phase
  readonly amount: Readonly<Record<keyof Amounts, number>>
  readonly currency: string
  readonly approvalCode: string | null
  readonly rrn: string | null
  readonly reference: string | null
  readonly merchant: string | null
  readonly terminal: string | null
  readonly original: string | null
  readonly businessDate: string | null
  readonly createdAt: string | null
  readonly expiresAt: string | null
  readonly legs: readonly LegBody[]
  readonly reason: Reason | null
}

/**
 * The transaction as it stood after a decision. Of the transaction itself only what never changes is used, so that a
 * repeat of the request gives the same body whatever has become of it.
 */
export function renderDecision(
  decision: Decision,
  transaction: Transaction,
  names: Names,
  catalog: Catalog,
): TransactionBody {
  const { phase, amounts } = decision
  if (phase === null || amounts === null) throw new Error(`decision on ${transaction.id} without phase or amounts`)
  const legs: LegBody[] = []
  for (const { debit, credit, remaining } of decision.postings) {
    const lot = isLot(debit) ? debit : credit
    const leg = transaction.legs.find(one => one.lot === lot)
    if (leg !== undefined) legs.push(legOf(leg, remaining, catalog))
  }
  const reason = isApproval(decision.reason) ? decision.reason : transaction.reason
  return bodyOf(transaction, names, { phase, amounts, legs, reason }, catalog)
}

/** The transaction as it stands now. */
export function renderTransaction(transaction: Transaction, isSettled: boolean, catalog: Catalog): TransactionBody {
  const { amounts, reason } = transaction
  const phase = isSettled ? 'settled' : transaction.phase
  const legs = transaction.legs.map(leg => legOf(leg, phase === 'authorized' ? leg.held : leg.posted, catalog))
  return bodyOf(transaction, namesOf(transaction), { phase, amounts, legs, reason }, catalog)
}

/** What a reversal answers when its original has not been seen: it is remembered, and the original will be refused. */
export const renderUnseenReversal = (catalog: Catalog): TransactionBody => ({
  id: null,
  kind: null,
  phase: 'reversed',
  amount: { requested: 0, authorized: 0, confirmed: 0, reversed: 0, refunded: 0 },
  currency: catalog.tenant.currency.code,
  approvalCode: null,
  rrn: null,
  reference: null,
  merchant: null,
  terminal: null,
  original: null,
  businessDate: null,
  createdAt: null,
  expiresAt: null,
  legs: [],
  reason: 'approved',
})

/** What people and programs call a transaction. */
export interface Names {
  readonly id: string
  /** Retrieval reference number: the terminal's own, else one made from the id. */
  readonly rrn: string
}

export const namesOf = ({ id, rrn }: Transaction): Names => ({ id: formatTransactionId(id), rrn: rrn ?? rrnOf(id) })

interface Standing {
  readonly phase: Phase
  readonly amounts: Amounts
  readonly legs: readonly LegBody[]
  readonly reason: Reason | null
}

function bodyOf(
  transaction: Transaction,
  names: Names,
  { phase, amounts, legs, reason }: Standing,
  catalog: Catalog,
): TransactionBody {
  const { id, merchant, terminal, original, expiresAt } = transaction
  return {
    id: names.id,
    kind: transaction.kind,
    phase,
    amount: {
      requested: toJsonAmount(amounts.requested),
      authorized: toJsonAmount(amounts.authorized),
      confirmed: toJsonAmount(amounts.confirmed),
      reversed: toJsonAmount(amounts.reversed),
      refunded: toJsonAmount(amounts.refunded),
    },
    currency: catalog.assetsById.get(transaction.asset)?.code ?? String(transaction.asset),
    approvalCode: phase === 'refused' ? null : approvalCodeOf(id),
    rrn: names.rrn,
    reference: transaction.reference,
    merchant: merchant === null ? null : (catalog.merchantsById.get(merchant)?.code ?? String(merchant)),
    terminal: terminal === null ? null : (catalog.terminalsById.get(terminal)?.code ?? String(terminal)),
    original: original === null ? null : formatTransactionId(original),
    businessDate: dateText(transaction.businessDate),
    createdAt: rfc3339(transaction.at),
    expiresAt: expiresAt === null ? null : rfc3339(expiresAt),
    legs,
    reason,
  }
}

function legOf({ lot, program, funder }: Leg, amount: bigint, catalog: Catalog): LegBody {
  return {
    program: catalog.programsById.get(program)?.code ?? String(program),
    lot: String(lot),
    funder: catalog.fundersById.get(funder)?.code ?? String(funder),
    account: String(lot),
    amount: toJsonAmount(amount),
  }
}
