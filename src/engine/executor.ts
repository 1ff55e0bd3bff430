import { randomUUID } from 'node:crypto'
import { businessDateOf } from '../core/calendar.ts'
import type { Catalog } from '../core/catalog.ts'
import type { Hash } from '../core/content.ts'
import { decide } from '../core/decide.ts'
import { deferred, type Outcome } from '../core/decision.ts'
import { dayOfMicros, type Micros, microsPerSecond } from '../core/ids.ts'
import { localTimeOf } from '../core/local-time.ts'
import { WorkingSet } from '../core/working-set.ts'
import { type ChainLink, chainBytes } from '../store/batch/chain.ts'
import { begin, fence, lockHolders, lockNames, lockOrganisations } from '../store/batch/lock.ts'
import * as read from '../store/batch/read.ts'
import { foundIn } from '../store/batch/resolve.ts'
import * as write from '../store/batch/write.ts'
import * as writeLots from '../store/batch/write-lots.ts'
import { BatchError } from '../store/errors.ts'
import type { Session } from '../store/session.ts'
import { type DaySpan, partitionOf, type Statement, spanOf } from '../store/sql.ts'
import {
  addCardOf,
  addClock,
  addDecision,
  addHolder,
  addLot,
  addOrganisation,
  addTransaction,
  emptyRows,
  type Reader,
  type ReadRows,
} from './batch-rows.ts'
import { resolverOf, waitingForEarlier, withOriginal } from './originals.ts'
import { type Planned, planReads, type ReadPlan } from './reads.ts'

/** How far off the guess at the database's clock may be. */
const guessSlack = 60 * microsPerSecond

/** How long each stage of a batch took, in seconds. */
export interface Stages {
  readonly read: number
  readonly decide: number
  readonly write: number
}

export interface BatchOutcome {
  readonly outcomes: readonly Outcome[]
  readonly stages: Stages
}

export interface EngineClock {
  /** Monotonic seconds: for durations only. */
  readonly elapsed: () => number
  /** The switch's own idea of the time, which may be wrong: nothing that is stored comes from it. */
  readonly now: () => Micros
}

interface ExecutorOptions {
  readonly session: Session
  readonly hash: Hash
  readonly clock: EngineClock
}

/**
 * Runs batches on one connection: lock, read, decide, write, commit. It knows nothing of retries: a batch that fails
 * throws a BatchError, and to run it again is always safe, since key and effect commit together.
 */
export class Executor {
  readonly #session: Session
  readonly #hash: Hash
  readonly #clock: EngineClock
  readonly #run = randomUUID()
  #position = 0
  /** The database's clock at the last batch, and ours. */
  #lastAt: Micros | null = null
  #lastElapsed = 0
  #lastHash = ''
  /** Days whose partitions are named in statements, and the day on which they were looked for. */
  #partitions: ReadonlySet<number> = new Set()
  #partitionsOn: number | null = null

  constructor({ session, hash, clock }: ExecutorOptions) {
    this.#session = session
    this.#hash = hash
    this.#clock = clock
  }

