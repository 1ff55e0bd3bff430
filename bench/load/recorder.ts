import { build, type Histogram } from 'hdr-histogram-js'
import type { Latency, LoadResult } from './messages.ts'

const longestMicros = 120_000_000

/** Latencies from 1 µs to two minutes, with three significant digits. */
export class LatencyRecorder {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: longestMicros,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
    useWebAssembly: false,
  })

  record(ms: number): void {
    this.#histogram.recordValue(Math.min(longestMicros, Math.max(1, Math.round(ms * 1000))))
  }

  summary(): Latency {
    const histogram = this.#histogram
    const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1000
    return {
      count: histogram.totalCount,
      meanMs: histogram.totalCount === 0 ? 0 : histogram.mean / 1000,
      p50Ms: at(50),
      p95Ms: at(95),
      p99Ms: at(99),
      p999Ms: at(99.9),
      maxMs: histogram.maxValue / 1000,
    }
  }
}

/** Counts from `start` to `stop`; errors and `messagesEver` always. */
export class LoadRecorder<Name extends string> {
  #latencies: Record<Name, LatencyRecorder>
  readonly #names: readonly Name[]
  #errors = new Map<string, number>()
  #transactions = 0
  #messages = 0
  #since = 0
  #cpu = process.cpuUsage()
  isMeasuring = false
  /** For the progress line: with the warm-up. */
  messagesEver = 0

  constructor(names: readonly Name[]) {
    this.#names = names
    this.#latencies = this.#fresh()
  }

  answered(name: Name, latencyMs: number): void {
    this.messagesEver++
    if (!this.isMeasuring) return
    this.#messages++
    this.#latencies[name].record(latencyMs)
  }

  /** Times something that is no message of its own. */
  timed(name: Name, latencyMs: number): void {
    if (this.isMeasuring) this.#latencies[name].record(latencyMs)
  }

  completed(): void {
    if (this.isMeasuring) this.#transactions++
  }

  failed(what: string, count = 1): void {
    this.#errors.set(what, (this.#errors.get(what) ?? 0) + count)
  }

  start(): void {
    this.#latencies = this.#fresh()
    this.#cpu = process.cpuUsage()
    this.#since = performance.now()
    this.isMeasuring = true
  }

  /** What was seen since `start`, as a function: errors may still be added until it is called. */
  stop(): () => LoadResult {
    const seconds = (performance.now() - this.#since) / 1000
    const { user, system } = process.cpuUsage(this.#cpu)
    this.isMeasuring = false
    const transactions = this.#transactions
    const messages = this.#messages
    const latencies = Object.fromEntries(this.#names.map(name => [name, this.#latencies[name].summary()]))
    return () => ({
      seconds,
      transactions,
      messages,
      errors: Object.fromEntries(this.#errors),
      latencies,
      cpuSeconds: (user + system) / 1e6,
    })
  }

  #fresh(): Record<Name, LatencyRecorder> {
    return Object.fromEntries(this.#names.map(name => [name, new LatencyRecorder()])) as Record<Name, LatencyRecorder>
  }
}
