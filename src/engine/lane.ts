import type { Catalog } from '../core/catalog.ts'
import type { Command } from '../core/commands.ts'
import { bothNeeds, type Outcome } from '../core/decision.ts'
import type { Transaction } from '../core/transactions.ts'
import { jittered, pause } from '../ops/clock.ts'
import { BatchError } from '../store/errors.ts'
import type { Executor, Stages } from './executor.ts'
import { type Job, Queue, type QueueLimits } from './queue.ts'
import type { Result } from './result.ts'

export interface LaneLimits extends QueueLimits {
  /** How often a batch is run again after a collision before its commands are given up. */
  readonly attemptsMax: number
}

export const laneLimits: LaneLimits = {
  batchMax: 256,
  queueMax: 2048,
  admitMaxMs: 1_000,
  waitMaxMs: 5_000,
  attemptsMax: 5,
  doubtMaxMs: 20_000,
}

/** What a lane tells about its work. */
export interface LaneEvents {
  batch(size: number, stages: Stages): void
  /** A batch failed: how, and what was done about it. */
  fault(error: BatchError, size: number): void
  away(reason: string): void
  back(): void
  drained(): void
  /** Before its asker is told. */
  decided(command: Command, result: Result): void
}

export interface LaneOptions {
  readonly limits: LaneLimits
  /** Opens the lane's connection. Throws while the database is away. */
  readonly connect: () => Promise<Executor>
  readonly catalogOf: (tenant: number) => Catalog | undefined
  readonly events: LaneEvents
  /** Monotonic seconds. */
  readonly elapsed: () => number
}

const reconnectFirstMs = 50
const reconnectMaxMs = 1_000
/** Pause between tries at commands whose holder is locked by somebody else. */
const asideMs = 25

/**
 * A bounded queue with one database connection. While one batch commits the next gathers, so there is no timer: under
 * low load a batch is one command, under high load it is as many as have come. Running a batch again is the one
 * recovery for whatever goes wrong.
 */
export class Lane {
  readonly #options: LaneOptions
  readonly #queue: Queue
  #executor: Executor | null = null
  #isRunning = false
  #isAway = false
  #isClosed = false
  /** Some holder is locked from outside: batches leave locked holders out, so that the others go on. */
  #skipsLocked = false
  #idle: (() => void)[] = []

  constructor(options: LaneOptions) {
    this.#options = options
    const { limits, elapsed, events } = options
    this.#queue = new Queue({ limits, elapsed, hasRoom: () => events.drained() })
  }

  /** Nothing more should be read: see `Queue`. */
  get isFull(): boolean {
    return this.#queue.isFull
  }

  get isAway(): boolean {
    return this.#isAway
  }

  get length(): number {
    return this.#queue.length
  }

