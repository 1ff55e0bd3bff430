import type { Page, PageRequest } from '../../core/admin.ts'
import type { Catalog } from '../../core/catalog.ts'
import { formatTransactionId, type Micros } from '../../core/ids.ts'
import type { EntryType, StatementEntry } from '../../core/statement.ts'
import { toJsonAmount } from '../amounts.ts'
import { rfc3339 } from '../times.ts'

/** The page of a statement, which is whole and has the newest first. */
export function entriesOf(
  entries: readonly StatementEntry[],
  { to, type }: { readonly to: Micros | null; readonly type: EntryType | null },
  { limit, after }: PageRequest,
): Page<StatementEntry> {
  const [batch, index] = after === null ? [] : after.split('.').map(digits => Number.parseInt(digits, 10))
  const isAfter = (entry: StatementEntry): boolean =>
    batch === undefined || index === undefined || entry.batch < batch || (entry.batch === batch && entry.index < index)
  const rest = entries.filter(
    entry => isAfter(entry) && (to === null || entry.at < to) && (type === null || entry.type === type),
  )
  const items = rest.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rest.length > limit && last !== undefined ? idOf(last) : null }
}

/** An entry is found again by its batch and its place there. */
const idOf = ({ batch, index }: StatementEntry): string => `${batch}.${index}`

export const entryBody = (entry: StatementEntry, { merchantsById, fundersById }: Catalog) => ({
  id: idOf(entry),
  at: rfc3339(entry.at),
  type: entry.type,
  amount: toJsonAmount(entry.amount),
  balance: toJsonAmount(entry.balance),
  merchant: merchantsById.get(entry.purchase?.merchant ?? 0)?.code ?? null,
  transaction: entry.purchase === null ? null : formatTransactionId(entry.purchase.id),
  reference: entry.purchase?.reference ?? entry.note.reference,
  reason: entry.note.reason,
  actor: entry.note.actor,
  lots: entry.lots.map(({ lot, funder, amount }) => ({
    lot: String(lot),
    funder: fundersById.get(funder)?.code ?? String(funder),
    amount: toJsonAmount(amount),
  })),
})
