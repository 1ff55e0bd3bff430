import { build, type Histogram } from 'hdr-histogram-js'
import { type Latency, type LoadResult, type TimeName, timeNames } from './messages.ts'

const longestMicros = 120_000_000

/** From 1 µs to two minutes, with three significant digits. */
const newHistogram = (): Histogram =>
  build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: longestMicros,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
    useWebAssembly: false,
  })

function summaryOf(histogram: Histogram): Latency {
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1000
  const count = histogram.totalCount
  return {
    count,
    meanMs: count === 0 ? 0 : histogram.mean / 1000,
    p50Ms: at(50),
    p95Ms: at(95),
    p99Ms: at(99),
    p999Ms: at(99.9),
    maxMs: count === 0 ? 0 : histogram.maxValue / 1000,
  }
}

/**
 * Throughput is what was answered between `start` and `stop`; latencies are of what began between them, also where the
 * answer came later, so that a stall at the end is seen. Errors always count. Times are `performance.now()`.
 */
export class LoadRecorder {
  readonly #histograms = Object.fromEntries(timeNames.map(name => [name, newHistogram()])) as Record<
    TimeName,
    Histogram
  >
  readonly #errors = new Map<string, number>()
  #transactions = 0
  #messages = 0
  #since = Number.POSITIVE_INFINITY
  #until = Number.POSITIVE_INFINITY
  #cpuBefore = process.cpuUsage()
  #cpu = process.cpuUsage()
  /** For the progress line: with the warm-up. */
  messagesEver = 0

  get isMeasuring(): boolean {
    return this.#since !== Number.POSITIVE_INFINITY && this.#until === Number.POSITIVE_INFINITY
  }

  answered(name: 'authorize' | 'confirm', begunAt: number, now: number): void {
    this.messagesEver++
    if (this.isMeasuring) this.#messages++
    this.#time(name, begunAt, now)
    this.#time('message', begunAt, now)
  }

  completed(begunAt: number, now: number): void {
    if (this.isMeasuring) this.#transactions++
    this.#time('transaction', begunAt, now)
  }

  late(dueAt: number, now: number): void {
    this.#time('late', dueAt, now)
  }

  failed(what: string, count = 1): void {
    this.#errors.set(what, (this.#errors.get(what) ?? 0) + count)
  }

  start(): void {
    this.#cpuBefore = process.cpuUsage()
    this.#since = performance.now()
  }

  stop(): void {
    this.#until = performance.now()
    this.#cpu = process.cpuUsage(this.#cpuBefore)
  }

  result(): LoadResult {
    return {
      seconds: (this.#until - this.#since) / 1000,
      transactions: this.#transactions,
      messages: this.#messages,
      errors: Object.fromEntries(this.#errors),
      latencies: Object.fromEntries(timeNames.map(name => [name, summaryOf(this.#histograms[name])])) as Record<
        TimeName,
        Latency
      >,
      cpuSeconds: (this.#cpu.user + this.#cpu.system) / 1e6,
    }
  }

  #time(name: TimeName, begunAt: number, now: number): void {
    if (begunAt < this.#since || begunAt >= this.#until) return
    const micros = Math.round((now - begunAt) * 1000)
    this.#histograms[name].recordValue(Math.min(longestMicros, Math.max(1, micros)))
  }
}
