import type { CommandEntry } from '../../core/admin.ts'
import { writeCommandAudit } from './audit-log.ts'
import { createParties } from './parties.ts'
import type { AdminPool } from './pool.ts'

export interface AdminOptions {
  readonly pool: AdminPool
  /** Reads the reference data and the API keys again, where they have changed. */
  refresh(): Promise<unknown>
}

/** The database side of the admin API. */
export const createAdmin = ({ pool, refresh }: AdminOptions) => ({
  parties: createParties(pool),
  logCommand: (entry: CommandEntry) => writeCommandAudit(pool.run, entry),
  refresh,
})
