import type { Command } from '../core/commands.ts'
import { shardOf, shardOfToken } from '../core/ids.ts'
import { Lane, type LaneEvents, type LaneOptions } from './lane.ts'
import { programsWithBudgets } from './reads.ts'
import { RecentHolds } from './recent-holds.ts'
import { RecentKeys } from './recent-keys.ts'
import type { Pressure, Result, Submit } from './result.ts'

export interface EngineOptions extends Omit<LaneOptions, 'events'> {
  readonly laneCount: number
  readonly events: Omit<LaneEvents, 'drained' | 'decided'>
}

/** How often the lanes look for commands that have waited too long. */
const sweepEveryMs = 500

/** How many recent keys are remembered, to spare a follow-up the look-up of its original. */
const recentKeysMax = 200_000
/** How many holds are, with all that was stored of them: about a kilobyte each. */
const recentHoldsMax = 8_192

/**
 * Lanes side by side. All commands of a card go to one lane as far as that can be told without asking the database;
 * where it cannot, any lane will do: the locks make it safe.
 */
export class Engine implements Submit, Pressure {
  readonly #lanes: readonly Lane[]
  readonly #recent = new RecentKeys(recentKeysMax)
  readonly #holds = new RecentHolds(recentHoldsMax)
  readonly #sweep: NodeJS.Timeout
  readonly #catalogOf: EngineOptions['catalogOf']
  #onDrained: (() => void)[] = []

  constructor({ laneCount, events, ...options }: EngineOptions) {
    const drained = (): void => {
      if (this.isFull) return
      for (const listener of this.#onDrained.splice(0)) listener()
    }
    this.#catalogOf = options.catalogOf
    const decided: LaneEvents['decided'] = (command, result) => {
      this.#recent.note(command, result)
      this.#holds.note(command, result)
    }
    this.#lanes = Array.from(
      { length: laneCount },
      () => new Lane({ ...options, events: { ...events, drained, decided } }),
    )
    for (const lane of this.#lanes) lane.warmUp()
    this.#sweep = setInterval(() => {
      for (const lane of this.#lanes) lane.dropStale()
    }, sweepEveryMs)
    this.#sweep.unref()
  }

  get isFull(): boolean {
    for (const lane of this.#lanes) if (lane.isFull) return true
    return false
  }

  get isAway(): boolean {
    return this.#lanes.every(lane => lane.isAway)
  }

  /** Commands that wait in all lanes. */
  get queued(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.length, 0)
  }

  onceDrained(listener: () => void): void {
    this.#onDrained.push(listener)
  }

  submit(command: Command): Promise<Result> {
    const { known, holder } = this.#recent.recognise(command)
    return this.#laneOf(known).submit(known, holder, this.#holds.take(known))
  }

  /**
   * Budgets of organisations are locked until a batch has committed, and only approvals need them: where there are any,
   * these have a lane of their own, so that what does not need a budget never waits for one.
   */
  #laneOf(command: Command): Lane {
    const count = this.#lanes.length
    const catalog = this.#catalogOf(command.tenant)
    const isApart = count > 1 && catalog !== undefined && programsWithBudgets(catalog).length > 0
    if (!isApart) return this.#lanes[shardOfCommand(command) % count] as Lane
    const isApproval = command.kind === 'authorize' || command.kind === 'inquire'
    return this.#lanes[isApproval ? 0 : 1 + (shardOfCommand(command) % (count - 1))] as Lane
  }

  /** Takes no more work and finishes what it has. */
  async close(): Promise<void> {
    await Promise.all(this.#lanes.map(lane => lane.close()))
    clearInterval(this.#sweep)
  }
}

function shardOfCommand(command: Command): number {
  switch (command.kind) {
    case 'authorize':
    case 'inquire':
      return shardOfToken(command.card)
    case 'confirm':
    case 'reverse':
    case 'refund':
      if (command.original.by === 'id') return shardOf(command.original.id)
      return command.card === null ? 0 : shardOfToken(command.card)
    case 'expire':
      return shardOf(command.id)
    case 'load':
    case 'clawback':
    case 'adjust':
    case 'transfer':
    case 'breakage':
      return command.holder
    case 'deposit':
      return command.organisation
    case 'settle':
    case 'close':
      return 0
  }
}
