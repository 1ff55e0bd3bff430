import type { Actor } from '../../core/admin.ts'
import type { CommandKind } from '../../core/commands.ts'
import type { Day, Micros } from '../../core/ids.ts'
import type { StatementEntry } from '../../core/statement.ts'

/** What the ledger has posted on one accounting day, of one kind, for one program or merchant. */
export interface LedgerLine {
  readonly day: Day
  readonly kind: CommandKind
  readonly program: number | null
  readonly merchant: number | null
  readonly count: number
  readonly amount: bigint
}

export interface Span {
  /** The first microsecond, and the first that is not in it any more. */
  readonly from: Micros
  readonly to: Micros
}

/** Accounts, each named by holder and program, and what the ledger tells of them. */
export interface AccountsAdmin {
  freeze(
    actor: Actor,
    account: { readonly holder: number; readonly program: number; readonly code: string },
    isFrozen: boolean,
    reason: string | null,
  ): Promise<{ readonly kind: 'changed' } | { readonly kind: 'not_found' }>
  /** Everything since `from` (null: ever), the newest first. `funder`: only on the lots of this one; null: on all. */
  statement(
    account: {
      readonly tenant: number
      readonly holder: number
      readonly program: number
      readonly funder: number | null
    },
    from: Micros | null,
  ): Promise<
    { readonly kind: 'statement'; readonly entries: readonly StatementEntry[] } | { readonly kind: 'not_found' }
  >
  /** What has moved on the lots that it has funded, in a span and since; and what is on them now. */
  organisationLedger(
    tenant: number,
    organisation: number,
    span: Span,
  ): Promise<{ readonly lines: readonly LedgerLine[]; readonly after: readonly LedgerLine[]; readonly value: bigint }>
  /** What has moved on the account of what is owed to a merchant. */
  merchantLedger(tenant: number, merchant: number, span: Span): Promise<readonly LedgerLine[]>
}
