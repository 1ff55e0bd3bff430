import type { Catalog } from '../core/catalog.ts'
import type { Authorize, Command, Confirm, Refund, Reverse } from '../core/commands.ts'
import type { Need } from '../core/decision.ts'
import { largeLoadMin } from '../core/money.ts'
import type { Transaction } from '../core/transactions.ts'
import type { BillReference } from '../core/working-set.ts'
import { today, yesterday } from '../store/batch/read.ts'

/**
 * What a batch must lock and read for its commands. Days of keys may be `today` and `yesterday`, which SQL resolves.
 */
export interface ReadPlan {
  /** Names without a row, locked so that rivals meet. */
  readonly names: string[]
  readonly tokens: Set<string>
  /** Holders that are to be locked, of whom nothing needs to be known. */
  readonly holders: Set<number>
  /** Those of whom it matters what their limits have counted. */
  readonly countedHolders: Set<number>
  readonly ids: Set<number>
  /** Holds that need not be read: see `RecentHolds`. */
  readonly rememberedHolds: Transaction[]
  /** Those ids whose holder is not known. */
  readonly idsOfUnknown: Set<number>
  readonly keys: string[]
  readonly days: number[]
  readonly originalKeys: string[]
  readonly originalDays: number[]
  readonly lotsOf: Set<number>
  /** Transactions of whose holders the lots are needed, by id and by key. */
  readonly lotsOfIds: Set<number>
  readonly lotsOfKeys: string[]
  readonly lotsOfDays: number[]
  readonly organisations: Set<number>
  /** Programs whose credit also takes the counters of those who funded it. */
  readonly programsWithBudgets: readonly number[]
  readonly watermarksOf: Set<number>
  readonly bills: BillReference[]
  /** How many transactions the commands may open. */
  openings: number
  /** How many lots they may open. */
  newLots: number
}

/** A command that waits in a lane, with what an earlier batch found that it needs. */
export interface Planned {
  readonly command: Command
  readonly need: Need
  /** The holder of the original, if this process knows it: saves a look-up. */
  readonly holder: number | null
  /** The hold that a confirm is about, if this process remembers it as it was stored. */
  readonly hold: Transaction | null
}

export function planReads(jobs: readonly Planned[], catalog: Catalog): ReadPlan {
  const plan: ReadPlan = {
    names: [],
    tokens: new Set(),
    holders: new Set(),
    countedHolders: new Set(),
    ids: new Set(),
    rememberedHolds: [],
    idsOfUnknown: new Set(),
    keys: [],
    days: [],
    originalKeys: [],
    originalDays: [],
    lotsOf: new Set(),
    lotsOfIds: new Set(),
    lotsOfKeys: [],
    lotsOfDays: [],
    organisations: new Set(),
    programsWithBudgets: programsWithBudgets(catalog),
    watermarksOf: new Set(),
    bills: [],
    openings: 0,
    newLots: 0,
  }
  for (const { command, need, holder, hold } of jobs) {
    if (command.day === null) plan.names.push(`key|${command.tenant}|${command.key}`)
    addKey(plan.keys, plan.days, command.key, command.day)
    addNeed(plan, need)
    switch (command.kind) {
      case 'authorize':
        planAuthorize(plan, command, catalog)
        break
      case 'inquire':
        plan.tokens.add(command.card)
        break
      case 'confirm':
        // In part it gives back, and needs the lots then.
        if (holder !== null) plan.holders.add(holder)
        if (hold === null || holder === null) planOriginal(plan, command, holder)
        else plan.rememberedHolds.push(hold)
        break
      case 'reverse':
      case 'refund':
        planOriginal(plan, command, holder)
        if (holder !== null) plan.countedHolders.add(holder)
        // A reverse after settlement books a refund.
        plan.openings += 1
        planWatermarks(plan, command, catalog)
        planLotsOf(plan, command)
        break
      case 'expire':
        addId(plan, command.id, null)
        plan.lotsOfIds.add(command.id)
        break
      case 'load':
        if (command.amount >= largeLoadMin) addLotsOf(plan, command.holder)
        else plan.holders.add(command.holder)
        plan.organisations.add(command.funder)
        plan.newLots += 1
        break
      case 'transfer':
        addLotsOf(plan, command.toHolder)
        addLotsOf(plan, command.holder)
        break
      case 'clawback':
      case 'adjust':
      case 'breakage':
        addLotsOf(plan, command.holder)
        break
      case 'deposit':
        plan.organisations.add(command.organisation)
        break
      case 'settle':
      case 'close':
        break
    }
  }
  return plan
}

