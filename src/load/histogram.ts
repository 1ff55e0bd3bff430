import type { Latency } from './spec.ts'

const subBuckets = 2048
const half = subBuckets / 2
const halfBits = 10
/** Two minutes: what takes longer counts as this. */
export const longestMicros = 120_000_000

const indexOf = (value: number): number => {
  const bucket = 31 - Math.clz32(value | (subBuckets - 1)) - halfBits
  return bucket * half + (value >>> bucket)
}

/** The highest value that is counted at this index. */
function highestAt(index: number): number {
  const bucket = Math.max(0, (index >> halfBits) - 1)
  return (index - bucket * half + 1) * 2 ** bucket - 1
}

/**
 * Counts of microseconds from 1 µs to two minutes in the layout of HdrHistogram with three significant digits. It is
 * our own because two of its values are recorded for each message of a load that shares its cores with the switch.
 */
export class Histogram {
  readonly #counts = new Float64Array(indexOf(longestMicros) + 1)
  #count = 0
  #sum = 0
  #max = 0

  get count(): number {
    return this.#count
  }

  record(micros: number): void {
    const value = Math.min(longestMicros, Math.max(1, Math.round(micros)))
    const index = indexOf(value)
    this.#counts[index] = (this.#counts[index] as number) + 1
    this.#count++
    this.#sum += value
    if (value > this.#max) this.#max = value
  }

  /** Microseconds: so many hundredths of the values are not above it. Zero without values. */
  percentile(hundredths: number): number {
    // The product may be a trace above the whole number that it is.
    const wanted = Math.max(1, Math.ceil((hundredths / 100) * this.#count * (1 - Number.EPSILON)))
    let seen = 0
    for (let index = 0; index < this.#counts.length; index++) {
      seen += this.#counts[index] as number
      if (seen >= wanted) return Math.min(highestAt(index), this.#max)
    }
    return 0
  }

  reset(): void {
    this.#counts.fill(0)
    this.#count = 0
    this.#sum = 0
    this.#max = 0
  }

  summary(): Latency {
    const at = (hundredths: number): number => this.percentile(hundredths) / 1000
    return {
      count: this.#count,
      meanMs: this.#count === 0 ? 0 : this.#sum / this.#count / 1000,
      p50Ms: at(50),
      p90Ms: at(90),
      p95Ms: at(95),
      p99Ms: at(99),
      p999Ms: at(99.9),
      p9999Ms: at(99.99),
      maxMs: this.#max / 1000,
    }
  }
}
