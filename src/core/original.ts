import type { Confirm, Refund, Reverse } from './commands.ts'
import { type DecisionContext, isCurrency, type Need } from './decision.ts'
import type { Transaction } from './transactions.ts'
import type { WorkingSet } from './working-set.ts'

type Refusal = 'original_mismatch' | 'original_unknown' | 'original_ambiguous' | 'currency_unsupported'

export type Found =
  | { kind: 'found'; transaction: Transaction }
  /** No request of that name has been seen. */
  | { kind: 'unseen' }
  /** It is not for this asker (of another merchant, card or currency, or no purchase at all), or not the only one. */
  | { kind: 'refused'; reason: Refusal }
  | { kind: 'deferred'; need: Need }

/**
 * Finds the transaction that a follow-up is about. Originals that are named by anything but an id or a key have been
 * resolved to one of these before the batch.
 */
export function findOriginal(command: Confirm | Reverse | Refund, rows: WorkingSet, context: DecisionContext): Found {
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
  if (original.by === 'reference') {
    const ids = original.ids ?? []
    const unread = ids.filter(one => rows.transaction(one) === undefined)
    if (unread.length > 0) return { kind: 'deferred', need: { transactions: unread } }
    const live = ids.filter(one => isLive(rows.transaction(one)))
    if (live.length > 1) return { kind: 'refused', reason: 'original_ambiguous' }
    id = live[0] ?? ids.find(one => rows.transaction(one)?.phase !== 'refused') ?? null
  }
  if (id === null) return { kind: 'unseen' }

  const transaction = rows.transaction(id) ?? (command.kind === 'confirm' ? rows.rememberedHold(id) : undefined)
  if (transaction === undefined) {
    return original.by === 'key' ? { kind: 'deferred', need: { transactions: [id] } } : { kind: 'unseen' }
  }
  if (transaction.holder !== null && !rows.isLocked(transaction.holder)) return { kind: 'deferred', need: {} }
  if (!speaksFor(command, transaction, context.catalog.merchantsById)) {
    // To an API client another merchant's transaction does not exist.
    return { kind: 'refused', reason: command.channel === 'api' ? 'original_unknown' : 'original_mismatch' }
  }
  if (command.card !== null && command.card !== transaction.card) {
    return { kind: 'refused', reason: 'original_mismatch' }
  }
  if (command.currency !== null && !isCurrency(command.currency, context)) {
    return { kind: 'refused', reason: 'currency_unsupported' }
  }
  const need = watermarkNeed(transaction, rows)
  return need === null ? { kind: 'found', transaction } : { kind: 'deferred', need }
}

/** What is to be read before it can be told whether a transaction is settled; null if nothing is. */
export function watermarkNeed({ phase, merchant }: Transaction, rows: WorkingSet): Need | null {
  if (phase !== 'confirmed' || merchant === null || rows.knowsWatermark(merchant)) return null
  return { watermarksOf: [merchant] }
}

const isLive = (transaction: Transaction | undefined): boolean =>
  transaction?.phase === 'authorized' || transaction?.phase === 'confirmed'

function speaksFor(
  { merchants }: Confirm | Reverse | Refund,
  { merchant }: Transaction,
  merchantsById: ReadonlyMap<number, { code: string }>,
): boolean {
  if (merchants === '*') return true
  const code = merchant === null ? undefined : merchantsById.get(merchant)?.code
  return code !== undefined && merchants.includes(code)
}
