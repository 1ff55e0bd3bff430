import type { CommandEntry } from '../../core/admin.ts'
import type { AccountsAdmin } from './accounts.ts'
import type { ApprovalsAdmin } from './approvals.ts'
import type { CardsAdmin } from './cards.ts'
import type { GiftCardsAdmin } from './gift-cards.ts'
import type { LoadsAdmin } from './loads.ts'
import type { PartiesAdmin } from './parties.ts'
import type { ProgramsAdmin } from './programs.ts'
import type { SetupAdmin } from './setup.ts'
import type { VouchersAdmin } from './vouchers.ts'

/**
 * What the admin API does to the database. Everything is of the tenant of its actor; what is of another tenant is not
 * there. Each throws if the database is away.
 */
export interface Admin {
  readonly setup: SetupAdmin
  readonly parties: PartiesAdmin
  readonly loads: LoadsAdmin
  readonly approvals: ApprovalsAdmin
  readonly vouchers: VouchersAdmin
  readonly giftCards: GiftCardsAdmin
  readonly programs: ProgramsAdmin
  readonly cards: CardsAdmin
  readonly accounts: AccountsAdmin
  /** The fingerprint of the request that made something under this key; null: none did. */
  contentOf(tenant: number, key: string): Promise<string | null>
  /** Writes the line of a command of the engine; a second one for the same key is not written. */
  logCommand(entry: CommandEntry): Promise<void>
  /** Takes what has changed in the reference data into this process, so that the next request is decided by it. */
  refresh(): Promise<unknown>
}
