import type { DatabaseFacts, WalCounts } from './database.ts'
import { cpuSecondsOf, cpuSecondsOfMachine, memoryOf } from './process-stats.ts'
import type { BenchSwitch } from './servers.ts'
import { readSwitchMetrics, type SwitchMetrics } from './switch-metrics.ts'

/** Of about one second, or of five. Null where this system does not tell. */
export interface Sample {
  /** Since the measured time began. */
  readonly atSeconds: number
  /** Cores that were busy with it. */
  readonly cores: {
    readonly switch: number | null
    readonly postgres: number | null
    readonly load: number | null
    readonly machine: number | null
  }
  readonly switchMb: number | null
  readonly batches: number
  readonly commandsPerBatch: number
  readonly fsyncs: number
  /** Mean of one. */
  readonly fsyncMs: number
  readonly walBytes: number
}

export interface Sampled {
  readonly running: BenchSwitch
  readonly postgresPid: number
  readonly loadPid: number
  readonly facts: DatabaseFacts
}

interface Reading {
  readonly at: number
  readonly seconds: readonly (number | null)[]
  readonly metrics: SwitchMetrics
  readonly wal: WalCounts
}

/** In long measurements less often: it costs the switch a millisecond to tell. */
const everyMs = (measureMs: number): number => (measureMs > 20_000 ? 5_000 : 1_000)

/** Reads the counters of all processes now and then, until it is stopped. */
export class Sampler {
  readonly samples: Sample[] = []
  readonly #of: Sampled
  readonly #everyMs: number
  readonly #startedAt = performance.now()
  #last: Reading | undefined
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(of: Sampled, measureMs: number) {
    this.#of = of
    this.#everyMs = everyMs(measureMs)
    void this.#next()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async #next(): Promise<void> {
    // A switch that does not answer for a while leaves a gap, which is what the chart should show.
    const reading = await this.#read().catch(() => undefined)
    if (this.#isStopped) return
    if (reading !== undefined) {
      if (this.#last !== undefined) this.samples.push(this.#between(this.#last, reading))
      this.#last = reading
    }
    this.#timer = setTimeout(() => void this.#next(), this.#everyMs)
  }

  async #read(): Promise<Reading> {
    const { running, postgresPid, loadPid, facts } = this.#of
    const at = performance.now()
    const seconds = [cpuSecondsOf(running.pid), cpuSecondsOf(postgresPid), cpuSecondsOf(loadPid), cpuSecondsOfMachine()]
    const [metrics, wal] = await Promise.all([readSwitchMetrics(running.httpUrl), facts.wal()])
    return { at, seconds, metrics, wal }
  }

  #between(before: Reading, after: Reading): Sample {
    const seconds = (after.at - before.at) / 1000
    const cores = after.seconds.map((value, index) => {
      const earlier = before.seconds[index] ?? null
      return value === null || earlier === null ? null : round((value - earlier) / seconds)
    })
    const [ofSwitch = null, postgres = null, load = null, machine = null] = cores
    const batches = after.metrics.batches - before.metrics.batches
    const fsyncs = after.wal.fsyncs - before.wal.fsyncs
    return {
      atSeconds: round((after.at - this.#startedAt) / 1000),
      cores: { switch: ofSwitch, postgres, load, machine },
      switchMb: round(memoryOf(this.#of.running.pid)?.nowMb ?? null),
      batches: Math.round(batches / seconds),
      commandsPerBatch: batches === 0 ? 0 : round((after.metrics.commands - before.metrics.commands) / batches),
      fsyncs: Math.round(fsyncs / seconds),
      fsyncMs: fsyncs === 0 ? 0 : round((after.wal.fsyncMs - before.wal.fsyncMs) / fsyncs),
      walBytes: Math.round((after.wal.bytes - before.wal.bytes) / seconds),
    }
  }
}

const round = <Value extends number | null>(value: Value): Value =>
  (value === null ? null : Math.round(value * 1000) / 1000) as Value
