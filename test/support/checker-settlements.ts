import { type Finding, refundTransaction, settleKind } from './checker-words.ts'
import type { Raw, SettlementRow } from './raw-ledger.ts'

/** Every posting to a merchant is in exactly one settlement, once that has come to it, and a purchase in no other. */
export function checkSettlements(raw: Raw): Finding[] {
  const findings: Finding[] = []
  const red = (what: string): void => {
    findings.push({ check: 'settlements', what })
  }
  for (const list of Map.groupBy(raw.settlements, one => one.merchant).values()) {
    list.forEach((one, index) => {
      const before = list[index - 1]
      if (one.number !== index + 1) red(`settlement ${one.id} is number ${one.number}, not ${index + 1}`)
      if (one.afterBatch !== (before?.upToBatch ?? -1)) red(`settlement ${one.id} does not begin where the last ended`)
      if (one.isPosted) for (const what of objectionsTo(one, raw)) red(`settlement ${one.id}: ${what}`)
    })
  }
  const purchases = raw.settlements
    .flatMap(({ lines }) => lines.map(({ txn }) => txn))
    .filter(txn => raw.transactions.get(txn)?.kind !== refundTransaction)
  for (const [txn, times] of Map.groupBy(purchases, one => one)) {
    if (times.length > 1) red(`transaction ${txn} is in ${times.length} settlements`)
  }
  return findings
}

function objectionsTo(one: SettlementRow, { decisions, transactions }: Raw): string[] {
  const objections: string[] = []
  const owed = new Map<number, bigint>()
  let settled = 0n
  for (const decision of decisions) {
    for (const { debit, credit, posted } of decision.postings) {
      if (decision.kind === settleKind && decision.key === settleKey(one.id)) {
        settled += credit === one.clearing && debit === one.payable ? posted : -posted
      }
      if (decision.txn === null || decision.batch <= one.afterBatch || decision.batch > one.upToBatch) continue
      const change = (credit === one.payable ? posted : 0n) - (debit === one.payable ? posted : 0n)
      owed.set(decision.txn, (owed.get(decision.txn) ?? 0n) + change)
    }
  }
  const lines = new Map(one.lines.map(({ txn, amount }) => [txn, amount]))
  for (const [txn, amount] of owed) {
    if (amount !== (lines.get(txn) ?? 0n))
      objections.push(`${txn} moved ${amount}, and its line says ${lines.get(txn)}`)
  }
  for (const txn of lines.keys()) if (!owed.has(txn)) objections.push(`${txn} has a line, and did not move`)
  const sum = (of: (txn: number) => boolean): bigint =>
    one.lines.filter(({ txn }) => of(txn)).reduce((total, { amount }) => total + amount, 0n)
  const isRefund = (txn: number): boolean => transactions.get(txn)?.kind === refundTransaction
  if (sum(() => true) !== one.net) objections.push(`its net is ${one.net}, and its lines sum to ${sum(() => true)}`)
  if (sum(txn => !isRefund(txn)) !== one.purchases) objections.push(`its purchases are not ${one.purchases}`)
  if (-sum(isRefund) !== one.refunds) objections.push(`its refunds are not ${one.refunds}`)
  if (settled !== one.net) objections.push(`${settled} was moved to clearing, not ${one.net}`)
  return objections
}

/** The key of the switch's own posting of a settlement: purpose 3. */
const settleKey = (id: number): string => `ff03${id.toString(16).padStart(28, '0')}`
