import type { CommandKind } from './commands.ts'
import type { Micros, TransactionId } from './ids.ts'

/** What one decision has posted on one lot. */
export interface LotChange {
  readonly batch: number
  /** The place of the decision in its batch. */
  readonly index: number
  readonly at: Micros
  readonly kind: CommandKind
  readonly lot: number
  readonly funder: number
  /** Below zero: taken off. */
  readonly amount: bigint
  readonly purchase: {
    readonly id: TransactionId
    readonly merchant: number | null
    readonly reference: string | null
  } | null
  readonly note: { readonly reason: string | null; readonly reference: string | null; readonly actor: string | null }
}

/** One change of an account: of all its lots that one decision has posted on. */
export interface StatementEntry extends Omit<LotChange, 'lot' | 'funder'> {
  readonly type: EntryType
  /** What was on the account after it. */
  readonly balance: bigint
  readonly lots: readonly { readonly lot: number; readonly funder: number; readonly amount: bigint }[]
}

export const entryTypes = [
  'load',
  'clawback',
  'adjustment',
  'transfer',
  'breakage',
  'purchase',
  'reversal',
  'refund',
] as const
export type EntryType = (typeof entryTypes)[number]

const typesOfKinds: Partial<Record<CommandKind, EntryType>> = {
  load: 'load',
  clawback: 'clawback',
  adjust: 'adjustment',
  transfer: 'transfer',
  breakage: 'breakage',
  authorize: 'purchase',
  confirm: 'purchase',
  reverse: 'reversal',
  refund: 'refund',
}

/** How a statement calls what a command has posted on a lot. */
export function entryTypeOf(kind: CommandKind): EntryType {
  const type = typesOfKinds[kind]
  if (type === undefined) throw new Error(`a ${kind} posts nothing on a lot`)
  return type
}

/**
 * The changes of an account, the newest first, each with the balance after it: the present one, less what has come
 * since. `changes` must be all that there are since the oldest of them.
 */
export function statementOf(balance: bigint, changes: readonly LotChange[]): StatementEntry[] {
  const newestFirst = changes.toSorted(
    (one, other) => other.batch - one.batch || other.index - one.index || one.lot - other.lot,
  )
  const entries: (StatementEntry & { lots: StatementEntry['lots'][number][] })[] = []
  let after = balance
  for (const { lot, funder, ...change } of newestFirst) {
    const last = entries.at(-1)
    if (last !== undefined && last.batch === change.batch && last.index === change.index) {
      last.lots.push({ lot, funder, amount: change.amount })
      Object.assign(last, { amount: last.amount + change.amount })
    } else {
      const type = entryTypeOf(change.kind)
      entries.push({ ...change, type, balance: after, lots: [{ lot, funder, amount: change.amount }] })
    }
    after -= change.amount
  }
  return entries
}
