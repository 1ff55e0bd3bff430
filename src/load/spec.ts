/** A terminal (DE41) of a merchant (DE42). */
export interface Till {
  readonly terminal: string
  readonly merchant: string
}

/** Numbers of a BIN (6 digits) from serial `first` on, as `cardNumber` makes them; or 16 digits each. */
export type CardSet =
  | { readonly kind: 'range'; readonly bin: string; readonly first: number; readonly count: number }
  | { readonly kind: 'list'; readonly pans: readonly string[] }

/** What happens to transactions, as parts of them from 0 to 1. What is left is authorized and confirmed. */
interface Mix {
  /** Ask for more than any card holds. */
  readonly refused: number
  /** Of the approved: reversed instead of confirmed. */
  readonly reversedHolds: number
  /** Of the confirmed: reversed afterwards. */
  readonly reversedSales: number
}

export const mixes = {
  'authorize-confirm': { refused: 0, reversedHolds: 0, reversedSales: 0 },
  'with-reversals': { refused: 0, reversedHolds: 0.05, reversedSales: 0.05 },
  'with-refusals': { refused: 0.1, reversedHolds: 0, reversedSales: 0 },
  everyday: { refused: 0.03, reversedHolds: 0.01, reversedSales: 0.02 },
} as const satisfies Record<string, Mix>
export type MixName = keyof typeof mixes

export type Pace =
  /** Closed loop: so many transactions under way at once, over all connections. */
  | { readonly kind: 'closed'; readonly inFlight: number }
  /**
   * Open loop: transactions are due at these rates, one after the other, whatever the switch does; the last one lasts.
   * One that finds no free connection in `patienceMs` after it was due is never sent, and counted as such. Over ISO
   * 8583 so many are under way at once, over all connections; without it as many as the switch takes.
   */
  | {
      readonly kind: 'open'
      readonly rates: readonly { readonly perSecond: number; readonly ms: number }[]
      readonly patienceMs: number
      readonly inFlightMax?: number
    }

/** One load, whole. Counts and times are bounded by who makes it. */
export interface LoadSpec {
  readonly protocol: 'iso' | 'http'
  readonly host: string
  readonly port: number
  /** `ca`: a PEM text; null: those that the system trusts. Null: plain TCP. */
  readonly tls: { readonly ca: string | null } | null
  /** Of ISO 8583 with at most `slotsPerConnectionMax` transactions at once each; of HTTP with one. */
  readonly connections: number
  /** Connection n is that of till n, beginning again after the last. */
  readonly tills: readonly Till[]
  readonly cards: CardSet
  /** This part of the transactions is on the first card, the others are on any card, each as likely. */
  readonly hotCardPart: number
  /** Minor units: from 1,000 to this, in steps of 1,000. */
  readonly amountMax: number
  readonly currency: { readonly code: string; readonly numeric: string }
  /** For HTTP. */
  readonly apiKey: string
  readonly mix: Mix
  readonly pace: Pace
  /** What is seen in this time is not counted. */
  readonly warmupMs: number
  readonly measureMs: number
  /** The same seed draws the same cards and amounts. */
  readonly seed: number
}

/** The most that the switch takes unanswered on one terminal connection. */
export const slotsPerConnectionMax = 256

/**
 * message: from sending a request to its answer, whichever it is. transaction: from the beginning of the authorize to
 * the answer of the confirm. In the open loop both begin when they were due, not when they could be sent. refused: of
 * the messages those that were refused. late: by how much the generator itself was late, in the open loop.
 */
export const timeNames = ['message', 'authorize', 'confirm', 'reverse', 'transaction', 'refused', 'late'] as const
export type TimeName = (typeof timeNames)[number]

/** Milliseconds, from a histogram with three significant digits. */
export interface Latency {
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly p9999Ms: number
  readonly maxMs: number
}

/** What was answered within one second of the measured time. */
export interface Second {
  readonly transactions: number
  readonly messages: number
  readonly refused: number
  /** Due, and never sent. */
  readonly unsent: number
  /** Of transactions, from beginning to confirmed. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** What was seen between the end of the warm-up and the end of the measurement. */
export interface LoadResult {
  readonly seconds: number
  /** Authorized and confirmed, both acknowledged. */
  readonly transactions: number
  /** Requests that were answered, whatever the answer. */
  readonly messages: number
  /** By step and code, in the measured time. */
  readonly refusals: Readonly<Record<string, number>>
  /** Due in the measured time and never sent: no connection was free. */
  readonly unsent: number
  /** By what went wrong, warm-up and end included; empty: nothing did. */
  readonly errors: Readonly<Record<string, number>>
  readonly latencies: Readonly<Record<TimeName, Latency>>
  readonly series: readonly Second[]
  /** CPU time of the load process itself. */
  readonly cpuSeconds: number
}
