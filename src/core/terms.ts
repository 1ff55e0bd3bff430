import type { Merchant, Program } from './catalog.ts'
import type { Micros } from './ids.ts'
import type { LocalTime } from './local-time.ts'
import type { Reason } from './reasons.ts'
import type { Period } from './windows.ts'

/** Where, when and how much of a program may be spent, in which order, and when it expires. Amounts are minor units. */
export interface Terms {
  readonly where: Where
  readonly when: When
  readonly purchase: PurchaseRule
  readonly limits: readonly Limit[]
  readonly expiry: Expiry
  /** What happens to value that goes back to a lot that has expired since. */
  readonly returns: { readonly intoExpired: 'breakage' | { readonly reviveDays: number } }
  /** Lower is spent first. */
  readonly priority: number
  /** `onward`: what this program cannot pay is paid by those after it; `none`: it pays all of a purchase or nothing. */
  readonly fallback: 'onward' | 'none'
  /** How long a hold stays open; null: as the terminal or the channel has it. */
  readonly confirmWithinSeconds: number | null
  /** Codes of the programs that value may be moved to. */
  readonly transfersTo: readonly string[]
}

/** Merchants by code, groups and categories of merchants. */
export interface Places {
  readonly merchants: readonly string[]
  readonly groups: readonly string[]
  readonly categories: readonly string[]
}

/**
 * The more precise word counts: a merchant's own before that of its groups, that before its category's; at the same
 * precision `deny` wins. A place that nothing names is allowed unless `allow` names any place at all.
 */
interface Where {
  readonly allow: Places
  readonly deny: Places
}

export interface When {
  /** ISO 8601: 1 is Monday, 7 Sunday. Null: all. */
  readonly weekdays: readonly number[] | null
  /** Minutes after local midnight, from the first and before the second; from 22:00 to 02:00 goes over midnight. */
  readonly hours: readonly { readonly from: number; readonly until: number }[] | null
  /** Local days, both included. */
  readonly dates: readonly { readonly from: number; readonly until: number }[] | null
  readonly holidays: 'as_any_day' | 'only' | 'never'
}

interface PurchaseRule {
  /** A purchase below this is not for this program. */
  readonly minimum: bigint | null
  /** The most that this program pays of one purchase. */
  readonly maximum: bigint | null
  /** The most that it pays of one purchase, in hundredths of its amount. */
  readonly sharePercent: number | null
  /** It pays only for these goods of the basket; null: for whatever the request says is eligible. */
  readonly goods: readonly string[] | null
}

/**
 * What may be approved within a window. `account`: of this program by one holder; `holder`: of all programs by one
 * holder; `merchant`: of this program by one holder at one merchant; `organisation`: of this program by all holders
 * whose credit one organisation has funded.
 */
export interface Limit {
  readonly of: 'account' | 'holder' | 'merchant' | 'organisation'
  readonly per: Period
  /** Of the period `hours`: how many, rolling. Null for all others. */
  readonly hours: number | null
  readonly amount: bigint | null
  readonly count: number | null
}

export type Expiry =
  | { readonly kind: 'never' }
  /** At the end of this local day. */
  | { readonly kind: 'date'; readonly day: number }
  /** At the end of the local day so many days after the load. */
  | { readonly kind: 'after_load'; readonly days: number }
  /** At the end of the period of the load. */
  | { readonly kind: 'end_of_period'; readonly per: Exclude<Period, 'hours' | 'lifetime'> }
  /** At the end of the local day so many days after the load or the last purchase. */
  | { readonly kind: 'inactivity'; readonly days: number }

export interface TermsVersion {
  readonly version: number
  readonly startsAt: Micros
  readonly terms: Terms
}

const nowhere: Places = { merchants: [], groups: [], categories: [] }

/** Everywhere, always, without a limit, for ever. */
export const openTerms: Terms = {
  where: { allow: nowhere, deny: nowhere },
  when: { weekdays: null, hours: null, dates: null, holidays: 'as_any_day' },
  purchase: { minimum: null, maximum: null, sharePercent: null, goods: null },
  limits: [],
  expiry: { kind: 'never' },
  returns: { intoExpired: 'breakage' },
  priority: 0,
  fallback: 'onward',
  confirmWithinSeconds: null,
  transfersTo: [],
}

/** The terms of a program at a moment: of those that had started, the version made last. */
export function termsAt({ versions }: Program, at: Micros): Terms {
  for (let index = versions.length - 1; index >= 0; index--) {
    const one = versions[index] as TermsVersion
    if (one.startsAt <= at) return one.terms
  }
  return openTerms
}

/** Why these terms let nothing be spent at this merchant (null: any) at this time; null if they do. */
export function refusalOfTerms(terms: Terms, merchant: Merchant | null, local: LocalTime): Reason | null {
  if (merchant !== null && !isPlace(terms.where, merchant)) return 'program_not_allowed'
  return isTime(terms.when, local) ? null : 'program_not_now'
}

function isPlace({ allow, deny }: Where, merchant: Merchant): boolean {
  const { code, groups, category } = merchant
  if (deny.merchants.includes(code)) return false
  if (allow.merchants.includes(code)) return true
  if (isAnyOf(groups, deny.groups)) return false
  if (isAnyOf(groups, allow.groups)) return true
  if (category !== null && deny.categories.includes(category)) return false
  if (category !== null && allow.categories.includes(category)) return true
  return allow.merchants.length === 0 && allow.groups.length === 0 && allow.categories.length === 0
}

const isAnyOf = (groups: readonly string[], named: readonly string[]): boolean =>
  named.length > 0 && groups.some(group => named.includes(group))

function isTime({ weekdays, hours, dates, holidays }: When, local: LocalTime): boolean {
  if (holidays !== 'as_any_day' && (holidays === 'only') !== local.isHoliday) return false
  if (weekdays !== null && !weekdays.includes(local.weekday)) return false
  if (dates !== null && !dates.some(({ from, until }) => local.day >= from && local.day <= until)) return false
  return hours === null || hours.some(({ from, until }) => isWithin(local.minute, from, until))
}

const isWithin = (minute: number, from: number, until: number): boolean =>
  from <= until ? minute >= from && minute < until : minute >= from || minute < until
