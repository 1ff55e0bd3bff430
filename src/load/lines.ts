import type { Step } from './recorder.ts'

/** An answer to what was last sent in this slot. */
export interface Answer {
  readonly slot: number
  readonly step: Step
  readonly isApproved: boolean
  /** DE39, or the HTTP status and the reason. */
  readonly code: string
}

/** A connection as a load generator has it: each slot has one transaction, of which one request is under way. */
export interface Line {
  readonly slots: number
  /** Slots that wait for an answer. */
  readonly waiting: number
  /** Whether it can still be used. */
  readonly isLost: boolean
  opened(): Promise<void>
  /** `card`: its index. `amount`: minor units, below 2^31. */
  authorize(slot: number, card: number, amount: number): void
  /** Confirms what the slot has authorized, for the same amount. */
  confirm(slot: number): void
  /** Reverses what the slot has authorized, wholly. */
  reverse(slot: number): void
  close(): void
}

export interface LineEvents {
  onAnswer(line: Line, answer: Answer): void
  /** Called once, also where it never opened. `waiting`: requests that were lost with it. */
  onLost(line: Line, error: string, waiting: number): void
}

const lookEveryMs = 5

/** Waits until nothing is under way on these lines, then closes them. Answers how much still was. */
export async function drain(lines: readonly Line[], waitMaxMs: number): Promise<number> {
  const giveUpAt = performance.now() + waitMaxMs
  const waiting = (): number => lines.reduce((sum, line) => sum + line.waiting, 0)
  while (waiting() > 0 && performance.now() < giveUpAt) await new Promise(resolve => setTimeout(resolve, lookEveryMs))
  const unanswered = waiting()
  for (const line of lines) line.close()
  return unanswered
}
