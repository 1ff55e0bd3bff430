import { Histogram } from './histogram.ts'
import { type LoadResult, type Second, type TimeName, timeNames } from './spec.ts'

export type Step = 'authorize' | 'confirm' | 'reverse'

/**
 * Throughput is what was answered between `start` and `stop`; latencies are of what began between them, also where the
 * answer came later, so that a stall at the end is seen. Errors always count. Times are `performance.now()`.
 */
export class LoadRecorder {
  readonly #times = Object.fromEntries(timeNames.map(name => [name, new Histogram()])) as Record<TimeName, Histogram>
  readonly #errors = new Map<string, number>()
  readonly #refusals = new Map<string, number>()
  readonly #series: Second[] = []
  readonly #second = { times: new Histogram(), transactions: 0, messages: 0, refused: 0, unsent: 0 }
  #transactions = 0
  #messages = 0
  #unsent = 0
  #since = Number.POSITIVE_INFINITY
  #until = Number.POSITIVE_INFINITY
  #cpuBefore = process.cpuUsage()
  #cpu = process.cpuUsage()
  /** For whoever watches: with the warm-up. */
  messagesEver = 0

  get isMeasuring(): boolean {
    return this.#since !== Number.POSITIVE_INFINITY && this.#until === Number.POSITIVE_INFINITY
  }

  /** Of the measured time, so far. */
  get series(): readonly Second[] {
    return this.#series
  }

  answered(step: Step, begunAt: number, now: number): void {
    this.messagesEver++
    if (this.isMeasuring) {
      this.#turn(now)
      this.#messages++
      this.#second.messages++
    }
    this.#time(step, begunAt, now)
    this.#time('message', begunAt, now)
  }

  refused(step: Step, code: string, begunAt: number, now: number): void {
    this.#time('refused', begunAt, now)
    if (!this.isMeasuring) return
    add(this.#refusals, `${step} ${code}`, 1)
    this.#second.refused++
  }

  completed(begunAt: number, now: number): void {
    if (this.isMeasuring) {
      this.#transactions++
      this.#second.transactions++
      this.#second.times.record((now - begunAt) * 1000)
    }
    this.#time('transaction', begunAt, now)
  }

  late(dueAt: number, now: number): void {
    this.#time('late', dueAt, now)
  }

  unsent(now: number): void {
    if (!this.isMeasuring) return
    this.#turn(now)
    this.#unsent++
    this.#second.unsent++
  }

  failed(what: string, count = 1): void {
    add(this.#errors, what, count)
  }

  start(): void {
    this.#cpuBefore = process.cpuUsage()
    this.#since = performance.now()
  }

  stop(): void {
    const now = performance.now()
    this.#turn(now)
    this.#until = now
    this.#cpu = process.cpuUsage(this.#cpuBefore)
  }

  result(): LoadResult {
    return {
      seconds: (this.#until - this.#since) / 1000,
      transactions: this.#transactions,
      messages: this.#messages,
      refusals: Object.fromEntries(this.#refusals),
      unsent: this.#unsent,
      errors: Object.fromEntries(this.#errors),
      latencies: Object.fromEntries(
        timeNames.map(name => [name, this.#times[name].summary()]),
      ) as LoadResult['latencies'],
      series: this.#series,
      cpuSeconds: (this.#cpu.user + this.#cpu.system) / 1e6,
    }
  }

  /** Closes the seconds that are over; one in which nothing came is empty, which is what a stall looks like. */
  #turn(now: number): void {
    while (this.#series.length < Math.floor((now - this.#since + 0.5) / 1000)) {
      const { times, ...counts } = this.#second
      const { p50Ms, p99Ms, maxMs } = times.summary()
      this.#series.push({ ...counts, p50Ms, p99Ms, maxMs })
      times.reset()
      Object.assign(this.#second, { transactions: 0, messages: 0, refused: 0, unsent: 0 })
    }
  }

  #time(name: TimeName, begunAt: number, now: number): void {
    if (begunAt >= this.#since && begunAt < this.#until) this.#times[name].record((now - begunAt) * 1000)
  }
}

function add(counts: Map<string, number>, what: string, count: number): void {
  counts.set(what, (counts.get(what) ?? 0) + count)
}
