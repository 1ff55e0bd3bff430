import type { Catalog, Program } from './catalog.ts'
import type { DecisionContext, Need } from './decision.ts'
import type { Micros } from './ids.ts'
import { type LocalTime, localTimeOf } from './local-time.ts'
import type { Counted, Share } from './spend.ts'
import { type Limit, termsAt } from './terms.ts'
import type { Transaction } from './transactions.ts'
import { type Counter, countersOf, countIn, giveBackIn, type Usage, withoutPast } from './usage.ts'
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
  change(holder, merchant, parts, context.local, rows, context, (usage, counter, amount) =>
    countIn(usage, counter, amount, 1),
  )
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
  changeThen(transaction, legs, rows, context, (usage, counter, amount) =>
    giveBackIn(usage, counter, amount, isEnded ? 1 : 0),
  )
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
  changeThen(transaction, legs, rows, context, (usage, counter, amount) =>
    countIn(usage, counter, amount, isPurchase ? 1 : 0),
  )
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
  changeOne: (usage: Usage, counter: Counter, amount: bigint) => Usage,
): void {
  const { catalog } = context
  if (holder === null || merchant === null || !limitedOf(catalog).isAny) return
  const local = localTimeOf(at, catalog.tenant)
  const parts = legs.map(({ program, funder, amount }) => {
    return { funder, amount, counters: countersOf(limitsOf(program, at, catalog), program, merchant, local, catalog) }
  })
  change(holder, merchant, parts, local, rows, context, changeOne)
}

interface Limited {
  /** Whether any program of the tenant has, had, or will have a limit. */
  readonly isAny: boolean
  /** Programs that have, had or will have limits over all that a holder spends. */
  readonly ofHolders: readonly Program[]
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
    found = { isAny: having(() => true).length > 0, ofHolders: having(({ of }) => of === 'holder') }
    limited.set(catalog, found)
  }
  return found
}

function limitsOf(program: number, at: Micros, catalog: Catalog): readonly Limit[] {
  const found = catalog.programsById.get(program)
  return found === undefined ? [] : termsAt(found, at).limits
}

/** One of the limits over all that a holder spends for each window they are counted over: amounts do not matter. */
function holderLimits(at: Micros, catalog: Catalog): Limit[] {
  const limits = new Map<string, Limit>()
  for (const program of limitedOf(catalog).ofHolders) {
    for (const limit of termsAt(program, at).limits) {
      if (limit.of === 'holder') limits.set(`${limit.per} ${limit.hours}`, limit)
    }
  }
  return [...limits.values()]
}

/** Changes each counter of that time once, by the sum of the parts that it counts. */
function change(
  holder: number,
  merchant: number,
  parts: readonly Part[],
  local: LocalTime,
  rows: WorkingSet,
  { catalog, local: now }: DecisionContext,
  changeOne: (usage: Usage, counter: Counter, amount: bigint) => Usage,
): void {
  const ofHolder = new Map<number, { counter: Counter; amount: bigint }>()
  const ofFunders = new Map<number, typeof ofHolder>()
  const add = (sums: typeof ofHolder, counter: Counter, amount: bigint): void => {
    sums.set(counter.id, { counter, amount: (sums.get(counter.id)?.amount ?? 0n) + amount })
  }
  const limitsOfHolder = countersOf(holderLimits(local.at, catalog), 0, merchant, local, catalog)
  for (const { funder, amount, counters } of parts) {
    // Whichever program has a limit of the holder, all that the holder spends counts.
    for (const counter of limitsOfHolder) add(ofHolder, counter, amount)
    for (const counter of counters) {
      if (counter.limit.of === 'holder') continue
      if (counter.limit.of !== 'organisation') add(ofHolder, counter, amount)
      else add(getOrSet(ofFunders, funder), counter, amount)
    }
  }
  const changed = (usage: Usage, sums: typeof ofHolder): Usage =>
    [...sums.values()].reduce(
      (so, { counter, amount }) => changeOne(so, counter, amount),
      withoutPast(usage, now, catalog),
    )

  if (ofHolder.size > 0) rows.setUsage(holder, changed(rows.usageOf(holder), ofHolder))
  for (const [funder, sums] of ofFunders) {
    const organisation = rows.organisation(funder)
    if (organisation === undefined) throw new Error(`organisation ${funder} is not locked`)
    rows.setOrganisation({ ...organisation, usage: changed(organisation.usage, sums) })
  }
}

function getOrSet(sums: Map<number, Map<number, { counter: Counter; amount: bigint }>>, key: number) {
  let found = sums.get(key)
  if (found === undefined) {
    found = new Map()
    sums.set(key, found)
  }
  return found
}
