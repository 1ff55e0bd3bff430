import type { Catalog, Merchant, Program } from './catalog.ts'
import type { BasketLine } from './commands.ts'
import { availableOf, type Lot } from './ledger.ts'
import type { LocalTime } from './local-time.ts'
import { lesser } from './money.ts'
import type { Reason } from './reasons.ts'
import { refusalOfTerms, type Terms, termsAt } from './terms.ts'
import { type Counter, countersOf, type Usage, usedOf } from './usage.ts'

/** What is to be paid, where and when. */
export interface Purchase {
  readonly amount: bigint
  /** What welfare may pay for; null: all of it. */
  readonly eligibleAmount: bigint | null
  readonly basket: readonly BasketLine[] | null
  /** null: nowhere in particular, so that no rule of place counts. */
  readonly merchant: Merchant | null
  readonly local: LocalTime
}

/** What the limits have counted. `organisation` undefined: its counters are not known here, and are needed. */
export interface Counted {
  readonly holder: Usage
  organisation(id: number): Usage | undefined
}

/** What a purchase takes from one lot. */
export interface Share {
  readonly lot: Lot
  readonly amount: bigint
}

/** What became of one lot: how much was taken, and the rule why it was no more; null: there was no need for more. */
export interface SpendLine {
  readonly lot: Lot
  readonly taken: bigint
  readonly because: Reason | null
}

export interface Spend {
  readonly shares: readonly Share[]
  readonly total: bigint
  /** Every lot in the order of spending. */
  readonly lines: readonly SpendLine[]
}

/** A lot with the terms that hold for it, and why it may not pay here and now; null if it may. */
export interface Candidate {
  readonly lot: Lot
  readonly program: Program
  readonly terms: Terms
  readonly refusal: Reason | null
}

/**
 * The lots of the purchase's asset in the order in which they are spent: program priority, soonest expiry (none is
 * last), oldest load. Expiry is enforced here, in the spend itself.
 */
export function candidatesOf(lots: readonly Lot[], purchase: Purchase, catalog: Catalog): Candidate[] {
  const { merchant, local } = purchase
  const candidates: Candidate[] = []
  for (const lot of lots) {
    const program = catalog.programsById.get(lot.program)
    if (program === undefined || lot.asset !== catalog.tenant.currency.id) continue
    const terms = termsAt(program, local.at)
    candidates.push({ lot, program, terms, refusal: refusalOfLot(lot, program, terms, merchant, local) })
  }
  return candidates.length > 1 ? candidates.sort(inOrder) : candidates
}

function refusalOfLot(
  lot: Lot,
  program: Program,
  terms: Terms,
  merchant: Merchant | null,
  local: LocalTime,
): Reason | null {
  if (lot.expiresAt !== null && lot.expiresAt <= local.at) return 'credit_expired'
  if (lot.isFrozen) return 'account_frozen'
  if (program.isClosed) return 'program_not_allowed'
  return refusalOfTerms(terms, merchant, local)
}

function inOrder(one: Candidate, other: Candidate): number {
  if (one.terms.priority !== other.terms.priority) return one.terms.priority - other.terms.priority
  const expiry = one.lot.expiresAt ?? Number.POSITIVE_INFINITY
  const otherExpiry = other.lot.expiresAt ?? Number.POSITIVE_INFINITY
  if (expiry !== otherExpiry) return expiry < otherExpiry ? -1 : 1
  return one.lot.id - other.lot.id
}

/** Rules that are left out, to find out which of them a refusal is owed to. */
export type Without = 'nothing' | 'holds' | 'limits' | 'terms'

/**
 * Puts a purchase together from lots in their order, or as much of it as may be. Undefined: `counted` lacks counters
 * that are needed. Programs that pay alone or not at all do so if they are first, or if the others do not suffice.
 */
