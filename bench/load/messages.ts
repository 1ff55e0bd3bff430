/** What the harness asks a load process for. Counts and times are bounded by `bench/options.ts`. */
export type LoadSpec = {
  readonly kind: 'iso'
  readonly port: number
  readonly connections: number
  /** Transactions under way at once, over all connections. */
  readonly inFlight: number
  /** Cards 1 to this, each as likely as any other. */
  readonly cards: number
  readonly warmupMs: number
  readonly measureMs: number
}

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
  /** By what was timed. */
  readonly latencies: Readonly<Record<string, Latency>>
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
