import type { Catalog, Program } from './catalog.ts'
import type { DecisionContext, Need } from './decision.ts'
import type { Micros } from './ids.ts'
import { type LocalTime, localTimeOf } from './local-time.ts'
import type { Counted, Share } from './spend.ts'
import { type Limit, termsAt } from './terms.ts'
import type { Transaction } from './transactions.ts'
import { type Counter, countersOf, countIn, giveBackIn, type Use } from './usage.ts'
import type { WorkingSet } from './working-set.ts'

/** What a purchase takes from, or gives back to, credit of one program and funder. */
interface Part {
  readonly funder: number
  readonly amount: bigint
  /** Of the limits of the program. */
  readonly counters: readonly Counter[]
}

/** What the limits of a locked holder have counted, and those of the organisations that are locked too. */
export const countedOf = (holder: number, rows: WorkingSet): Counted => ({
  holder: rows.usageOf(holder),
  organisation: id => rows.organisation(id)?.usage,
})

/** The organisations whose counters the limits of these programs need at a moment, and are not locked; null: none. */
export function needOfOrganisations(
  credits: readonly { readonly program: number; readonly funder: number }[],
  at: Micros,
  rows: WorkingSet,
  catalog: Catalog,
): Need | null {
  if (!limitedOf(catalog).isAny) return null
  const missing = credits.filter(
    ({ program, funder }) =>
      rows.organisation(funder) === undefined && limitsOf(program, at, catalog).some(({ of }) => of === 'organisation'),
  )
  return missing.length === 0 ? null : { organisations: [...new Set(missing.map(({ funder }) => funder))] }
}

/** Counts an approved purchase in every limit that concerns it. */
export function countApproval(
  holder: number,
  merchant: number,
  shares: readonly Share[],
  rows: WorkingSet,
  context: DecisionContext,
): void {
  if (!limitedOf(context.catalog).isAny) return
  const parts = shares.map(({ candidate: { lot, counters }, amount }) => ({ funder: lot.funder, amount, counters }))
  change(holder, merchant, parts, context.local, rows, context, 1, countIn)
}

/**
 * Gives back what a purchase no longer takes, in the windows in which it was approved. `isEnded`: it does not count as
 * a purchase any more either. Organisations must be locked: see `needOfOrganisations`.
 */
export function giveBackToLimits(
  transaction: Transaction,
  legs: readonly LegPart[],
  isEnded: boolean,
  rows: WorkingSet,
  context: DecisionContext,
): void {
  changeThen(transaction, legs, rows, context, isEnded ? 1 : 0, giveBackIn)
}

/**
 * Counts what such a purchase takes again after all, in the windows in which it was approved. `isPurchase`: it did not
 * count as one any more. Organisations must be locked.
 */
export function countAgain(
  transaction: Transaction,
  legs: readonly LegPart[],
  isPurchase: boolean,
  rows: WorkingSet,
  context: DecisionContext,
): void {
  changeThen(transaction, legs, rows, context, isPurchase ? 1 : 0, countIn)
}

interface LegPart {
  readonly program: number
  readonly funder: number
  readonly amount: bigint
}

/** Changes the counters that a purchase was counted in when it was approved. */
function changeThen(
  { holder, merchant, at }: Transaction,
  legs: readonly LegPart[],
  rows: WorkingSet,
  context: DecisionContext,
  count: number,
  changed: typeof countIn,
): void {
  const { catalog } = context
  if (holder === null || merchant === null || !limitedOf(catalog).isAny) return
  const local = localTimeOf(at, catalog.tenant)
  const parts = legs.map(({ program, funder, amount }) => {
    return { funder, amount, counters: countersOf(limitsOf(program, at, catalog), program, merchant, local, catalog) }
  })
  change(holder, merchant, parts, local, rows, context, count, changed)
}

interface Limited {
  /** Whether any program of the tenant has, had, or will have a limit. */
  readonly isAny: boolean
  /** Programs that have, had or will have limits over all that a holder spends. */
  readonly ofHolders: readonly Program[]
  /** Those limits at the moment that was asked for last: all purchases of a batch ask for the same. */
  ofHoldersAt: { readonly at: Micros; readonly limits: readonly Limit[] } | null
}

const limited = new WeakMap<Catalog, Limited>()

/** Found once for each catalog: a tenant may have thousands of programs. */
function limitedOf(catalog: Catalog): Limited {
  let found = limited.get(catalog)
  if (found === undefined) {
    const having = (isMeant: (limit: Limit) => boolean): Program[] =>
      [...catalog.programsById.values()].filter(({ versions }) =>
        versions.some(({ terms }) => terms.limits.some(isMeant)),
      )
    found = { isAny: having(() => true).length > 0, ofHolders: having(({ of }) => of === 'holder'), ofHoldersAt: null }
    limited.set(catalog, found)
  }
  return found
}

function limitsOf(program: number, at: Micros, catalog: Catalog): readonly Limit[] {
  const found = catalog.programsById.get(program)
  return found === undefined ? [] : termsAt(found, at).limits
}

/** One of the limits over all that a holder spends for each window they are counted over: amounts do not matter. */
function holderLimits(at: Micros, catalog: Catalog): readonly Limit[] {
  const found = limitedOf(catalog)
  if (found.ofHoldersAt?.at !== at) {
    const limits = new Map<string, Limit>()
    for (const program of found.ofHolders) {
      for (const limit of termsAt(program, at).limits) {
        if (limit.of === 'holder') limits.set(`${limit.per} ${limit.hours}`, limit)
      }
    }
    found.ofHoldersAt = { at, limits: [...limits.values()] }
  }
  return found.ofHoldersAt.limits
}

/** Changes each counter of that time once, by the sum of the parts that it counts. */
function change(
  holder: number,
  merchant: number,
  parts: readonly Part[],
  local: LocalTime,
  rows: WorkingSet,
  { catalog, local: now }: DecisionContext,
  count: number,
  changed: typeof countIn,
): void {
  const ofHolder: Use[] = []
  const ofFunders: { readonly funder: number; readonly uses: Use[] }[] = []
  // Whichever program has a limit of the holder, all that the holder spends counts.
  const limitsOfHolder = countersOf(holderLimits(local.at, catalog), 0, merchant, local, catalog)
  for (const { funder, amount, counters } of parts) {
    for (const counter of limitsOfHolder) add(ofHolder, counter, amount, count)
    for (const counter of counters) {
      const { of } = counter.limit
      if (of === 'holder') continue
      add(of === 'organisation' ? usesOf(funder, ofFunders) : ofHolder, counter, amount, count)
    }
  }
  if (ofHolder.length > 0) rows.setUsage(holder, changed(rows.usageOf(holder), ofHolder, now, catalog))
  for (const { funder, uses } of ofFunders) {
    const organisation = rows.organisation(funder)
    if (organisation === undefined) throw new Error(`organisation ${funder} is not locked`)
    rows.setOrganisation({ ...organisation, usage: changed(organisation.usage, uses, now, catalog) })
  }
}

function add(uses: Use[], counter: Counter, amount: bigint, count: number): void {
  const known = uses.find(use => use.counter.id === counter.id)
  if (known === undefined) uses.push({ counter, amount, count })
  else known.amount += amount
}

function usesOf(funder: number, ofFunders: { readonly funder: number; readonly uses: Use[] }[]): Use[] {
  const known = ofFunders.find(one => one.funder === funder)
  if (known !== undefined) return known.uses
  const uses: Use[] = []
  ofFunders.push({ funder, uses })
  return uses
}
