import type { Catalog, Merchant, Program } from './catalog.ts'
import type { BasketLine } from './commands.ts'
import { availableOf, isExpired, type Lot } from './ledger.ts'
import type { LocalTime } from './local-time.ts'
import { lesser } from './money.ts'
import type { Reason } from './reasons.ts'
import { roomOf } from './rooms.ts'
import { refusalOfTerms, type Terms, termsAt } from './terms.ts'
import { type Counter, countersOf, type Usage } from './usage.ts'

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

/** A lot with the rules that hold for it, and why it may not pay here and now; null if it may. */
export interface Candidate {
  readonly lot: Lot
  readonly program: Program
  readonly terms: Terms
  /** Of the limits of its program. */
  readonly counters: readonly Counter[]
  readonly refusal: Reason | null
}

/** What a purchase takes from one lot. */
export interface Share {
  readonly candidate: Candidate
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

/** Rules that are left out, to find out which of them a refusal is owed to. */
export type Without = 'nothing' | 'holds' | 'limits' | 'terms'

/**
 * Whether a holder has credit in a program that this switch does not know yet: another has made it a moment ago. A
 * refusal without it would be stored for good.
 */
export const isCatalogBehind = (lots: readonly Lot[], { programsById }: Catalog): boolean =>
  lots.some(({ program }) => !programsById.has(program))

/**
 * The lots of the purchase's asset in the order in which they are spent: program priority, soonest expiry (none is
 * last), oldest load. Expiry is enforced here, in the spend itself.
 */
export function candidatesOf(lots: readonly Lot[], purchase: Purchase, catalog: Catalog): Candidate[] {
  const { merchant, local } = purchase
  const candidates: Candidate[] = []
  let isInOrder = true
  for (const lot of lots) {
    if (lot.asset !== catalog.tenant.currency.id) continue
    const program = catalog.programsById.get(lot.program)
    if (program === undefined) continue
    const terms = termsAt(program, local.at)
    const counters = countersOf(terms.limits, program.id, merchant?.id ?? 0, local, catalog)
    const refusal = refusalOfLot(lot, program, terms, merchant, local)
    const candidate = { lot, program, terms, counters, refusal }
    const last = candidates.at(-1)
    isInOrder &&= last === undefined || inOrder(last, candidate) < 0
    candidates.push(candidate)
  }
  return isInOrder ? candidates : candidates.sort(inOrder)
}

function refusalOfLot(
  lot: Lot,
  program: Program,
  terms: Terms,
  merchant: Merchant | null,
  local: LocalTime,
): Reason | null {
  if (isExpired(lot, local.at)) return 'credit_expired'
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

const paysAlone = ({ terms, refusal }: Candidate): boolean => terms.fallback === 'none' && refusal === null

/**
 * Puts a purchase together from lots in their order, or as much of it as may be. Undefined: `counted` lacks counters
 * that are needed. A program that pays alone or not at all does so if it is first, or if all that pay together do not
 * suffice.
 */
export function spend(
  candidates: readonly Candidate[],
  purchase: Purchase,
  counted: Counted,
  without: Without = 'nothing',
): Spend | undefined {
  if (without === 'terms' || !candidates.some(paysAlone)) return spendInOrder(candidates, purchase, counted, without)
  const loners = candidates.filter(paysAlone).map(({ program }) => program.id)
  const first = candidates.find(({ refusal }) => refusal === null)?.program.id
  // Null: all that pay together.
  const attempts = new Set([...(first !== undefined && loners.includes(first) ? [first] : []), null, ...loners])
  let together: Spend | undefined
  for (const only of attempts) {
    const meant = candidates.map(one => {
      const isMeant = only === null ? one.terms.fallback === 'onward' : one.program.id === only
      return isMeant || one.refusal !== null ? one : { ...one, refusal: 'pays_alone_only' as const }
    })
    const found = spendInOrder(meant, purchase, counted, without)
    if (found === undefined || found.total >= purchase.amount) return found
    if (only === null) together = found
  }
  return together
}

/** Takes what each lot may give, one after the other, whether or not a program pays alone only. */
export function spendInOrder(
  candidates: readonly Candidate[],
  purchase: Purchase,
  counted: Counted,
  without: Without,
): Spend | undefined {
  const shares: Share[] = []
  const lines: SpendLine[] = []
  let left = purchase.amount
  for (const candidate of candidates) {
    const { lot } = candidate
    if (left === 0n) {
      lines.push({ lot, taken: 0n, because: null })
      continue
    }
    const room = roomOf(candidate, shares, purchase, counted, without)
    if (room === undefined) return undefined
    const available = availableOf(lot) + (without === 'holds' ? lot.debitsPending : 0n)
    const taken = lesser(left, lesser(available, room.amount))
    const rule = room.because === null || available < room.amount ? reasonOfBalance(lot, left) : room.because
    lines.push({ lot, taken: taken > 0n ? taken : 0n, because: taken < left ? rule : null })
    if (taken <= 0n) continue
    shares.push({ candidate, amount: taken })
    left -= taken
  }
  return { shares, total: purchase.amount - left, lines }
}

const reasonOfBalance = (lot: Lot, wanted: bigint): Reason =>
  availableOf(lot) + lot.debitsPending >= wanted ? 'insufficient_funds_held' : 'insufficient_funds'

/** Why less than `enough` of a purchase can be paid: the rule without which it could be. */
export function reasonOfShortfall(
  candidates: readonly Candidate[],
  purchase: Purchase,
  counted: Counted,
  enough: bigint,
): Reason {
  const isCovered = (without: Without): boolean =>
    (spend(candidates, purchase, counted, without)?.total ?? 0n) >= enough
  // A lot with nothing on it could not have paid, whatever its rules are.
  const lines = spend(candidates, purchase, counted)?.lines ?? []
  const rules = lines.flatMap(({ lot, because }) => (availableOf(lot) > 0n ? (because ?? []) : []))
  if (isCovered('limits')) return rules.find(rule => limitReasons.has(rule)) ?? 'amount_limit'
  if (isCovered('holds')) return 'insufficient_funds_held'
  const rule = rules.find(one => !balanceReasons.has(one))
  if (rule !== undefined && isCovered('terms')) return rule
  if (candidates.some(({ refusal }) => refusal === null)) return 'insufficient_funds'
  // Nothing on the card may be spent here at all, however much there is.
  const filled = candidates.filter(({ lot }) => availableOf(lot) > 0n)
  const refusals = (filled.length > 0 ? filled : candidates).flatMap(({ refusal }) => refusal ?? [])
  return refusals.find(refusal => refusal !== 'credit_expired') ?? refusals[0] ?? 'program_not_allowed'
}

const limitReasons: ReadonlySet<Reason> = new Set(['amount_limit', 'count_limit', 'budget_exhausted'])
const balanceReasons: ReadonlySet<Reason> = new Set(['insufficient_funds', 'insufficient_funds_held', 'credit_expired'])
