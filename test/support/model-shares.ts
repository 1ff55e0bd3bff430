import type { Buy, Deal, ModelLot, ModelTerminal, Share } from './model-types.ts'

const weekSeconds = 7 * 86_400

export const least = (...amounts: bigint[]): bigint => amounts.reduce((one, other) => (one < other ? one : other))

export const worthOf = (deal: Deal): bigint => sumOf(deal.shares)
export const freeOf = (lot: ModelLot): bigint => lot.loaded + lot.limit - lot.spent - lot.held

/** The lots of a holder that may be spent from at this time, in the order in which they are. */
export function spendOrder(lots: readonly ModelLot[], holder: number, at: number): ModelLot[] {
  const rank = ({ priority, expiresAt, id }: ModelLot): number[] => [priority, expiresAt ?? Infinity, id]
  return lots
    .filter(lot => lot.holder === holder && lot.spendable && (lot.expiresAt === null || at < lot.expiresAt))
    .sort((one, other) => {
      const ranks = rank(other)
      const place = rank(one).findIndex((value, index) => value !== ranks[index])
      return place < 0 ? 0 : (rank(one)[place] as number) < (ranks[place] as number) ? -1 : 1
    })
}

/** What each lot gives towards `amount`, welfare no more than `forWelfare` in all. */
export function divide(
  lots: readonly ModelLot[],
  amount: bigint,
  forWelfare: bigint,
  has: (lot: ModelLot) => bigint,
): Share[] {
  const shares: Share[] = []
  let [left, welfareLeft] = [amount, forWelfare]
  for (const lot of lots) {
    const part = lot.isWelfare ? least(has(lot), left, welfareLeft) : least(has(lot), left)
    if (part <= 0n) continue
    left -= part
    if (lot.isWelfare) welfareLeft -= part
    shares.push({ lot, amount: part })
  }
  return shares
}

export const sumOf = (shares: readonly Share[]): bigint => shares.reduce((sum, { amount }) => sum + amount, 0n)

/** What comes off each share when it goes back from the lots that were spent last. */
export function lastFirst(shares: readonly Share[], amount: bigint): (readonly [Share, bigint])[] {
  let left = amount
  return shares.toReversed().map(share => {
    const part = least(share.amount, left)
    left -= part
    return [share, part] as const
  })
}

/** How long what was reserved may be confirmed. */
export function holdSeconds(command: Buy, shares: readonly Share[], terminal: ModelTerminal): number {
  if (command.confirmWithinSeconds !== null) return command.confirmWithinSeconds
  if (command.purpose === 'preauthorization') return weekSeconds
  if (terminal.confirmWithinSeconds !== null) return terminal.confirmWithinSeconds
  const ofPrograms = shares.flatMap(({ lot }) => lot.confirmWithinSeconds ?? [])
  if (ofPrograms.length > 0) return ofPrograms.reduce((one, other) => (one < other ? one : other))
  return command.channel === 'terminal' ? 86_400 : 900
}
