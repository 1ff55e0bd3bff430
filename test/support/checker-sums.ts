import {
  authorizeKind,
  confirmKind,
  expireKind,
  type Finding,
  given,
  isApproval,
  moves,
  nameOf,
  phase,
  refundTransaction,
  reverseKind,
  sumOf,
  taken,
} from './checker-words.ts'
import type { DecisionRow, Raw, TransactionRow } from './raw-ledger.ts'

/** C1: what the lots have by their stored counters is what the other accounts do not have by their postings. */
export function checkSums({ lots, accounts, decisions }: Raw): Finding[] {
  const findings: Finding[] = []
  const posted = new Map<number, bigint>()
  const pending = new Map<number, bigint>()
  const add = (sums: Map<number, bigint>, asset: number, amount: bigint): void => {
    sums.set(asset, (sums.get(asset) ?? 0n) + amount)
  }
  for (const lot of lots.values()) {
    add(posted, lot.asset, lot.creditsPosted - lot.debitsPosted)
    add(pending, lot.asset, lot.creditsPending - lot.debitsPending)
  }
  const assetOf = (account: number): number | undefined =>
    account > 0 ? lots.get(account)?.asset : accounts.get(account)?.asset
  for (const decision of decisions) {
    for (const one of decision.postings) {
      const [debit, credit] = [assetOf(one.debit), assetOf(one.credit)]
      if (debit === undefined || debit !== credit || one.debit === one.credit || one.posted < 0n) {
        findings.push({ check: 'C1', what: `${nameOf(decision)}: a posting from ${one.debit} to ${one.credit}` })
        continue
      }
      if (one.debit < 0) {
        add(posted, debit, -one.posted)
        add(pending, debit, -one.pending)
      }
      if (one.credit < 0) {
        add(posted, debit, one.posted)
        add(pending, debit, one.pending)
      }
    }
  }
  for (const [name, sums] of Object.entries({ posted, pending })) {
    for (const [asset, sum] of sums) {
      if (sum !== 0n) findings.push({ check: 'C1', what: `asset ${asset}: ${name} sums to ${sum}` })
    }
  }
  return findings
}

/** C2 and C7: each lot's counters are the fold of its postings, and at no step of the fold is it beyond its limit. */
export function checkLots({ lots, decisions, transactions }: Raw): Finding[] {
  const findings: Finding[] = []
  const folds = new Map<number, { dPending: bigint; dPosted: bigint; cPending: bigint; cPosted: bigint }>()
  const foldOf = (lot: number) => {
    const fold = folds.get(lot) ?? { dPending: 0n, dPosted: 0n, cPending: 0n, cPosted: 0n }
    folds.set(lot, fold)
    return fold
  }
  for (const decision of decisions) {
    for (const { debit, credit, pending, posted } of decision.postings) {
      if (debit > 0) {
        const fold = foldOf(debit)
        fold.dPending += pending
        fold.dPosted += posted
      }
      if (credit > 0) {
        const fold = foldOf(credit)
        fold.cPending += pending
        fold.cPosted += posted
      }
    }
    for (const { debit, credit } of decision.postings) {
      for (const id of [debit, credit].filter(account => account > 0)) {
        const { dPending, dPosted, cPending, cPosted } = foldOf(id)
        const room = cPosted + (lots.get(id)?.limit ?? 0n) - dPosted - dPending
        if (room < 0n)
          findings.push({ check: 'C7', what: `lot ${id} is ${-room} beyond its limit at ${nameOf(decision)}` })
        if (dPending < 0n || cPending < 0n) {
          findings.push({ check: 'C7', what: `lot ${id} holds less than nothing at ${nameOf(decision)}` })
        }
      }
    }
  }
  const held = new Map<number, bigint>()
  for (const { legs } of transactions.values()) {
    for (const leg of legs) held.set(leg.lot, (held.get(leg.lot) ?? 0n) + leg.held)
  }
  for (const [id, lot] of lots) {
    const fold = foldOf(id)
    const pairs: readonly (readonly [string, bigint, bigint])[] = [
      ['debits pending', lot.debitsPending, fold.dPending],
      ['debits posted', lot.debitsPosted, fold.dPosted],
      ['credits pending', lot.creditsPending, fold.cPending],
      ['credits posted', lot.creditsPosted, fold.cPosted],
      ['debits pending (open holds)', lot.debitsPending, held.get(id) ?? 0n],
    ]
    for (const [name, stored, sum] of pairs) {
      if (stored !== sum) findings.push({ check: 'C2', what: `lot ${id}: ${name} ${stored}, by its postings ${sum}` })
    }
  }
  return findings
}