export function spend(
  candidates: readonly Candidate[],
  purchase: Purchase,
  counted: Counted,
  catalog: Catalog,
  without: Without = 'nothing',
): Spend | undefined {
  const loners = candidates.filter(({ terms, refusal }) => terms.fallback === 'none' && refusal === null)
  if (loners.length === 0 || without === 'terms') return take(candidates, purchase, counted, catalog, without)
  const only = (isMeant: (candidate: Candidate) => boolean): Spend | undefined =>
    take(
      candidates.map(one => (isMeant(one) ? one : { ...one, refusal: one.refusal ?? 'pays_alone_only' })),
      purchase,
      counted,
      catalog,
      without,
    )
  const alone = [...new Set(loners.map(({ program }) => program.id))]
  const leader = candidates.find(({ refusal }) => refusal === null)
  const together = only(({ terms }) => terms.fallback === 'onward')
  const leads = leader?.terms.fallback === 'none' ? only(({ program }) => program.id === leader.program.id) : together
  if (leads === undefined || leads.total >= purchase.amount) return leads
  for (const id of alone) {
    if (together === undefined || together.total >= purchase.amount) break
    const one = only(({ program }) => program.id === id)
    if (one === undefined || one.total >= purchase.amount) return one
  }
  return together
}

function take(
  candidates: readonly Candidate[],
  purchase: Purchase,
  counted: Counted,
  catalog: Catalog,
  without: Without,
): Spend | undefined {
  const rooms = new Rooms(purchase, counted, catalog)
  const shares: Share[] = []
  const lines: SpendLine[] = []
  let total = 0n
  for (const candidate of candidates) {
    const { lot } = candidate
    const left = purchase.amount - total
    const room = without === 'terms' ? { amount: left, because: null } : rooms.of(candidate, without === 'limits')
    if (room === undefined) return undefined
    const available = availableOf(without === 'holds' ? { ...lot, debitsPending: 0n } : lot)
    let taken = lesser(left, lesser(available, room.amount))
    if (taken < 0n) taken = 0n
    if (taken > 0n) {
      shares.push({ lot, amount: taken })
      total += taken
      rooms.take(candidate, taken)
    }
    const rule = available < room.amount || room.because === null ? reasonOfBalance(lot, left) : room.because
    lines.push({ lot, taken, because: taken < left ? rule : null })
  }
  return { shares, total, lines }
}

const reasonOfBalance = (lot: Lot, wanted: bigint): Reason =>
  availableOf({ ...lot, debitsPending: 0n }) >= wanted ? 'insufficient_funds_held' : 'insufficient_funds'

interface Room {
  readonly amount: bigint
  readonly because: Reason | null
}

/** What the rules leave to each program while a purchase is put together. */
class Rooms {
  readonly #purchase: Purchase
  readonly #counted: Counted
  readonly #catalog: Catalog
  /** What a program, or a counter, has taken in this purchase. */
  readonly #ofPrograms = new Map<number, bigint>()
  readonly #ofCounters = new Map<string, bigint>()
  readonly #counters = new Map<number, readonly Counter[]>()
  #welfare = 0n

  constructor(purchase: Purchase, counted: Counted, catalog: Catalog) {
    this.#purchase = purchase
    this.#counted = counted
    this.#catalog = catalog
  }

