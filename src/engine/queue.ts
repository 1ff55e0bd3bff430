import type { Command } from '../core/commands.ts'
import type { Need } from '../core/decision.ts'
import { Pace } from './pace.ts'
import type { Planned } from './reads.ts'
import type { Result } from './result.ts'

export interface QueueLimits {
  /** Commands in one batch, at most. */
  readonly batchMax: number
  /**
   * New commands that wait, at most: beyond it they are refused as busy. With twice as many of all sorts work is pushed
   * back.
   */
  readonly queueMax: number
  /** New commands that would wait longer than this are refused as busy at once. */
  readonly admitMaxMs: number
  /** How long a command may wait before it enters a batch; then it is refused as busy. */
  readonly waitMaxMs: number
  /** How long an outcome in doubt is looked for before the asker is told that it is unknown. */
  readonly doubtMaxMs: number
}

/** A command that waits, or is in a batch. */
export interface Job extends Planned {
  /** As in `Planned`: not any more, once a batch with it has failed. */
  hold: Planned['hold']
  /** When it came, in monotonic seconds. */
  readonly since: number
  /** Its batch may have been committed without our knowing: only its stored answer may answer it. */
  inDoubt: boolean
  /** How often a batch with it has failed. */
  failures: number
  readonly resolve: (result: Result) => void
}

interface QueueOptions {
  readonly limits: QueueLimits
  /** Monotonic seconds. */
  readonly elapsed: () => number
  /** It was full, and is so no more. */
  readonly hasRoom: () => void
}

interface Taken {
  readonly batch: Job[]
  readonly stale: Job[]
}

const nothing: Need = {}
/** Of a batch, for those who do not go ahead: they go on however many do. */
const newPart = 1 / 4
/** Of a batch, as many may be refused while it is under way before no more is read. */
const turnedAwayPart = 1 / 4
/** Of every other batch, for those whose holder somebody else has locked. */
const asidePart = 1 / 4

/** What waits in a lane: what is let in, and in which order it goes into batches. */
export class Queue {
  readonly #options: QueueOptions
  /** In the order in which they came. */
  #inOrder: Job[] = []
  /** What goes before them: follow-ups, so that an approval is soon confirmed, and what was in a batch before. */
  #ahead: Job[] = []
  /** Commands whose holder somebody else has locked: a part of every other batch, so that they hold up nobody. */
  #aside: Job[] = []
  #isTurnOfAside = false
  readonly #pace = new Pace()
  /** New commands of terminals that were refused as busy since the last batch was made up. */
  #turnedAway = 0

  constructor(options: QueueOptions) {
    this.#options = options
  }

  get length(): number {
    return this.#inOrder.length + this.#ahead.length + this.#aside.length
  }

  /** How many of them are aside. */
  get asideLength(): number {
    return this.#aside.length
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

  /** No more new commands: a refusal at once is worth more to a till than an approval that it no longer waits for. */
  get #isBusy(): boolean {
    const { batchMax, queueMax, admitMaxMs } = this.#options.limits
    const waiting = this.#inOrder.length
    return waiting + this.#aside.length >= queueMax || (waiting >= batchMax && this.#pace.waitMs(waiting) > admitMaxMs)
  }

  /** Whether a command is let in; else it is to be refused as busy, which is counted. */
  admits(command: Command): boolean {
    const isTurnedAway = isNew(command) && this.#isBusy
    // Only terminals can be made to wait: what is refused to others must not hold up those who ask for confirms.
    if (isTurnedAway && command.channel === 'terminal') this.#turnedAway += 1
    return !isTurnedAway && !this.#isOverfull
  }

  add(command: Command, holder: Job['holder'], hold: Job['hold'], resolve: Job['resolve']): void {
    const since = this.#options.elapsed()
    const queue = mayOvertake(command, holder) ? this.#ahead : this.#inOrder
    queue.push({ command, holder, hold, need: nothing, since, inDoubt: false, failures: 0, resolve })
  }