  /** `holder` and `hold`: whose original a follow-up is about, and the hold itself, as far as this process knows. */
  submit(command: Command, holder: number | null, hold: Transaction | null = null): Promise<Result> {
    if (this.#isClosed || this.#isAway) return Promise.resolve({ kind: 'refused', reason: 'switch_unavailable' })
    if (!this.#queue.admits(command)) return Promise.resolve({ kind: 'refused', reason: 'switch_busy' })
    return new Promise(resolve => {
      this.#queue.add(command, holder, hold, resolve)
      this.#start()
    })
  }

  /** Connects, so that the first command does not wait for it. */
  warmUp(): void {
    this.#start()
  }

  /** Takes no more work, finishes what is queued and closes the connection. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#isRunning) await new Promise<void>(resolve => this.#idle.push(resolve))
    await this.#executor?.close()
  }

  #start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    // All frames of one read of the sockets come before the next turn of the loop: they make one batch.
    setImmediate(() => void this.#work())
  }

  async #work(): Promise<void> {
    do {
      const executor = await this.#connected()
      if (executor === null) continue
      const { batch, stale } = this.#queue.take()
      this.#giveUp(stale, 'switch_busy')
      if (batch.length > 0) await this.#process(batch)
    } while (this.length > 0)
    this.#isRunning = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /**
   * Refuses those at the front that have waited too long. While a batch hangs on a silent connection nothing is taken,
   * and they must not wait for its end.
   */
  dropStale(): void {
    const isConnected = this.#executor !== null && !this.#executor.isBroken
    this.#giveUp(this.#queue.dropStale(), isConnected ? 'switch_busy' : 'switch_unavailable')
  }

  /** Runs a batch until it is decided. A lost connection hands it back to the queue, for a new one. */
  async #process(batch: Job[]): Promise<void> {
    const catalog = this.#options.catalogOf((batch[0] as Job).command.tenant)
    if (catalog === undefined) return this.#giveUp(batch, 'internal_error')
    for (let attempt = 1; ; attempt++) {
      const executor = this.#executor
      if (executor === null || executor.isBroken) {
        this.#queue.putFirst(batch)
        return
      }
      try {
        const { outcomes, stages } = await executor.run(batch, catalog, this.#skipsLocked ? 'skip' : 'wait')
        this.#options.events.batch(batch.length, stages)
        return await this.#settle(batch, outcomes)
      } catch (error) {
        const fault = this.#noteFailure(batch, error)
        if (fault === 'poison') return this.#bisect(batch)
        const isLast = batch.some(job => job.failures >= this.#options.limits.attemptsMax)
        if (isLast) return this.#giveUp(batch, 'switch_busy')
        if (fault === 'again') await pause(jittered(2 ** attempt))
      }
    }
  }

  #noteFailure(batch: readonly Job[], error: unknown): BatchError['fault'] {
    const failure = error instanceof BatchError ? error : new BatchError('poison', false, error)
    this.#options.events.fault(failure, batch.length)
    for (const job of batch) {
      job.failures += 1
      job.hold = null
      job.inDoubt ||= failure.inDoubt
    }
    if (failure.fault === 'locked') this.#skipsLocked = true
    if (failure.fault === 'away') this.#executor?.destroy()
    return failure.fault
  }

  /** Answers what was decided; what could not be goes ahead of all, or aside, with what it needs. */
  async #settle(batch: readonly Job[], outcomes: readonly Outcome[]): Promise<void> {
    const deferred: Job[] = []
    outcomes.forEach((outcome, index) => {
      const job = batch[index] as Job
      if (outcome.kind === 'deferred') {
        deferred.push({ ...job, hold: null, need: bothNeeds(job.need, outcome.need) })
        return
      }
      this.#options.events.decided(job.command, outcome)
      // The answer to a command whose own first try was committed after all is no replay to its asker.
      const isOwn = outcome.kind === 'decided' && outcome.replayed && job.failures > 0
      job.resolve(isOwn ? { ...outcome, replayed: false } : outcome)
    })
    if (!this.#skipsLocked) {
      this.#queue.putFirst(deferred)
      return
    }
    this.#queue.putAside(deferred)
    const { length, asideLength } = this.#queue
    if (asideLength === 0) this.#skipsLocked = false
    // Nothing else to do: do not spin on a row that somebody else holds.
    else if (deferred.length === batch.length && length === asideLength) await pause(asideMs)
  }

  /** One poison command must not sink its neighbours: halves, until it is alone. */
  async #bisect(batch: Job[]): Promise<void> {
    if (batch.length === 1) return this.#giveUp(batch, 'internal_error')
    for (const job of batch) job.failures = 0
    const middle = batch.length >> 1
    await this.#process(batch.slice(0, middle))
    await this.#process(batch.slice(middle))
  }

  #giveUp(batch: readonly Job[], reason: 'switch_busy' | 'switch_unavailable' | 'internal_error'): void {
    for (const job of batch) job.resolve(job.inDoubt ? { kind: 'unknown' } : { kind: 'refused', reason })
  }

  /**
   * The connection, made anew if it is broken. If that fails the database is away: what is queued is refused at once,
   * but for what is in doubt, which waits for the database to come back. Null then, after a pause.
   */
  async #connected(): Promise<Executor | null> {
    if (this.#executor !== null && !this.#executor.isBroken) return this.#executor
    this.#executor?.destroy()
    this.#executor = null
    let pauseMs = reconnectFirstMs
    while (!(this.#isClosed && this.length === 0)) {
      try {
        this.#executor = await this.#options.connect()
        if (this.#isAway) this.#options.events.back()
        this.#isAway = false
        return this.#executor
      } catch (error) {
        if (!this.#isAway) this.#options.events.away(error instanceof Error ? error.message : String(error))
        this.#isAway = true
        this.#giveUp(this.#queue.shed(), 'switch_unavailable')
        this.#options.events.drained()
        await pause(jittered(pauseMs))
        pauseMs = Math.min(pauseMs * 2, reconnectMaxMs)
      }
    }
    return null
  }
}