function addKey(keys: string[], days: number[], key: string, day: number | null): void {
  for (const one of day === null ? [today, yesterday] : [day]) {
    keys.push(key)
    days.push(one)
  }
}

function addNeed(plan: ReadPlan, need: Need): void {
  for (const id of need.transactions ?? []) addId(plan, id, null)
  for (const merchant of need.watermarksOf ?? []) plan.watermarksOf.add(merchant)
  for (const holder of need.lotsOf ?? []) addLotsOf(plan, holder)
  for (const organisation of need.organisations ?? []) plan.organisations.add(organisation)
  plan.newLots += need.lots ?? 0
}

function addId(plan: ReadPlan, id: number, holder: number | null): void {
  plan.ids.add(id)
  if (holder === null) plan.idsOfUnknown.add(id)
}

function addLotsOf(plan: ReadPlan, holder: number): void {
  plan.lotsOf.add(holder)
  plan.countedHolders.add(holder)
}

/** Value that goes back may go to a lot that has expired since. */
function planLotsOf(plan: ReadPlan, { original }: Reverse | Refund): void {
  if (original.by === 'id') plan.lotsOfIds.add(original.id)
  if (original.by === 'key') addKey(plan.lotsOfKeys, plan.lotsOfDays, original.key, original.day)
}

const knownBudgets = new WeakMap<Catalog, readonly number[]>()

/** Programs that have, had or will have a limit of the organisation that funds them. */
export function programsWithBudgets(catalog: Catalog): readonly number[] {
  let limited = knownBudgets.get(catalog)
  if (limited === undefined) {
    limited = findBudgets(catalog)
    knownBudgets.set(catalog, limited)
  }
  return limited
}

function findBudgets({ programsById }: Catalog): number[] {
  const limited: number[] = []
  for (const { id, versions } of programsById.values()) {
    if (versions.some(({ terms }) => terms.limits.some(limit => limit.of === 'organisation'))) limited.push(id)
  }
  return limited
}

function planAuthorize(plan: ReadPlan, command: Authorize, catalog: Catalog): void {
  plan.tokens.add(command.card)
  plan.openings += 1
  const merchant = catalog.merchantsByCode.get(command.merchant)
  if (command.reference === null || merchant === undefined) return
  plan.names.push(billName(command.tenant, command.merchant, command.reference))
  plan.bills.push({ merchant: merchant.id, reference: command.reference })
}

function planOriginal(plan: ReadPlan, command: Confirm | Reverse | Refund, holder: number | null): void {
  const { original } = command
  if (original.by === 'id') addId(plan, original.id, holder)
  if (original.by === 'key') {
    if (original.day === null) plan.names.push(`key|${command.tenant}|${original.key}`)
    addKey(plan.keys, plan.days, original.key, original.day)
    addKey(plan.originalKeys, plan.originalDays, original.key, original.day)
  }
  if (original.by === 'reference') {
    plan.names.push(billName(command.tenant, original.merchant, original.reference))
    for (const id of original.ids ?? []) addId(plan, id, null)
  }
}

function planWatermarks(plan: ReadPlan, { merchants }: Reverse | Refund, catalog: Catalog): void {
  if (merchants === '*') return
  for (const code of merchants) {
    const merchant = catalog.merchantsByCode.get(code)
    if (merchant !== undefined) plan.watermarksOf.add(merchant.id)
  }
}

const billName = (tenant: number, merchant: string, reference: string): string =>
  `bill|${tenant}|${merchant}|${reference}`
