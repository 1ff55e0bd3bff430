import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes that stay after a collection, outside memory of buffers included. */
export function heapBytes(): number {
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Growth that buffers, caches within their limits and the JIT account for. */
const growthMax = 24 * 1024 * 1024

/** Heap sizes over a run, in windows of it. */
export class HeapWatch {
  readonly samples: number[] = []

  sample(): void {
    this.samples.push(heapBytes())
  }

  /** The later third against the middle one: what is filled once does not count, what keeps growing does. */
  growth(): number {
    const third = Math.floor(this.samples.length / 3)
    if (third === 0) return 0
    return median(this.samples.slice(-third)) - median(this.samples.slice(third, 2 * third))
  }

  /** Throws if it grew. */
  check(what: string): void {
    const grown = this.growth()
    if (grown <= growthMax) return
    const sizes = this.samples.map(megabytes).join(', ')
    throw new Error(`${what}: the heap grew by ${megabytes(grown)} MB after collections: ${sizes}`)
  }
}

export const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1)

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
