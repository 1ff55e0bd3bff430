import { balancesOf } from './balances.ts'
import type { Catalog, Program } from './catalog.ts'
import { isExpired, type Lot } from './ledger.ts'
import { type LimitUse, limitUsesOf } from './limit-uses.ts'
import type { LocalTime } from './local-time.ts'
import { countedIn, type Snapshot } from './snapshot.ts'
import { termsAt } from './terms.ts'
import type { Balance } from './transactions.ts'

/** What a holder has in one program. */
export interface Account {
  readonly program: Program
  readonly balance: Balance
  /** Nothing of it may be spent until it is released. */
  readonly isFrozen: boolean
  /** Those with something on them, or still to be swept; the oldest first. */
  readonly lots: readonly Lot[]
  readonly limits: readonly LimitUse[]
}

/**
 * The accounts of a holder, with what could be spent now if no rule of place stood against it, and what each limit has
 * counted: those of merchants for every merchant where there was a purchase.
 */
export function accountsOf(snapshot: Snapshot, local: LocalTime, catalog: Catalog): Account[] {
  const counted = countedIn(snapshot)
  const balances = balancesOf(snapshot.lots, null, local, counted, catalog) ?? []
  const programs = [...catalog.programsById.values()]
  return balances.flatMap(balance => {
    const program = programs.find(({ code }) => code === balance.program)
    if (program === undefined) return []
    const own = snapshot.lots.filter(lot => lot.program === program.id).toSorted((one, other) => one.id - other.id)
    const terms = termsAt(program, local.at)
    const parties = { merchants: [...catalog.merchantsById.keys()], funders: [...new Set(own.map(lot => lot.funder))] }
    const uses = limitUsesOf(program, terms, parties, local, counted, catalog)
    return {
      program,
      balance,
      isFrozen: own.some(lot => lot.isFrozen),
      lots: own.filter(lot => !isSpent(lot) || (isExpired(lot, local.at) && lot.sweepDue !== null)),
      limits: uses.filter(({ merchant, used }) => merchant === null || used.count > 0 || used.amount > 0n),
    }
  })
}

const isSpent = (lot: Lot): boolean =>
  lot.creditsPosted === lot.debitsPosted && lot.debitsPending === 0n && lot.limit === 0n
