import type { CommandEntry } from '../../core/admin.ts'
import type { PartiesAdmin } from './parties.ts'

/**
 * What the admin API does to the database. Everything is of the tenant of its actor; what is of another tenant is not
 * there. Each throws if the database is away.
 */
export interface Admin {
  readonly parties: PartiesAdmin
  /** Writes the line of a command of the engine; a second one for the same key is not written. */
  logCommand(entry: CommandEntry): Promise<void>
  /** Takes what has changed in the reference data into this process, so that the next request is decided by it. */
  refresh(): Promise<unknown>
}
