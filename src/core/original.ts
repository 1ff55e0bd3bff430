import type { Confirm, Refund, Reverse } from './commands.ts'
import type { DecisionContext, Need } from './decision.ts'
import type { Transaction } from './transactions.ts'
import type { WorkingSet } from './working-set.ts'

export type Found =
  | { kind: 'found'; transaction: Transaction }
  /** No request of that name has been seen. */
  | { kind: 'unseen' }
  /** It is there, but not for this asker: of another merchant or card, or no purchase at all. */
  | { kind: 'refused'; reason: 'original_mismatch' | 'original_unknown' | 'original_ambiguous' }
  | { kind: 'deferred'; need: Need }

/**
 * Finds the transaction that a follow-up is about. Originals that are named by anything but an id or a key have been
 * resolved to one of these before the batch.
 */
export function findOriginal(
  command: Confirm | Reverse | Refund,
  rows: WorkingSet,
  { catalog }: DecisionContext,
): Found {
  const { original } = command
  if (original.by === 'ambiguity') return { kind: 'refused', reason: 'original_ambiguous' }
  let id: number | null = null
  if (original.by === 'id') id = original.id
  if (original.by === 'key') {
    const opened = rows.decision(original.key)
    if (opened === undefined) return { kind: 'unseen' }
    if (opened.transaction === null) {
      return opened.reason === 'reversed_before' ? { kind: 'unseen' } : { kind: 'refused', reason: 'original_unknown' }
    }
    id = opened.transaction
  }
  if (id === null) return { kind: 'unseen' }

  const transaction = rows.transaction(id)
  if (transaction === undefined) {
    return original.by === 'key' ? { kind: 'deferred', need: { transactions: [id] } } : { kind: 'unseen' }
  }
  if (transaction.holder !== null && !rows.isLocked(transaction.holder)) return { kind: 'deferred', need: {} }
  if (!speaksFor(command, transaction, catalog.merchantsById)) {
    // To an API client another merchant's transaction does not exist.
    return { kind: 'refused', reason: command.channel === 'api' ? 'original_unknown' : 'original_mismatch' }
  }
  if (command.card !== null && command.card !== transaction.card)
    return { kind: 'refused', reason: 'original_mismatch' }
  if (
    transaction.phase === 'confirmed' &&
    transaction.merchant !== null &&
    !rows.knowsWatermark(transaction.merchant)
  ) {
    return { kind: 'deferred', need: { watermarksOf: [transaction.merchant] } }
  }
  return { kind: 'found', transaction }
}

function speaksFor(
  { merchants }: Confirm | Reverse | Refund,
  { merchant }: Transaction,
  merchantsById: ReadonlyMap<number, { code: string }>,
): boolean {
  if (merchants === '*') return true
  const code = merchant === null ? undefined : merchantsById.get(merchant)?.code
  return code !== undefined && merchants.includes(code)
}
