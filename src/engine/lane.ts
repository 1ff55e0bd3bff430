import type { Catalog } from '../core/catalog.ts'
import type { Command } from '../core/commands.ts'
import { bothNeeds, type Need, type Outcome } from '../core/decision.ts'
import type { Transaction } from '../core/transactions.ts'
import { jittered, pause } from '../ops/clock.ts'
import { BatchError } from '../store/errors.ts'
import type { Executor, Stages } from './executor.ts'
import { Pace } from './pace.ts'
import type { Result } from './result.ts'

export interface LaneLimits {
  /** Commands in one batch, at most. */
  readonly batchMax: number
  /**
   * New commands that wait in the lane, at most: beyond it they are refused as busy. With twice as many of all sorts
   * work is pushed back.
   */
  readonly queueMax: number
  /** New commands that would wait longer than this are refused as busy at once. */
  readonly admitMaxMs: number
  /** How long a command may wait before it enters a batch; then it is refused as busy. */
  readonly waitMaxMs: number
  /** How often a batch is run again after a collision before its commands are given up. */
  readonly attemptsMax: number
  /** How long an outcome in doubt is looked for before the asker is told that it is unknown. */
  readonly doubtMaxMs: number
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

interface Job {
  command: Command
  holder: number | null
  hold: Transaction | null
  need: Need
  since: number
  /** Its batch may have been committed without our knowing: only its stored answer may answer it. */
  inDoubt: boolean
  /** How often a batch with it has failed. */
  failures: number
  readonly resolve: (result: Result) => void
}

const nothing: Need = {}
const reconnectFirstMs = 50
const reconnectMaxMs = 1_000
/** Pause between tries at commands whose holder is locked by somebody else. */
const asideMs = 25
/** Of a batch, for those who do not go ahead: they go on however many do. */
const newPart = 1 / 4
/** Of a batch, as many may be refused while it is under way before no more is read. */
const turnedAwayPart = 1 / 4

/**
 * A bounded queue with one database connection. While one batch commits the next gathers, so there is no timer: under
 * low load a batch is one command, under high load it is as many as have come. Running a batch again is the one
 * recovery for whatever goes wrong.
 */
export class Lane {
  readonly #options: LaneOptions
  /** In the order in which they came. */
  #queue: Job[] = []
  /** What goes before them: follow-ups, so that an approval is soon confirmed, and what was in a batch before. */
  #ahead: Job[] = []
  readonly #pace = new Pace()
  /** New commands of terminals that were refused as busy since the last batch was made up. */
  #turnedAway = 0
  /** Commands whose holder somebody else has locked: a part of every other batch, so that they hold up nobody. */
  #aside: Job[] = []
  #isTurnOfAside = false
  #executor: Executor | null = null
  #isRunning = false
  #isAway = false
  #isClosed = false
  /** Some holder is locked from outside: batches leave locked holders out, so that the others go on. */
  #skipsLocked = false
  #idle: (() => void)[] = []

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /**
   * Nothing more should be read: there is no place to keep it, or so much has been refused that refusing more would
   * take the time that what was admitted needs.
   */
  get isFull(): boolean {
    return this.#isOverfull || this.#turnedAway >= this.#options.limits.batchMax * turnedAwayPart
  }

  get #isOverfull(): boolean {
    return this.length >= this.#options.limits.queueMax * 2
  }

  get isAway(): boolean {
    return this.#isAway
  }

  get length(): number {
    return this.#queue.length + this.#ahead.length + this.#aside.length
  }

