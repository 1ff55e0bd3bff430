import type { Catalog } from './catalog.ts'
import type { LocalTime } from './local-time.ts'
import { lesser } from './money.ts'
import type { Limit } from './terms.ts'
import { type Period, periods, windowOf } from './windows.ts'

/** What has been approved within one window of one limit. */
export interface UsageEntry {
  readonly counter: number
  readonly window: number
  readonly amount: bigint
  readonly count: number
}

/** All that the limits of one holder, or of one organisation, have counted and may still need. */
export type Usage = readonly UsageEntry[]

/** Where one approval is counted. */
export interface Counter {
  readonly id: number
  readonly limit: Limit
  readonly window: number
  /** Windows from here on count together with it. */
  readonly since: number
}

const scopes: readonly Limit['of'][] = ['account', 'holder', 'merchant', 'organisation']
const ownerSpan = 2 ** 20
/** Terms have no rolling limit that is longer. */
const hoursMax = 720

/** The counters of a program's limits for purchases at a merchant (0: nowhere in particular). */
export function countersOf(
  limits: readonly Limit[],
  program: number,
  merchant: number,
  local: LocalTime,
  { tenant }: Catalog,
): readonly Counter[] {
  if (limits.length === 0) return noCounters
  return limits.map(limit => {
    const { start, since } = windowOf(limit.per, limit.hours, local, tenant)
    return { id: counterIdOf(limit, program, merchant), limit, window: start, since }
  })
}

const noCounters: readonly Counter[] = []

/**
 * A counter is named by what is counted over what, so that a limit keeps it when its amount or count is changed:
 * merchant 27 bits, program 20 (of a holder's rolling limits, which no program owns, their hours), scope 2, period 3.
 */
function counterIdOf({ of, per, hours }: Limit, program: number, merchant: number): number {
  const place = of === 'merchant' ? merchant : 0
  const owner = of === 'holder' ? (hours ?? 0) : program
  return (place * ownerSpan + owner) * 32 + scopes.indexOf(of) * 8 + periods.indexOf(per)
}

/** What a counter has reached, over all windows that count together. */
export function usedOf(
  usage: Usage,
  { id, window, since }: Counter,
): { readonly amount: bigint; readonly count: number } {
  let amount = 0n
  let count = 0
  for (const entry of usage) {
    if (entry.counter !== id || entry.window < since || entry.window > window) continue
    amount += entry.amount
    count += entry.count
  }
  return { amount, count }
}

/** Counts an approval, and forgets the windows of that counter that are over. */
export function countIn(usage: Usage, { id, window, since }: Counter, amount: bigint, count: number): Usage {
  const kept = usage.filter(entry => entry.counter !== id || (entry.window >= since && entry.window !== window))
  const entry = usage.find(one => one.counter === id && one.window === window)
  kept.push({ counter: id, window, amount: (entry?.amount ?? 0n) + amount, count: (entry?.count ?? 0) + count })
  return kept
}

/** Gives back what an approval has counted, if its window is still kept. Never more than was counted. */
export function giveBackIn(usage: Usage, { id, window }: Counter, amount: bigint, count: number): Usage {
  return usage.map(entry => {
    if (entry.counter !== id || entry.window !== window) return entry
    return { ...entry, amount: entry.amount - lesser(entry.amount, amount), count: Math.max(0, entry.count - count) }
  })
}

/**
 * The usage without windows that are over, whichever limits they were of: a holder leaves a counter at every merchant,
 * and limits that are no more leave theirs.
 */
export function withoutPast(usage: Usage, local: LocalTime, { tenant }: Catalog): Usage {
  const starts: number[] = []
  return usage.filter(({ counter, window }) => {
    const period = counter % 8
    starts[period] ??= windowOf(periods[period] as Period, hoursMax, local, tenant).since
    return window >= starts[period]
  })
}
