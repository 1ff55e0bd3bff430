import type { BasketLine } from './commands.ts'
import { lesser } from './money.ts'
import type { Reason } from './reasons.ts'
import type { Candidate, Counted, Purchase, Share, Without } from './spend.ts'
import type { Limit } from './terms.ts'
import { usedOf } from './usage.ts'

/** The most that the rules let a lot pay, and the rule that says so; null: none does. */
interface Room {
  readonly amount: bigint
  readonly because: Reason | null
}

/**
 * What the rules leave to a lot of a purchase that others have paid `shares` of. Undefined: `counted` lacks counters
 * that are needed.
 */
export function roomOf(
  candidate: Candidate,
  shares: readonly Share[],
  purchase: Purchase,
  counted: Counted,
  without: Without,
): Room | undefined {
  const { lot, terms, counters, refusal } = candidate
  const { amount } = purchase
  // Nothing brings credit back that has expired.
  if (refusal !== null && (without !== 'terms' || refusal === 'credit_expired')) return { amount: 0n, because: refusal }
  if (without === 'terms') return { amount, because: null }
  const { minimum, maximum, sharePercent } = terms.purchase
  if (minimum !== null && amount < minimum) return { amount: 0n, because: 'amount_below_minimum' }

  let room: Room = { amount, because: null }
  const eligible = eligibleFor(candidate, shares, purchase)
  if (eligible !== null) room = narrowed(room, eligible, 'goods_not_eligible')
  const paid = paidWithin('account', candidate, shares)
  if (maximum !== null) room = narrowed(room, maximum - paid, 'amount_limit')
  // Floor: the remainder is for others to pay.
  if (sharePercent !== null) room = narrowed(room, (amount * BigInt(sharePercent)) / 100n - paid, 'share_limit')
  if (without === 'limits') return room

  for (const counter of counters) {
    const { of, amount: amountMax, count: countMax } = counter.limit
    const isShared = of === 'organisation'
    const usage = isShared ? counted.organisation(lot.funder) : counted.holder
    if (usage === undefined) return undefined
    const used = usedOf(usage, counter)
    if (countMax !== null && used.count >= countMax) {
      room = narrowed(room, 0n, isShared ? 'budget_exhausted' : 'count_limit')
    }
    if (amountMax === null) continue
    const left = amountMax - used.amount - paidWithin(of, candidate, shares)
    room = narrowed(room, left, isShared ? 'budget_exhausted' : 'amount_limit')
  }
  return room
}

const narrowed = (room: Room, limit: bigint, because: Reason): Room =>
  limit < room.amount ? { amount: limit > 0n ? limit : 0n, because } : room

/** What shares have paid that a limit of this scope counts together with the candidate. */
function paidWithin(of: Limit['of'], { program, lot }: Candidate, shares: readonly Share[]): bigint {
  let sum = 0n
  for (const { candidate, amount } of shares) {
    if (of !== 'holder' && candidate.program.id !== program.id) continue
    if (of === 'organisation' && candidate.lot.funder !== lot.funder) continue
    sum += amount
  }
  return sum
}

/** What there is for a program to pay for in the basket, beside what is paid for already; null: everything. */
function eligibleFor({ program, terms }: Candidate, shares: readonly Share[], purchase: Purchase): bigint | null {
  const { basket, eligibleAmount } = purchase
  const { goods } = terms.purchase
  if (goods !== null && basket !== null) {
    const left = unpaidLines(basket, shares).filter(line => goods.includes(line.goods))
    return left.reduce((sum, line) => sum + line.amount, 0n)
  }
  if (goods === null && (program.kind !== 'welfare' || eligibleAmount === null)) return null
  const paid = shares.reduce((sum, { candidate, amount }) => (isForEligible(candidate) ? sum + amount : sum), 0n)
  return (eligibleAmount ?? 0n) - paid
}

const isForEligible = ({ program, terms }: Candidate): boolean =>
  program.kind === 'welfare' || terms.purchase.goods !== null

/** The basket without what programs for certain goods have paid for: each takes the first lines that are for it. */
function unpaidLines(basket: readonly BasketLine[], shares: readonly Share[]): BasketLine[] {
  let lines = [...basket]
  for (const { candidate, amount } of shares) {
    const { goods } = candidate.terms.purchase
    if (goods === null) continue
    let left = amount
    lines = lines.map(line => {
      if (!goods.includes(line.goods)) return line
      const part = lesser(line.amount, left)
      left -= part
      return { ...line, amount: line.amount - part }
    })
  }
  return lines
}
