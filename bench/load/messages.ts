interface Timed {
  readonly port: number
  /** What is seen in this time is not counted. */
  readonly warmupMs: number
  readonly measureMs: number
}

/** What the harness asks a load process for. Counts and times are bounded by `bench/options.ts`. */
export type LoadSpec = Timed & {
  readonly connections: number
  /** Cards 1 to this, each as likely as any other. */
  readonly cards: number
} & (
    | {
        readonly kind: 'iso'
        /** Closed loop: transactions under way at once, over all connections. */
        readonly inFlight: number
      }
    | {
        readonly kind: 'steady'
        /** Open loop: transactions begun a second, whatever the switch does. */
        readonly rate: number
      }
    /** Closed loop: one transaction under way on each connection. */
    | { readonly kind: 'http' }
  )

/**
 * message: from sending a request to its answer, authorize and confirm alike. transaction: from the beginning of the
 * authorize to the answer of the confirm. In the open loop both begin when they were due, not when they could be sent.
 * late: by how much the generator itself was late, in the open loop.
 */
export const timeNames = ['message', 'authorize', 'confirm', 'transaction', 'late'] as const
export type TimeName = (typeof timeNames)[number]

/** Milliseconds, from an HdrHistogram with three significant digits. */
export interface Latency {
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

/** What was seen between the end of the warm-up and the end of the measurement. */
export interface LoadResult {
  readonly seconds: number
  /** Authorized and confirmed, both acknowledged. */
  readonly transactions: number
  /** Requests that were answered, whatever the answer. */
  readonly messages: number
  /** By what went wrong, warm-up and end included; empty: nothing did. */
  readonly errors: Readonly<Record<string, number>>
  readonly latencies: Readonly<Record<TimeName, Latency>>
  /** CPU time of the load process itself. */
  readonly cpuSeconds: number
}

/** From the load process to the harness, in this order; `tick` twice a second from the start. */
export type LoadNews =
  | { readonly news: 'tick'; readonly messages: number; readonly isWarm: boolean }
  | { readonly news: 'measuring' }
  | { readonly news: 'measured' }
  | { readonly news: 'done'; readonly result: LoadResult }
  | { readonly news: 'failed'; readonly error: string }
