import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import { sha256Hex } from '../../src/crypto/hash.ts'
import type { EngineOptions } from '../../src/engine/engine.ts'
import { Executor } from '../../src/engine/executor.ts'
import { elapsedSeconds, nowMicros } from '../../src/ops/clock.ts'
import { Session } from '../../src/store/session.ts'
import type { Statement } from '../../src/store/sql.ts'
import { WireRows } from '../../src/store/wire-rows.ts'

/** What is done to the flights of a lane on their way to the database. */
export interface Rigging {
  /** Replaces statements: the way to take a protecting line out. */
  readonly rewrite?: (statement: Statement) => Statement
  /** Names of statements that are sent before the locks instead of after them. */
  readonly beforeLocks?: readonly string[]
  /** Pause between the reads and the writes of a batch, so that what is not rigged comes between. */
  readonly gapMs?: number
  /** Where batches of several lanes meet between their reads and their writes. */
  readonly meeting?: Meeting
  /** Takes a flight for committed whatever the database said. */
  readonly trusts?: boolean
  /** The switch's idea of the time, in microseconds. */
  readonly now?: () => number
  /** How long a silent database is waited for. */
  readonly replyTimeoutMs?: number
}

/** For `Engine`: connects as ever, with rigged flights. */
export const riggedConnect =
  (url: string, rigging: Rigging): EngineOptions['connect'] =>
  async () => {
    const { replyTimeoutMs } = rigging
    const session = rig(await Session.connect(url, replyTimeoutMs === undefined ? {} : { replyTimeoutMs }), rigging)
    return new Executor({ session, hash: sha256Hex, clock: { elapsed: elapsedSeconds, now: rigging.now ?? nowMicros } })
  }

/**
 * Batches that were sent together are written only when each of them has made its reads, or waits for a lock: a pause
 * is too short for that on a busy machine, and too long on an idle one.
 */
export class Meeting {
  readonly #pool: Pool
  #reading = 0

  constructor(pool: Pool) {
    this.#pool = pool
  }

  async reads<Value>(flight: () => Promise<Value>): Promise<Value> {
    this.#reading += 1
    try {
      return await flight()
    } finally {
      this.#reading -= 1
    }
  }

  async othersHaveRead(): Promise<void> {
    while (this.#reading > 0 && this.#reading > (await lanesThatWait(this.#pool))) await sleep(2)
  }
}

/** How many lanes on this database wait for a lock. */
export async function lanesThatWait(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'charsu-lane' AND wait_event_type = 'Lock'`,
  )
  return rows[0]?.count ?? 0
}

type Run = Session['run']

function rig(session: Session, { rewrite, beforeLocks = [], gapMs = 0, meeting, trusts = false }: Rigging): Session {
  const inMeeting: Run = async (statements, options) => {
    if (meeting === undefined) return session.run(statements, options)
    if (!options.commits) return meeting.reads(() => session.run(statements, options))
    await meeting.othersHaveRead()
    return session.run(statements, options)
  }
  const run: Run = async (statements, options) => {
    if (options.commits && gapMs > 0) await sleep(gapMs)
    const rewritten = rewrite === undefined ? statements : statements.map(renamed(rewrite))
    const firstLock = rewritten.findIndex(({ name }) => name.startsWith('lock_'))
    const moved = rewritten.filter(one => firstLock >= 0 && beforeLocks.includes(nameOf(one).replace('_rigged', '')))
    const rest = rewritten.filter(one => !moved.includes(one))
    const sent = [...rest.slice(0, firstLock), ...moved, ...rest.slice(firstLock)]
    const flight = moved.length === 0 ? rewritten : sent
    try {
      const replies = await inMeeting(flight, options)
      return rewritten.map(one => replies[flight.indexOf(one)] as Awaited<ReturnType<Run>>[number])
    } catch (error) {
      if (!options.commits || !trusts) throw error
      return rewritten.map(() => ({ rows: new WireRows(Buffer.alloc(0), 0, 0), command: 'COMMIT' }))
    }
  }
  // Everything but `run` is the session's own.
  return new Proxy(session, {
    get(target, name) {
      if (name === 'run') return run
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Without the partition that it goes to. */
export const nameOf = ({ name }: Statement): string => name.replace(/_\d+(?=$|_rigged$)/, '')

/** A changed text needs another name: the server knows prepared statements by it. */
const renamed =
  (rewrite: (statement: Statement) => Statement) =>
  (statement: Statement): Statement => {
    const after = rewrite(statement)
    return after.text === statement.text ? after : { ...after, name: `${statement.name}_rigged` }
  }

/**
 * Rewrites the text of one statement. Throws if the words that are to go are not in it: the proof would prove nothing.
 */
export function without(
  name: string | RegExp,
  words: string | RegExp,
  instead = '',
): (statement: Statement) => Statement {
  return statement => {
    const isMeant = typeof name === 'string' ? nameOf(statement) === name : name.test(nameOf(statement))
    if (!isMeant) return statement
    const text = statement.text.replace(words, instead)
    if (text === statement.text) throw new Error(`${name} has nothing to take out: ${words}`)
    return { ...statement, text }
  }
}

export const both =
  (...rewrites: readonly ((statement: Statement) => Statement)[]) =>
  (statement: Statement): Statement =>
    rewrites.reduce((one, rewrite) => rewrite(one), statement)

/** Faults are part of these tests: nobody wants to read them. */
export const quietEvents: EngineOptions['events'] = { batch() {}, fault() {}, away() {}, back() {} }
