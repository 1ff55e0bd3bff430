import type { Catalog } from './catalog.ts'
import type { DecisionContext, Need } from './decision.ts'
import type { LocalTime } from './local-time.ts'
import { localTimeOf } from './local-time.ts'
import type { Counted } from './spend.ts'
import { type Limit, termsAt } from './terms.ts'
import type { Transaction } from './transactions.ts'
import { type Counter, countersOf, countIn, giveBackIn, type Usage } from './usage.ts'
import type { WorkingSet } from './working-set.ts'

/** What a purchase takes from, or gives back to, one program's credit of one funder. */
interface Part {
  readonly program: number
  readonly funder: number
  readonly amount: bigint
}

/** What the limits of a locked holder have counted, and those of the organisations that are locked too. */
export const countedOf = (holder: number, rows: WorkingSet): Counted => ({
  holder: rows.usageOf(holder),
  organisation: id => rows.organisation(id)?.usage,
})

/** What a command needs that lacked the counters of organisations. */
export const needOfOrganisations = (funders: readonly number[]): Need => ({ organisations: [...new Set(funders)] })

/** Counts an approved purchase in every limit that concerns it. */
export function countApproval(
  holder: number,
  merchant: number,
  parts: readonly Part[],
  rows: WorkingSet,
  { catalog, local }: DecisionContext,
): void {
  apply(holder, merchant, parts, 1, rows, local, catalog, countIn)
}

/**
 * Gives back what a purchase no longer takes, in the windows in which it was approved. `isEnded`: nothing of it
 * remains, so that it does not count as a purchase either. Organisations must be locked: see `limitsNeed`.
 */
export function giveBackToLimits(
  transaction: Transaction,
  parts: readonly Part[],
  isEnded: boolean,
  rows: WorkingSet,
  { catalog }: DecisionContext,
): void {
  const { holder, merchant } = transaction
  if (holder === null || merchant === null || !hasLimits(catalog)) return
  const local = localTimeOf(transaction.at, catalog.tenant)
  apply(holder, merchant, parts, isEnded ? 1 : 0, rows, local, catalog, giveBackIn)
}

/** The organisations whose counters are needed before a purchase can be given back to its limits; null: none. */
export function limitsNeed(transaction: Transaction, rows: WorkingSet, { catalog }: DecisionContext): Need | null {
  if (!hasLimits(catalog)) return null
  const missing = transaction.legs.filter(
    ({ program, funder }) =>
      limitsOf(program, transaction.at, catalog).some(({ of }) => of === 'organisation') &&
      rows.organisation(funder) === undefined,
  )
  return missing.length === 0 ? null : needOfOrganisations(missing.map(({ funder }) => funder))
}

/** Whether any program of the tenant has, had, or will have a limit. */
const hasLimits = ({ programsById }: Catalog): boolean => {
  for (const { versions } of programsById.values())
    if (versions.some(({ terms }) => terms.limits.length > 0)) return true
  return false
}

function limitsOf(program: number, at: number, catalog: Catalog): readonly Limit[] {
  const found = catalog.programsById.get(program)
  return found === undefined ? [] : termsAt(found, at).limits
}

function apply(
  holder: number,
  merchant: number,
  parts: readonly Part[],
  count: number,
  rows: WorkingSet,
  local: LocalTime,
  catalog: Catalog,
  change: (usage: Usage, counter: Counter, amount: bigint, count: number) => Usage,
): void {
  const sums = new Map<string, { counter: Counter; funder: number | null; amount: bigint }>()
  const add = (counter: Counter, funder: number | null, amount: bigint): void => {
    const name = `${counter.id}/${funder}`
    const sum = sums.get(name)
    if (sum === undefined) sums.set(name, { counter, funder, amount })
    else sum.amount += amount
  }
  for (const { program, funder, amount } of parts) {
    for (const counter of countersOf(limitsOf(program, local.at, catalog), program, merchant, local, catalog)) {
      if (counter.limit.of === 'holder') continue
      add(counter, counter.limit.of === 'organisation' ? funder : null, amount)
    }
  }
  // What a limit of the holder counts is paid by all programs, whichever of them has the limit.
  const total = parts.reduce((sum, { amount }) => sum + amount, 0n)
  for (const counter of countersOf(holderLimits(local.at, catalog), 0, merchant, local, catalog))
    add(counter, null, total)

  let usage = rows.usageOf(holder)
  for (const { counter, funder, amount } of sums.values()) {
    if (funder === null) usage = change(usage, counter, amount, count)
    else {
      const organisation = rows.organisation(funder)
      if (organisation === undefined) throw new Error(`organisation ${funder} is not locked`)
      rows.setOrganisation({ ...organisation, usage: change(organisation.usage, counter, amount, count) })
    }
  }
  if (usage !== rows.usageOf(holder)) rows.setUsage(holder, usage)
}

/** One limit of the holder for each period that any program's terms name. */
function holderLimits(at: number, { programsById }: Catalog): Limit[] {
  const limits = new Map<string, Limit>()
  for (const program of programsById.values()) {
    for (const limit of termsAt(program, at).limits) if (limit.of === 'holder') limits.set(limit.per, limit)
  }
  return [...limits.values()]
}
