import type { TerminalLine } from './terminal-line.ts'

/** A load that runs until it is told to finish. */
export interface RunningLoad {
  /** Starts no new transaction and waits for those under way. Answers how many requests got no answer in that time. */
  finish(waitMaxMs: number): Promise<number>
}

const amountMax = 500_000

/** Rials, uniform from 1,000 to half a million in steps of 1,000. */
export const someAmount = (): number => 1_000 * (1 + Math.floor((Math.random() * amountMax) / 1_000))

/** Index of a card, uniform. */
export const someCard = (cards: number): number => Math.floor(Math.random() * cards)

const lookEveryMs = 5

/** Waits until nothing is under way on these lines, then closes them. Answers how much still was. */
export async function drain(lines: readonly TerminalLine[], waitMaxMs: number): Promise<number> {
  const giveUpAt = performance.now() + waitMaxMs
  const waiting = (): number => lines.reduce((sum, line) => sum + line.waiting, 0)
  while (waiting() > 0 && performance.now() < giveUpAt) await new Promise(resolve => setTimeout(resolve, lookEveryMs))
  const unanswered = waiting()
  for (const line of lines) line.close()
  return unanswered
}
