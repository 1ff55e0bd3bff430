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

/** What is counted in one counter at once: the sum of what a purchase takes from all that it counts. */
export interface Use {
  readonly counter: Counter
  amount: bigint
  readonly count: number
}

/** The usage with these uses, each of another counter, and without windows that are over now. */
export function countIn(usage: Usage, uses: readonly Use[], now: LocalTime, catalog: Catalog): Usage {
  const kept = withoutPast(usage, uses, now, catalog)
  for (const { counter, amount, count } of uses) {
    const index = indexOf(kept, counter)
    const entry = kept[index]
    if (entry === undefined) kept.push({ counter: counter.id, window: counter.window, amount, count })
    else kept[index] = { ...entry, amount: entry.amount + amount, count: entry.count + count }
  }
  return kept
}

/** Gives back what was counted, where its window is still kept: never more than that. */
export function giveBackIn(usage: Usage, uses: readonly Use[], now: LocalTime, catalog: Catalog): Usage {
  const kept = withoutPast(usage, uses, now, catalog)
  for (const { counter, amount, count } of uses) {
    const index = indexOf(kept, counter)
    const entry = kept[index]
    if (entry === undefined) continue
    const left = entry.amount - lesser(entry.amount, amount)
    kept[index] = { ...entry, amount: left, count: Math.max(0, entry.count - count) }
  }
  return kept
}

const indexOf = (usage: Usage, { id, window }: Counter): number =>
  usage.findIndex(entry => entry.counter === id && entry.window === window)

/**
 * A copy without windows that are over, whichever limits they were of: a holder leaves a counter at every merchant, and
 * limits that are no more leave theirs. Of what is used now, the steps of rolling hours go as soon as they may.
 */
function withoutPast(usage: Usage, uses: readonly Use[], now: LocalTime, { tenant }: Catalog): UsageEntry[] {
  const starts: number[] = []
  const rolling = uses.filter(({ counter }) => counter.since < counter.window)
  return usage.filter(({ counter, window }) => {
    const period = counter % 8
    starts[period] ??= windowOf(periods[period] as Period, hoursMax, now, tenant).since
    if (window < starts[period]) return false
    return !rolling.some(use => use.counter.id === counter && window < use.counter.since)
  })
}
