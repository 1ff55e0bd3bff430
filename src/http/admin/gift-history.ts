import type { AuditLine } from '../../core/admin.ts'
import type { CardRecord } from '../../core/cards.ts'
import { formatTransactionId, type Micros } from '../../core/ids.ts'
import type { EntryType, StatementEntry } from '../../core/statement.ts'
import { toJsonAmount } from '../amounts.ts'
import { rfc3339 } from '../times.ts'

/** As people who sell gift cards call the changes of an account. */
const giftTypes: Partial<Record<EntryType, string>> = {
  purchase: 'redeem',
  adjustment: 'adjust',
  transfer: 'merge',
  breakage: 'expire',
}

interface Change {
  readonly at: Micros
  readonly type: string
  readonly amount: bigint
  /** Null: as it was before. */
  readonly balance: bigint | null
  readonly reason: string | null
  readonly actor: string | null
  readonly transaction: string | null
}

/**
 * Every change of a gift card, the newest first: those of value as the ledger has them, and those of the card as the
 * audit log has them, each with the balance after it.
 */
export function giftHistory(
  card: CardRecord,
  entries: readonly StatementEntry[],
  lines: readonly AuditLine[],
): object[] {
  const issued = { at: card.issuedAt, type: 'issue', ...withoutValue, reason: null, actor: null }
  // Both come with the newest first; what has one moment stays in its order.
  const changes = [...entries.toReversed().map(ofLedger), ...lines.toReversed().flatMap(ofCard)]
  const oldestFirst = [issued, ...changes].toSorted((one, other) => one.at - other.at)
  let balance = 0n
  const told = oldestFirst.map(change => {
    balance = change.balance ?? balance
    return {
      at: rfc3339(change.at),
      type: change.type,
      amount: toJsonAmount(change.amount),
      balance: toJsonAmount(balance),
      reason: change.reason,
      actor: change.actor,
      transaction: change.transaction,
    }
  })
  return told.reverse()
}

const withoutValue = { amount: 0n, balance: null, transaction: null } as const

const ofLedger = ({ at, type, amount, balance, note, purchase }: StatementEntry): Change => ({
  at,
  type: giftTypes[type] ?? type,
  amount,
  balance,
  reason: note.reason,
  actor: note.actor,
  transaction: purchase === null ? null : formatTransactionId(purchase.id),
})

const moves: ReadonlySet<string> = new Set(['activate', 'block', 'unblock', 'close', 'replace'])

function ofCard({ at, action, actor, after }: AuditLine): Change[] {
  if (!moves.has(action)) return []
  const { statusReason = null } = JSON.parse(after ?? '{}') as { statusReason?: string | null }
  return [{ at, type: action, ...withoutValue, reason: statusReason, actor }]
}
