import type { Catalog, Merchant } from './catalog.ts'
import type { Lot } from './ledger.ts'
import type { LocalTime } from './local-time.ts'
import { type Counted, candidatesOf, type Purchase, spendInOrder } from './spend.ts'
import type { Balance } from './transactions.ts'

/** More than any purchase: what could be spent at most. */
const everything = 10n ** 18n

/**
 * One line for each program of the holder: what is on it, what is held, and what could be spent now, at this merchant
 * (null: anywhere). Undefined: `counted` lacks counters that are needed.
 */
export function balancesOf(
  lots: readonly Lot[],
  merchant: Merchant | null,
  local: LocalTime,
  counted: Counted,
  catalog: Catalog,
): Balance[] | undefined {
  const purchase: Purchase = { amount: everything, eligibleAmount: everything, basket: null, merchant, local }
  const balances: Balance[] = []
  for (const id of new Set(lots.map(({ program }) => program))) {
    const program = catalog.programsById.get(id)
    const own = lots.filter(lot => lot.program === id && lot.asset === catalog.tenant.currency.id)
    if (program === undefined || own.length === 0) continue
    // Nothing else is on this line: whether it pays alone only does not matter.
    const spendable = spendInOrder(candidatesOf(own, purchase, catalog), purchase, counted, 'nothing')
    if (spendable === undefined) return undefined
    balances.push({
      program: program.code,
      balance: own.reduce((sum, lot) => sum + lot.creditsPosted - lot.debitsPosted, 0n),
      held: own.reduce((sum, lot) => sum + lot.debitsPending, 0n),
      spendable: spendable.total,
    })
  }
  return balances
}