  get isBroken(): boolean {
    return this.#session.isBroken
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  destroy(): void {
    this.#session.destroy()
  }

  /** All commands are of the catalog's tenant. `skip`: holders that somebody else has locked are left for later. */
  async run(jobs: readonly Planned[], catalog: Catalog, mode: 'wait' | 'skip'): Promise<BatchOutcome> {
    const started = this.#clock.elapsed()
    try {
      await this.#findPartitions()
      const { resolved, prelude } = await this.#resolve(jobs, catalog)
      const plan = planReads(resolved, catalog)
      const rows = await this.#read(plan, catalog, mode, prelude)
      const decided = this.#clock.elapsed()
      const batch = decideAll(resolved, waitingForEarlier(jobs.map(({ command }) => command)), rows, catalog)
      const written = this.#clock.elapsed()
      await this.#write(batch, catalog)
      const stages = { read: decided - started, decide: written - decided, write: this.#clock.elapsed() - written }
      return { outcomes: batch.outcomes, stages }
    } catch (error) {
      this.#partitionsOn = null
      if (!this.#session.isBroken) await this.#session.rollback()
      throw error instanceof BatchError ? error : new BatchError('poison', false, error)
    }
  }

  /** Once a day, and after a batch has failed, which may have named a partition that is no more. */
  async #findPartitions(): Promise<void> {
    const today = this.#lastAt === null ? null : dayOfMicros(this.#lastAt)
    if (today !== null && today === this.#partitionsOn) return
    if (this.#partitionsOn !== null) await this.#session.forgetStatements()
    const [reply] = await this.#session.run([read.readPartitions], { commits: false })
    this.#partitions = new Set(reply?.rows.map(row => row.number()))
    this.#partitionsOn = today
  }

  /** Replaces originals that are named by neither id nor known key, in a flight of their own before the locks. */
  async #resolve(
    jobs: readonly Planned[],
    catalog: Catalog,
  ): Promise<{ resolved: readonly Planned[]; prelude: boolean }> {
    const lookups: { index: number; statement: Statement }[] = []
    jobs.forEach(({ command }, index) => {
      const statement = resolverOf(command, catalog, dayOfMicros(this.#clock.now()))
      if (statement !== null) lookups.push({ index, statement })
    })
    if (lookups.length === 0) return { resolved: jobs, prelude: false }
    const { names } = planReads(jobs, catalog)
    const opening = [begin, fence(catalog.tenant.id), lockNames(names)]
    const flight = [...opening, ...lookups.map(({ statement }) => statement)]
    const replies = await this.#session.run(flight, { commits: false })
    const resolved = [...jobs]
    lookups.forEach(({ index }, at) => {
      const job = jobs[index] as Planned
      const found = replies[opening.length + at]
      resolved[index] = { ...job, command: withOriginal(job.command, found === undefined ? [] : foundIn(found.rows)) }
    })
    return { resolved, prelude: true }
  }

  async #read(plan: ReadPlan, catalog: Catalog, mode: 'wait' | 'skip', isOpen: boolean): Promise<ReadRows> {
    const tenant = catalog.tenant.id
    const flight: Statement[] = []
    const readers: Reader[] = []
    const send = (statement: Statement, reader: Reader = () => undefined): void => {
      flight.push(statement)
      readers.push(reader)
    }
    if (!isOpen) {
      send(begin)
      send(fence(tenant))
      if (plan.names.length > 0) send(lockNames(plan.names))
    }
    const tokens = [...plan.tokens]
    const sources = {
      tenant,
      holders: [...plan.holders],
      countedHolders: [...plan.countedHolders],
      tokens,
      ids: [...plan.idsOfUnknown],
      keys: plan.originalKeys,
      days: plan.originalDays,
    }
    send(lockHolders(sources, mode), addHolder)
    const { programsWithBudgets } = plan
    if (plan.organisations.size > 0 || (programsWithBudgets.length > 0 && tokens.length > 0)) {
      const budgets = lockOrganisations(tenant, [...plan.organisations], tokens, programsWithBudgets, mode)
      send(budgets, addOrganisation)
    }
    const partitions = this.#partitions
    const span = this.#spanOf(plan.days)
    send(read.readDecisions(tenant, plan.keys, plan.days, span, partitionOf(span, partitions)), addDecision)
    if (plan.ids.size > 0) send(read.readTransactions(tenant, [...plan.ids], partitions), addTransaction)
    if (plan.originalKeys.length > 0) {
      send(read.readTransactionsByKey(tenant, plan.originalKeys, plan.originalDays), addTransaction)
    }
    if (tokens.length > 0) send(read.readCards(tenant, tokens), addCardOf(tokens))
    if (plan.lotsOf.size > 0) send(read.readLots(tenant, [...plan.lotsOf]), addLot)
    if (plan.lotsOfIds.size > 0 || plan.lotsOfKeys.length > 0) {
      send(read.readLotsOfTransactions(tenant, [...plan.lotsOfIds], plan.lotsOfKeys, plan.lotsOfDays), addLot)
    }
    if (plan.newLots > 0) send(read.drawLots(plan.newLots), (row, into) => into.newLots.push(row.number()))
    if (plan.watermarksOf.size > 0) {
      send(read.readWatermarks(tenant, [...plan.watermarksOf]), (row, into) => {
        into.settledUpTo.push([row.number(), row.number()])
      })
    }
    if (plan.bills.length > 0) {
      send(read.readRememberedReversals(tenant, plan.bills), (row, into) => {
        into.rememberedReversals.push({ merchant: row.number(), reference: row.text() as string })
      })
    }
    send(read.readClock(plan.openings), addClock)
    const replies = await this.#session.run(flight, { commits: false })
    const into = emptyRows(plan.lotsOf)
    for (const [index, { rows }] of replies.entries()) rows.each(row => readers[index]?.(row, into))
    into.rememberedHolds = plan.rememberedHolds
    // One that was left out because somebody else has locked it may well be there.
    if (mode === 'wait') {
      into.missingHolders = [...plan.holders, ...plan.countedHolders].filter(one => !into.placesOfHolders.has(one))
    }
    this.#lastAt = into.at
    this.#lastElapsed = this.#clock.elapsed()
    return into
  }

  /**
   * The days that these are, where some are only known to the database. Its clock is guessed from that of the last
   * batch; around midnight, and before the first batch, the guess takes in the days beside it.
   */
  #spanOf(days: readonly number[]): DaySpan {
    if (!days.includes(read.today)) return spanOf(days)
    if (this.#lastAt === null) return { first: -2_147_483_648, last: 2_147_483_647 }
    const now = this.#lastAt + (this.#clock.elapsed() - this.#lastElapsed) * microsPerSecond
    const named = days.filter(day => day >= 0)
    return spanOf([...named, dayOfMicros(now - guessSlack) - 1, dayOfMicros(now + guessSlack)])
  }

  async #write({ rows, context, placesOfHolders, placesOfLots }: Batch, catalog: Catalog): Promise<void> {
    const tenant = catalog.tenant.id
    const { batch, at } = context
    const partitions = this.#partitions
    const decisions = rows.newDecisions
    const flight: Statement[] = []
    let link: ChainLink | null = null
    if (decisions.length > 0) {
      const opened = rows.openedTransactions
      const changed = rows.changedTransactions
      const deltas = Map.groupBy(rows.lotDeltas.values(), ({ lot }) => placesOfLots.has(lot))
      const hash = this.#hash(chainBytes(this.#lastHash, batch, at, decisions))
      link = { run: this.#run, position: this.#position, hash }
      flight.push(write.insertDecisions(tenant, batch, at, decisions.toSorted(byKey), partitions))
      const { newLots, changedLots, changedUsage, changedOrganisations, movements, organisationMovements } = rows
      if (newLots.length > 0) flight.push(writeLots.insertLots(tenant, at, newLots))
      if (opened.length > 0) flight.push(write.insertTransactions(tenant, at, opened, partitions))
      if (changed.length > 0) flight.push(write.updateTransactions(tenant, changed, partitions))
      const ofRead = deltas.get(true)
      if (ofRead !== undefined) flight.push(write.updateReadLots(tenant, ofRead, placesOfLots))
      const ofUnread = deltas.get(false)
      if (ofUnread !== undefined) flight.push(write.updateLots(tenant, ofUnread))
      if (changedLots.length > 0) flight.push(writeLots.updateLotExpiry(tenant, changedLots))
      if (changedUsage.length > 0) flight.push(writeLots.updateUsage(tenant, changedUsage, placesOfHolders))
      if (changedOrganisations.length > 0) flight.push(writeLots.updateOrganisations(tenant, changedOrganisations))
      if (movements.length > 0) flight.push(writeLots.insertMovements(tenant, batch, at, movements))
      if (organisationMovements.length > 0) {
        flight.push(writeLots.insertOrganisationMovements(tenant, batch, at, organisationMovements))
      }
      const deadlines = deadlinesOf(opened)
      if (deadlines.length > 0) flight.push(write.insertHoldDeadlines(tenant, batch, deadlines))
      if (rows.remembered.length > 0) flight.push(write.insertRememberedReversals(tenant, at, rows.remembered))
      if (rows.recalled.length > 0) flight.push(write.deleteRememberedReversals(tenant, rows.recalled))
      const tries = rows.changedPinTries
      if (tries.length > 0) flight.push(write.updatePinTries(tenant, tries))
      flight.push(write.insertBatch(tenant, batch, at, link, decisions.length))
    }
    flight.push(write.commit)
    await this.#session.run(flight, { commits: true })
    if (link !== null) {
      this.#lastHash = link.hash
      this.#position += 1
    }
  }
}

interface Batch {
  readonly outcomes: readonly Outcome[]
  readonly rows: WorkingSet
  readonly context: { readonly batch: number; readonly at: Micros }
  readonly placesOfHolders: ReadonlyMap<number, number>
  readonly placesOfLots: ReadonlyMap<number, number>
}

/** The one synchronous step: every command sees the effects of those before it. */
function decideAll(jobs: readonly Planned[], waiting: ReadonlySet<number>, read: ReadRows, catalog: Catalog): Batch {
  const rows = new WorkingSet(read)
  const { timeZone, cutOverSeconds } = catalog.tenant
  const { batch, at } = read
  const context = {
    catalog,
    at,
    batch,
    businessDate: businessDateOf(at, timeZone, cutOverSeconds),
    local: localTimeOf(at, catalog.tenant),
    nextLot: () => read.newLots.shift(),
    nextSequence: () => {
      const sequence = read.sequences.pop()
      if (sequence === undefined) throw new Error('more transactions opened than were planned for')
      return sequence
    },
  }
  read.sequences.reverse()
  const outcomes = jobs.map(({ command }, index) => (waiting.has(index) ? deferred() : decide(command, rows, context)))
  const { placesOfHolders, placesOfLots } = read
  return { outcomes, rows, context, placesOfHolders, placesOfLots }
}

const byKey = (one: { key: string; day: number }, other: { key: string; day: number }): number =>
  one.day - other.day || (one.key < other.key ? -1 : 1)

/** Holds that share the moment at which they run out, in one row. */
function deadlinesOf(opened: readonly { id: number; phase: string; expiresAt: number | null }[]) {
  const byMoment = new Map<number, number[]>()
  for (const { id, phase, expiresAt } of opened) {
    if (phase !== 'authorized' || expiresAt === null) continue
    const ids = byMoment.get(expiresAt)
    if (ids === undefined) byMoment.set(expiresAt, [id])
    else ids.push(id)
  }
  return [...byMoment].map(([due, ids]) => ({ due, ids }))
}
