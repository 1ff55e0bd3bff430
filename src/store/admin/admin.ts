import type { CommandEntry } from '../../core/admin.ts'
import { createAccounts } from './accounts-admin.ts'
import { writeCommandAudit } from './audit-log.ts'
import { createCards } from './cards-admin.ts'
import { readRequestContent } from './keys.ts'
import { createApprovals, createGiftCards, createLoads, createVouchers } from './loads-admin.ts'
import { createParties } from './parties.ts'
import type { AdminPool } from './pool.ts'
import { createPrograms } from './programs-admin.ts'
import { createSetup } from './setup.ts'

interface AdminOptions {
  readonly pool: AdminPool
  /** Reads the reference data and the API keys again, where they have changed. */
  refresh(): Promise<unknown>
}

/** The database side of the admin API. */
export const createAdmin = ({ pool, refresh }: AdminOptions) => ({
  setup: createSetup(pool),
  parties: createParties(pool),
  loads: createLoads(pool),
  approvals: createApprovals(pool),
  vouchers: createVouchers(pool),
  giftCards: createGiftCards(pool),
  programs: createPrograms(pool),
  cards: createCards(pool),
  accounts: createAccounts(pool),
  contentOf: (tenant: number, key: string) => readRequestContent(pool.run, tenant, key),
  logCommand: (entry: CommandEntry) => writeCommandAudit(pool.run, entry),
  refresh,
})
