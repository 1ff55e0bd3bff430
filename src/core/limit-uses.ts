import type { Catalog, Program } from './catalog.ts'
import type { LocalTime } from './local-time.ts'
import type { Counted } from './spend.ts'
import type { Limit, Terms } from './terms.ts'
import { countersOf, usedOf } from './usage.ts'

/** What one limit has counted in its present window, and what it leaves. */
export interface LimitUse {
  readonly limit: Limit
  readonly program: Program
  /** Whose purchases it counts; null for limits that are not of a merchant. */
  readonly merchant: number | null
  /** Whose budget it is; null for limits that are not of an organisation. */
  readonly organisation: number | null
  readonly used: { readonly amount: bigint; readonly count: number }
  /** Null: this limit does not say. Never below zero. */
  readonly left: { readonly amount: bigint | null; readonly count: number | null }
}

/**
 * The limits of a program in the order of its terms: those of merchants once for each of `merchants`, those of
 * organisations once for each of `funders`.
 */
export function limitUsesOf(
  program: Program,
  terms: Terms,
  parties: { readonly merchants: readonly number[]; readonly funders: readonly number[] },
  local: LocalTime,
  counted: Counted,
  catalog: Catalog,
): LimitUse[] {
  return terms.limits.flatMap(limit => {
    const useOf = (merchant: number | null, organisation: number | null): LimitUse => {
      const usage = organisation === null ? counted.holder : (counted.organisation(organisation) ?? [])
      const used = { amount: 0n, count: 0 }
      for (const counter of countersOf([limit], program.id, merchant ?? 0, local, catalog)) {
        Object.assign(used, usedOf(usage, counter))
      }
      return { limit, program, merchant, organisation, used, left: leftOf(limit, used) }
    }
    if (limit.of === 'merchant') return parties.merchants.map(merchant => useOf(merchant, null))
    if (limit.of === 'organisation') return parties.funders.map(funder => useOf(null, funder))
    return [useOf(null, null)]
  })
}

function leftOf({ amount, count }: Limit, used: LimitUse['used']): LimitUse['left'] {
  return {
    amount: amount === null ? null : amount > used.amount ? amount - used.amount : 0n,
    count: count === null ? null : Math.max(0, count - used.count),
  }
}