  /** Takes back what was in a batch: it goes before all others. */
  putFirst(jobs: readonly Job[]): void {
    this.#ahead.unshift(...jobs)
  }

  /** Takes back what somebody else has locked. */
  putAside(jobs: readonly Job[]): void {
    this.#aside.push(...jobs)
  }

  /** The next commands of one tenant. `stale`: what has waited too long instead, and is to be refused. */
  take(): Taken {
    const { batchMax } = this.#options.limits
    const wasFull = this.isFull
    this.#turnedAway = 0
    const taken: Taken = { batch: [], stale: [] }
    const tenant = this.#nextTenant()
    this.#isTurnOfAside = !this.#isTurnOfAside
    if (this.#isTurnOfAside) this.#aside = this.#pick(this.#aside, Math.ceil(batchMax * asidePart), taken)
    const kept = Math.min(this.#inOrder.length, Math.floor(batchMax * newPart))
    this.#ahead = this.#pick(this.#ahead, batchMax - kept, taken, tenant)
    const before = taken.batch.length
    this.#inOrder = this.#pick(this.#inOrder, batchMax, taken, tenant)
    this.#pace.note(this.#options.elapsed(), taken.batch.length - before, this.#inOrder.length)
    if (this.#inOrder.length === 0) this.#ahead = this.#pick(this.#ahead, batchMax, taken)
    if (this.#inOrder.length + this.#ahead.length === 0) this.#aside = this.#pick(this.#aside, batchMax, taken)
    this.#noteRoom(wasFull)
    return taken
  }

  /** Of the two who wait in front, that of the one who has waited longer: no tenant is held up for good. */
  #nextTenant(): number | undefined {
    const [first, ahead] = [this.#inOrder[0], this.#ahead[0]]
    if (first === undefined || ahead === undefined) return (first ?? ahead)?.command.tenant
    return (first.since < ahead.since ? first : ahead).command.tenant
  }

  /** Moves jobs of one tenant, that of the batch, into it until it has `sizeMax`. Answers what is left. */
  #pick(jobs: readonly Job[], sizeMax: number, { batch, stale }: Taken, ofEmpty?: number): Job[] {
    const others: Job[] = []
    const now = this.#options.elapsed()
    let index = 0
    for (; index < jobs.length && batch.length < sizeMax; index++) {
      const job = jobs[index] as Job
      const tenant = batch[0]?.command.tenant ?? ofEmpty ?? job.command.tenant
      const kind = this.#isStale(job, now) ? stale : tenant === job.command.tenant ? batch : others
      kind.push(job)
    }
    return [...others, ...jobs.slice(index)]
  }

  /** Takes out those at the front that have waited too long. */
  dropStale(): Job[] {
    const wasFull = this.isFull
    this.#turnedAway = 0
    const now = this.#options.elapsed()
    const stale = [this.#ahead, this.#inOrder].flatMap(queue => {
      const fresh = queue.findIndex(job => !this.#isStale(job, now))
      return queue.splice(0, fresh === -1 ? queue.length : fresh)
    })
    this.#noteRoom(wasFull)
    return stale
  }

  /** Takes out all but what is in doubt, which goes before all others then. */
  shed(): Job[] {
    const now = this.#options.elapsed()
    const kept: Job[] = []
    const shed: Job[] = []
    for (const job of [...this.#aside, ...this.#ahead, ...this.#inOrder]) {
      const those = job.inDoubt && !this.#isStale(job, now) ? kept : shed
      those.push(job)
    }
    this.#aside = []
    this.#ahead = kept
    this.#inOrder = []
    this.#pace.reset()
    this.#turnedAway = 0
    return shed
  }

  #noteRoom(wasFull: boolean): void {
    // What is read now need not be waited for by the batch that has made the room.
    if (wasFull && !this.isFull) setImmediate(this.#options.hasRoom)
  }

  #isStale({ since, inDoubt }: Job, now: number): boolean {
    const { waitMaxMs, doubtMaxMs } = this.#options.limits
    return (now - since) * 1000 > (inDoubt ? doubtMaxMs : waitMaxMs)
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
