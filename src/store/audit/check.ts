import type pg from 'pg'

/** An invariant, as SQL on the tables and on `movements`. */
export interface Check {
  readonly name: string
  /** Makes temporary tables that it reads, in the snapshot of all checks. */
  readonly prepare?: (client: pg.Client) => Promise<void>
  /** Counts what is looked at. */
  readonly of: string
  /** Selects one text column: the ids of what is wrong. */
  readonly wrong: string
}
