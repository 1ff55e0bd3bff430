import type { Catalog } from './catalog.ts'
import type { LocalTime } from './local-time.ts'
import type { Limit } from './terms.ts'
import { periods, windowOf } from './windows.ts'

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
const programSpan = 2 ** 20

/**
 * The counters of a program's limits. A limit keeps its counter when its amount or count is changed, since the counter
 * is named by what is counted over what: scope 2 bits, period 3, program 20, merchant 27.
 */
export function countersOf(
  limits: readonly Limit[],
  program: number,
  merchant: number,
  local: LocalTime,
  catalog: Catalog,
): Counter[] {
  return limits.map(limit => {
    const { start, since } = windowOf(limit.per, limit.hours, local, catalog.tenant)
    return { id: counterIdOf(limit, program, merchant), limit, window: start, since }
  })
}

function counterIdOf({ of, per }: Limit, program: number, merchant: number): number {
  const place = of === 'merchant' ? merchant : 0
  const owner = of === 'holder' ? 0 : program
  return (place * programSpan + owner) * 32 + scopes.indexOf(of) * 8 + periods.indexOf(per)
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

/** Gives back what an approval has counted, if its window is still kept. */
export function giveBackIn(usage: Usage, { id, window }: Counter, amount: bigint, count: number): Usage {
  return usage.map(entry =>
    entry.counter === id && entry.window === window
      ? { ...entry, amount: entry.amount - amount, count: entry.count - count }
      : entry,
  )
}