/** C2: each transaction as it stands is the fold of its decisions; C4: none without the decision that opened it. */
export function checkTransactions({ transactions, decisions, decisionsOf }: Raw): Finding[] {
  const findings: Finding[] = []
  const refundsOf = new Map<number, TransactionRow[]>()
  for (const one of transactions.values()) {
    if (one.original !== null) refundsOf.set(one.original, [...(refundsOf.get(one.original) ?? []), one])
  }
  for (const decision of decisions) {
    if (decision.txn !== null && !transactions.has(decision.txn)) {
      findings.push({ check: 'C2', what: `${nameOf(decision)}: its transaction ${decision.txn} is not there` })
    }
  }
  for (const one of transactions.values()) {
    const own = decisionsOf.get(one.id) ?? []
    if (own.length === 0) {
      findings.push({ check: 'C4', what: `transaction ${one.id}: no decision has opened it` })
      continue
    }
    const expected = expectationOf(one, own, refundsOf.get(one.id) ?? [], decisionsOf)
    for (const [name, value] of Object.entries(expected)) {
      const stored = name.startsWith('leg ') ? legText(one, name) : String(one[name as keyof TransactionRow])
      if (stored !== value) {
        findings.push({ check: 'C2', what: `transaction ${one.id}: ${name} ${stored}, by its decisions ${value}` })
      }
    }
  }
  return findings
}

const legText = ({ legs }: TransactionRow, name: string): string => {
  const leg = legs.find(({ lot }) => name === `leg ${lot}`)
  return leg === undefined ? '0 0' : `${leg.held} ${leg.posted}`
}

function expectationOf(
  transaction: TransactionRow,
  own: readonly DecisionRow[],
  refunds: readonly TransactionRow[],
  decisionsOf: ReadonlyMap<number, readonly DecisionRow[]>,
): Record<string, string> {
  const isRefund = transaction.kind === refundTransaction
  const postings = own.flatMap(one => one.postings)
  const refundPostings = refunds.flatMap(one => (decisionsOf.get(one.id) ?? []).flatMap(({ postings: list }) => list))
  const opening = own[0] as DecisionRow
  const released = sumOf(
    own.filter(one => one.kind === reverseKind).flatMap(one => one.postings),
    one => -one.pending,
  )
  const opened = sumOf(opening.postings, one => one.pending + one.posted)
  const sums = isRefund
    ? { authorized: opened, confirmed: sumOf(postings, given), reversed: sumOf(postings, taken), refunded: 0n }
    : {
        authorized: opened,
        confirmed: sumOf(postings, taken),
        reversed: sumOf(postings, given) + released,
        refunded: sumOf(refundPostings, given) - sumOf(refundPostings, taken),
      }
  const expected: Record<string, string> = {
    phase: String(phaseAfter(own, isRefund)),
    ...Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, String(sum)])),
  }
  const all = isRefund ? postings : [...postings, ...refundPostings]
  for (const lot of new Set(all.map(one => (one.debit > 0 ? one.debit : one.credit)))) {
    const of = all.filter(one => one.debit === lot || one.credit === lot)
    const net = sumOf(of, taken) - sumOf(of, given)
    expected[`leg ${lot}`] = `${sumOf(of, one => one.pending)} ${isRefund ? -net : net}`
  }
  return expected
}

/** Walks through the decisions of a transaction: where they leave it. */
function phaseAfter(own: readonly DecisionRow[], isRefund: boolean): number {
  let at: number = phase.refused
  for (const decision of own) {
    if (!isApproval(decision) || !decision.postings.some(moves)) continue
    if (isRefund && at === phase.refused) at = phase.confirmed
    else if (decision.kind === authorizeKind) {
      at = decision.postings.some(one => one.pending > 0n) ? phase.authorized : phase.confirmed
    } else if (decision.kind === confirmKind) at = phase.confirmed
    else if (decision.kind === expireKind) at = phase.expired
    else if (decision.kind === reverseKind && decision.postings.every(one => one.remaining === 0n)) at = phase.reversed
  }
  return at
}