  /** The least that any rule leaves, and which rule that is. Undefined: counters of the funder are not known. */
  of({ lot, program, terms, refusal }: Candidate, withoutLimits: boolean): Room | undefined {
    if (refusal !== null) return { amount: 0n, because: refusal }
    const { amount, eligibleAmount } = this.#purchase
    const { minimum, maximum, sharePercent, goods } = terms.purchase
    if (minimum !== null && amount < minimum) return { amount: 0n, because: 'amount_below_minimum' }
    let room: Room = { amount, because: null }
    const narrow = (limit: bigint, because: Reason): void => {
      if (limit < room.amount) room = { amount: limit > 0n ? limit : 0n, because }
    }
    const paid = this.#ofPrograms.get(program.id) ?? 0n
    if (goods !== null) narrow(this.#eligibleGoods(goods) - paid, 'goods_not_eligible')
    else if (program.kind === 'welfare' && eligibleAmount !== null) {
      narrow(eligibleAmount - this.#welfare, 'goods_not_eligible')
    }
    if (maximum !== null) narrow(maximum - paid, 'amount_limit')
    if (sharePercent !== null) narrow((amount * BigInt(sharePercent)) / 100n - paid, 'share_limit')
    if (withoutLimits) return room
    for (const counter of this.#countersOf(program, terms)) {
      const isShared = counter.limit.of === 'organisation'
      const usage = isShared ? this.#counted.organisation(lot.funder) : this.#counted.holder
      if (usage === undefined) return undefined
      const used = usedOf(usage, counter)
      const taken = this.#ofCounters.get(nameOf(counter, lot)) ?? 0n
      const { limit } = counter
      if (limit.count !== null && used.count >= limit.count) narrow(0n, isShared ? 'budget_exhausted' : 'count_limit')
      if (limit.amount !== null) {
        narrow(limit.amount - used.amount - taken, isShared ? 'budget_exhausted' : 'amount_limit')
      }
    }
    return room
  }

  take({ lot, program, terms }: Candidate, amount: bigint): void {
    this.#ofPrograms.set(program.id, (this.#ofPrograms.get(program.id) ?? 0n) + amount)
    if (program.kind === 'welfare') this.#welfare += amount
    for (const counter of this.#countersOf(program, terms)) {
      const name = nameOf(counter, lot)
      this.#ofCounters.set(name, (this.#ofCounters.get(name) ?? 0n) + amount)
    }
  }

  #countersOf(program: Program, terms: Terms): readonly Counter[] {
    if (terms.limits.length === 0) return []
    let counters = this.#counters.get(program.id)
    if (counters === undefined) {
      const { merchant, local } = this.#purchase
      counters = countersOf(terms.limits, program.id, merchant?.id ?? 0, local, this.#catalog)
      this.#counters.set(program.id, counters)
    }
    return counters
  }

  /** What the basket has of these goods; without a basket, what the request calls eligible. */
  #eligibleGoods(goods: readonly string[]): bigint {
    const { basket, eligibleAmount } = this.#purchase
    if (basket === null) return eligibleAmount ?? 0n
    return basket.reduce((sum, line) => (goods.includes(line.goods) ? sum + line.amount : sum), 0n)
  }
}

const nameOf = ({ id, limit }: Counter, { funder }: Lot): string =>
  limit.of === 'organisation' ? `${id}/${funder}` : String(id)

/** Why a purchase that is not covered is refused: the rule without which it would have been. */
export function reasonOfShortfall(
  candidates: readonly Candidate[],
  purchase: Purchase,
  counted: Counted,
  catalog: Catalog,
): Reason {
  const covered = (without: Without): boolean =>
    (spend(candidates, purchase, counted, catalog, without)?.total ?? 0n) >= purchase.amount
  if (covered('limits')) {
    const lines = spend(candidates, purchase, counted, catalog)?.lines ?? []
    const rule = lines.find(({ because }) => because !== null && limitReasons.has(because))
    return rule?.because ?? 'amount_limit'
  }
  if (covered('holds')) return 'insufficient_funds_held'
  const rules = spend(candidates, purchase, counted, catalog)?.lines.map(({ because }) => because) ?? []
  const termsRule = rules.find(rule => rule !== null && !balanceReasons.has(rule)) ?? null
  if (termsRule !== null && covered('terms')) return termsRule
  if (candidates.some(({ refusal }) => refusal === null)) return 'insufficient_funds'
  // Nothing on the card may be spent here at all, however much there is.
  const refusals = candidates.map(({ refusal }) => refusal)
  return refusals.find(refusal => refusal !== 'credit_expired') ?? refusals[0] ?? 'program_not_allowed'
}

const limitReasons: ReadonlySet<Reason> = new Set(['amount_limit', 'count_limit', 'budget_exhausted'])
const balanceReasons: ReadonlySet<Reason> = new Set(['insufficient_funds', 'insufficient_funds_held', 'credit_expired'])