  /** No more new commands: a refusal at once is worth more to a till than an approval that it no longer waits for. */
  get #isBusy(): boolean {
    const { batchMax, queueMax, admitMaxMs } = this.#options.limits
    const waiting = this.#queue.length
    return waiting + this.#aside.length >= queueMax || (waiting >= batchMax && this.#pace.waitMs(waiting) > admitMaxMs)
  }

  /** `holder` and `hold`: whose original a follow-up is about, and the hold itself, as far as this process knows. */
  submit(command: Command, holder: number | null, hold: Transaction | null = null): Promise<Result> {
    if (this.#isClosed || this.#isAway) return Promise.resolve({ kind: 'refused', reason: 'switch_unavailable' })
    const isBusy = isNew(command) && this.#isBusy
    // Only terminals can be made to wait: what is refused to others must not hold up those who ask for confirms.
    if (isBusy && command.channel === 'terminal') this.#turnedAway += 1
    if (isBusy || this.#isOverfull) {
      return Promise.resolve({ kind: 'refused', reason: 'switch_busy' })
    }
    return new Promise(resolve => {
      const since = this.#options.elapsed()
      const queue = mayOvertake(command, holder) ? this.#ahead : this.#queue
      queue.push({ command, holder, hold, need: nothing, since, inDoubt: false, failures: 0, resolve })
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
      const batch = this.#take()
      if (batch.length > 0) await this.#process(batch)
    } while (this.length > 0)
    this.#isRunning = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** The next commands of one tenant, without those that have waited too long. */
  #take(): Job[] {
    const { batchMax } = this.#options.limits
    const wasFull = this.isFull
    this.#turnedAway = 0
    const batch: Job[] = []
    const tenant = this.#nextTenant()
    this.#isTurnOfAside = !this.#isTurnOfAside
    if (this.#isTurnOfAside) this.#aside = this.#pick(this.#aside, Math.ceil(batchMax / 4), batch)
    const kept = Math.min(this.#queue.length, Math.floor(batchMax * newPart))
    this.#ahead = this.#pick(this.#ahead, batchMax - kept, batch, tenant)
    const taken = batch.length
    this.#queue = this.#pick(this.#queue, batchMax, batch, tenant)
    this.#pace.note(this.#options.elapsed(), batch.length - taken, this.#queue.length)
    if (this.#queue.length === 0) this.#ahead = this.#pick(this.#ahead, batchMax, batch)
    if (this.#queue.length + this.#ahead.length === 0) this.#aside = this.#pick(this.#aside, batchMax, batch)
    this.#noteRoom(wasFull)
    return batch
  }

  /** Of the two who wait in front, that of the one who has waited longer: no tenant is held up for good. */
  #nextTenant(): number | undefined {
    const [first, ahead] = [this.#queue[0], this.#ahead[0]]
    if (first === undefined || ahead === undefined) return (first ?? ahead)?.command.tenant
    return (first.since < ahead.since ? first : ahead).command.tenant
  }

  /** Moves jobs of one tenant, that of the batch, into it until it has `sizeMax`. Answers what is left. */
  #pick(jobs: readonly Job[], sizeMax: number, batch: Job[], ofEmpty?: number): Job[] {
    const others: Job[] = []
    const now = this.#options.elapsed()
    let index = 0
    for (; index < jobs.length && batch.length < sizeMax; index++) {
      const job = jobs[index] as Job
      const tenant = batch[0]?.command.tenant ?? ofEmpty ?? job.command.tenant
      if (this.#isStale(job, now)) this.#giveUp([job], 'switch_busy')
      else if (tenant === job.command.tenant) batch.push(job)
      else others.push(job)
    }
    return [...others, ...jobs.slice(index)]
  }

  /**
   * Refuses those at the front that have waited too long. While a batch hangs on a silent connection nothing is taken,
   * and they must not wait for its end.
   */
  dropStale(): void {
    const wasFull = this.isFull
    this.#turnedAway = 0
    const isConnected = this.#executor !== null && !this.#executor.isBroken
    const now = this.#options.elapsed()
    for (const queue of [this.#ahead, this.#queue]) {
      let stale = 0
      for (let job = queue[0]; job !== undefined && this.#isStale(job, now); job = queue[stale]) stale += 1
      if (stale > 0) this.#giveUp(queue.splice(0, stale), isConnected ? 'switch_busy' : 'switch_unavailable')
    }
    this.#noteRoom(wasFull)
  }

  #noteRoom(wasFull: boolean): void {
    // What is read now need not be waited for by the batch that has made the room.
    if (wasFull && !this.isFull) setImmediate(this.#options.events.drained)
  }

  #isStale({ since, inDoubt }: Job, now: number): boolean {
    const { waitMaxMs, doubtMaxMs } = this.#options.limits
    return (now - since) * 1000 > (inDoubt ? doubtMaxMs : waitMaxMs)
  }

  /** Runs a batch until it is decided. A lost connection hands it back to the queue, for a new one. */
  async #process(batch: Job[]): Promise<void> {
    const catalog = this.#options.catalogOf((batch[0] as Job).command.tenant)
    if (catalog === undefined) return this.#giveUp(batch, 'internal_error')
    for (let attempt = 1; ; attempt++) {
      const executor = this.#executor
      if (executor === null || executor.isBroken) {
        this.#ahead.unshift(...batch)
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
      this.#ahead.unshift(...deferred)
      return
    }
    this.#aside.push(...deferred)
    if (this.#aside.length === 0) this.#skipsLocked = false
    // Nothing else to do: do not spin on a row that somebody else holds.
    else if (deferred.length === batch.length && this.length === this.#aside.length) await pause(asideMs)
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
        this.#shed()
        await pause(jittered(pauseMs))
        pauseMs = Math.min(pauseMs * 2, reconnectMaxMs)
      }
    }
    return null
  }

  #shed(): void {
    const jobs = [...this.#aside, ...this.#ahead, ...this.#queue]
    const now = this.#options.elapsed()
    const kept = jobs.filter(job => job.inDoubt && !this.#isStale(job, now))
    const shed = jobs.filter(job => !kept.includes(job))
    this.#aside = []
    this.#ahead = kept
    this.#queue = []
    this.#turnedAway = 0
    this.#pace.reset()
    this.#giveUp(shed, 'switch_unavailable')
    this.#options.events.drained()
  }
}

/** Whether it may be refused as busy: it is about nothing that was approved before. */
const isNew = ({ kind }: Command): boolean =>
  kind !== 'confirm' && kind !== 'reverse' && kind !== 'refund' && kind !== 'expire'

/**
 * A follow-up whose original this switch has seen decided, and so knows its holder: there is nothing in the queue that
 * it must come after. What anybody may make up does not go ahead.
 */
const mayOvertake = (command: Command, holder: number | null): boolean => command.kind === 'expire' || holder !== null
