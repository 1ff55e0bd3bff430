import type { BasketLine } from './commands.ts'
import { lesser } from './money.ts'
import type { Reason } from './reasons.ts'
import type { Candidate, Counted, Purchase, Share, Without } from './spend.ts'
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
  const { lot, program, terms, counters, refusal } = candidate
  const { amount } = purchase
  // Nothing brings credit back that has expired.
  if (refusal !== null && (without !== 'terms' || refusal === 'credit_expired')) return { amount: 0n, because: refusal }
  if (without === 'terms') return { amount, because: null }
  const { minimum, maximum, sharePercent } = terms.purchase
  if (minimum !== null && amount < minimum) return { amount: 0n, because: 'amount_below_minimum' }

  let room: Room = { amount, because: null }
  const narrow = (limit: bigint, because: Reason): void => {
    if (limit < room.amount) room = { amount: limit > 0n ? limit : 0n, because }
  }
  const eligible = eligibleFor(candidate, shares, purchase)
  if (eligible !== null) narrow(eligible, 'goods_not_eligible')
  const ofProgram = (share: Share): boolean => share.candidate.program.id === program.id
  if (maximum !== null) narrow(maximum - paid(shares, ofProgram), 'amount_limit')
  // Floor: the remainder is for others to pay.
  if (sharePercent !== null) narrow((amount * BigInt(sharePercent)) / 100n - paid(shares, ofProgram), 'share_limit')
  if (without === 'limits') return room

  for (const counter of counters) {
    const { of, amount: amountMax, count: countMax } = counter.limit
    const isShared = of === 'organisation'
    const usage = isShared ? counted.organisation(lot.funder) : counted.holder
    if (usage === undefined) return undefined
    const used = usedOf(usage, counter)
    if (countMax !== null && used.count >= countMax) narrow(0n, isShared ? 'budget_exhausted' : 'count_limit')
    if (amountMax === null) continue
    const counts = (share: Share): boolean =>
      of === 'holder' || (ofProgram(share) && (!isShared || share.candidate.lot.funder === lot.funder))
    narrow(amountMax - used.amount - paid(shares, counts), isShared ? 'budget_exhausted' : 'amount_limit')
  }
  return room
}

const paid = (shares: readonly Share[], counts: (share: Share) => boolean): bigint =>
  shares.reduce((sum, share) => (counts(share) ? sum + share.amount : sum), 0n)

/** What there is for a program to pay for in the basket, beside what is paid for already; null: everything. */
function eligibleFor({ program, terms }: Candidate, shares: readonly Share[], purchase: Purchase): bigint | null {
  const { basket, eligibleAmount } = purchase
  const { goods } = terms.purchase
  if (goods !== null && basket !== null) {
    const left = unpaidLines(basket, shares).filter(line => goods.includes(line.goods))
    return left.reduce((sum, line) => sum + line.amount, 0n)
  }
  if (goods === null && (program.kind !== 'welfare' || eligibleAmount === null)) return null
  return (eligibleAmount ?? 0n) - paid(shares, ({ candidate }) => isForEligible(candidate))
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
