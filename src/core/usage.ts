import type { Catalog } from './catalog.ts'
import type { LocalTime } from './local-time.ts'
import { lesser } from './money.ts'
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
const ownerSpan = 2 ** 20
/** Terms have no rolling limit that is longer. */
const hoursMax = 720

/** The counters of a program's limits for purchases at a merchant (0: nowhere in particular). */
export function countersOf(
  limits: readonly Limit[],
  program: number,
  merchant: number,
  local: LocalTime,
  catalog: Catalog,
): readonly Counter[] {
  if (limits.length === 0) return noCounters
  const { counters, isOfMerchants } = countersNowhere(limits, program, local, catalog)
  if (!isOfMerchants || merchant === 0) return counters
  return counters.map(one =>
    one.limit.of === 'merchant' ? { ...one, id: counterIdOf(one.limit, program, merchant) } : one,
  )
}

const noCounters: readonly Counter[] = []

interface Nowhere {
  readonly program: number
  readonly local: LocalTime
  readonly counters: readonly Counter[]
  readonly isOfMerchants: boolean
}

const nowhere = new WeakMap<readonly Limit[], Nowhere>()

/** Those of no merchant, found once for all purchases of a batch: they share their moment. */
function countersNowhere(limits: readonly Limit[], program: number, local: LocalTime, { tenant }: Catalog): Nowhere {
  const last = nowhere.get(limits)
  if (last !== undefined && last.local === local && last.program === program) return last
  const counters = limits.map(limit => {
    const { start, since } = windowOf(limit.per, limit.hours, local, tenant)
    return { id: counterIdOf(limit, program, 0), limit, window: start, since }
  })
  const found = { program, local, counters, isOfMerchants: limits.some(({ of }) => of === 'merchant') }
  nowhere.set(limits, found)
  return found
}

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
function withoutPast(usage: Usage, uses: readonly Use[], now: LocalTime, catalog: Catalog): UsageEntry[] {
  const starts = startsOf(now, catalog)
  return usage.filter(({ counter, window }) => {
    const period = counter % 8
    if (window < (starts[period] as number)) return false
    return period !== rolling || !uses.some(use => use.counter.id === counter && window < use.counter.since)
  })
}

const rolling = periods.indexOf('hours')
const starts = new WeakMap<LocalTime, readonly number[]>()

/** Of each period the first window that is not over, found once for each moment. */
function startsOf(now: LocalTime, { tenant }: Catalog): readonly number[] {
  let found = starts.get(now)
  if (found === undefined) {
    found = periods.map(period => windowOf(period, hoursMax, now, tenant).since)
    starts.set(now, found)
  }
  return found
}
