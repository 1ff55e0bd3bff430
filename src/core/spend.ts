import type { Catalog } from './catalog.ts'
import type { Micros } from './ids.ts'
import { availableOf, type Lot } from './ledger.ts'
import { lesser } from './money.ts'
import type { Balance } from './transactions.ts'

/** What a purchase takes from one lot. */
export interface Share {
  readonly lot: Lot
  readonly amount: bigint
}

export interface Spend {
  readonly shares: readonly Share[]
  readonly total: bigint
}

/** Whether a lot may pay here and now. Expiry is enforced here, in the spend itself. */
function isEligible(lot: Lot, asset: number, at: Micros): boolean {
  return lot.asset === asset && (lot.expiresAt === null || lot.expiresAt > at)
}

/** Eligible lots in the order in which they are spent: program priority, soonest expiry (none is last), oldest load. */
export function eligibleLots(lots: readonly Lot[], catalog: Catalog, asset: number, at: Micros): Lot[] {
  const priorityOf = (lot: Lot): number => catalog.programsById.get(lot.program)?.priority ?? 0
  const expiryOf = (lot: Lot): number => lot.expiresAt ?? Number.POSITIVE_INFINITY
  const inOrder = (one: Lot, other: Lot): number => {
    if (priorityOf(one) !== priorityOf(other)) return priorityOf(one) - priorityOf(other)
    if (expiryOf(one) !== expiryOf(other)) return expiryOf(one) < expiryOf(other) ? -1 : 1
    return one.id - other.id
  }
  return lots.filter(lot => isEligible(lot, asset, at)).sort(inOrder)
}

/**
 * Takes `amount` (or as much of it as there is) from lots in their order. `eligibleAmount` is what welfare may pay
 * for.
 */
export function spendFrom(
  lots: readonly Lot[],
  catalog: Catalog,
  amount: bigint,
  eligibleAmount: bigint | null,
): Spend {
  const shares: Share[] = []
  let total = 0n
  let welfareLeft = eligibleAmount ?? amount
  for (const lot of lots) {
    const isWelfare = catalog.programsById.get(lot.program)?.kind === 'welfare'
    let share = lesser(availableOf(lot), amount - total)
    if (isWelfare) share = lesser(share, welfareLeft)
    if (share <= 0n) continue
    if (isWelfare) welfareLeft -= share
    shares.push({ lot, amount: share })
    total += share
  }
  return { shares, total }
}

/** One line for each program of the holder. */
export function balancesOf(lots: readonly Lot[], catalog: Catalog, asset: number, at: Micros): Balance[] {
  const byProgram = new Map<number, Balance>()
  for (const lot of lots) {
    if (lot.asset !== asset) continue
    const program = catalog.programsById.get(lot.program)?.code ?? String(lot.program)
    const sum = byProgram.get(lot.program) ?? { program, balance: 0n, held: 0n, spendable: 0n }
    byProgram.set(lot.program, {
      program,
      balance: sum.balance + lot.creditsPosted - lot.debitsPosted,
      held: sum.held + lot.debitsPending,
      spendable: sum.spendable + (isEligible(lot, asset, at) ? availableOf(lot) : 0n),
    })
  }
  return [...byProgram.values()]
}
