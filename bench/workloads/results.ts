import type { RelationSize } from '../database.ts'

/** What happened when more was offered than can be done. Times from due to confirmed. */
export interface Overload {
  /** Of its measurement, which has the seconds one by one. */
  readonly id: string
  readonly run: number
  /** Transactions a second: what it can do, what was offered, and what is offered to recover with. */
  readonly capacity: number
  readonly offered: number
  readonly recovering: number
  /** How long that much was offered. */
  readonly overSeconds: number
  /** While it was: of those due, how many a second were served, refused, and never sent. */
  readonly served: number
  readonly refused: number
  readonly unsent: number
  readonly servedP99Ms: number
  readonly refusedP99Ms: number
  /** Until p99 of a second was within `recoveredP99Ms` again; null: not while it was watched. */
  readonly recoverySeconds: number | null
  readonly recoveredP99Ms: number
}

/** The database after so many transactions. */
export interface GrowthPoint {
  readonly transactions: number
  readonly seconds: number
  /** Since the point before. */
  readonly perSecond: number
  readonly databaseBytes: number
  /** Since the first point: of the database and of the WAL, for each transaction. */
  readonly bytesEach: number
  readonly walBytesEach: number
  /** Timed checkpoints since the first point. */
  readonly checkpoints: number
  readonly hotPart: number | null
  /** By how much each has grown since the first point, the most first. */
  readonly relations: readonly RelationSize[]
}

export interface ScaleResult {
  readonly cards: number
  readonly transactions: number
  /** In the order in which they were done. */
  readonly steps: readonly { readonly name: string; readonly rows: number; readonly seconds: number }[]
  readonly databaseBytes: number
}
