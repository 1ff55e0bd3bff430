import { panTable } from './iso-frames.ts'
import type { LoadSpec } from './messages.ts'
import type { LoadRecorder } from './recorder.ts'
import { type Answer, TerminalLine } from './terminal-line.ts'

export const isoTimes = ['authorize', 'confirm'] as const
export type IsoTime = (typeof isoTimes)[number]

/** A load that runs until it is told to finish. */
export interface RunningLoad {
  /** Starts no new transaction and waits for those under way. Answers how many got no answer in that time. */
  finish(waitMaxMs: number): Promise<number>
}

const amountMax = 500_000

/** Rials, uniform from 1,000 to half a million in steps of 1,000. */
export const someAmount = (): number => 1_000 * (1 + Math.floor((Math.random() * amountMax) / 1_000))

/**
 * Closed loop: so many transactions at once, each an authorize and, when it is approved, its confirm; then the next,
 * with another card. Resolves when all connections are open.
 */
export async function startIsoLoad(
  { port, connections, inFlight, cards }: Extract<LoadSpec, { kind: 'iso' }>,
  recorder: LoadRecorder<IsoTime>,
): Promise<RunningLoad> {
  const pans = panTable(cards)
  let isFinishing = false

  const begin = (line: TerminalLine, slot: number, now: number): void => {
    if (isFinishing) return
    line.startedAt[slot] = now
    line.authorize(slot, Math.floor(Math.random() * cards), someAmount())
  }
  const onAnswer = (line: TerminalLine, { slot, step, isApproved, code }: Answer): void => {
    const now = performance.now()
    recorder.answered(step, now - line.startedAt[slot]!)
    if (!isApproved) recorder.failed(`${step} ${code}`)
    if (step === 'authorize' && isApproved) {
      line.startedAt[slot] = now
      line.confirm(slot)
      return
    }
    if (isApproved) recorder.completed()
    begin(line, slot, now)
  }
  const onLost = (line: TerminalLine, error: string): void => {
    recorder.failed(error, Math.max(1, line.waiting))
  }

  const lines = Array.from({ length: connections }, (_, index) => {
    const slots = Math.floor(inFlight / connections) + (index < inFlight % connections ? 1 : 0)
    return new TerminalLine({ port, terminal: index, slots, pans, onAnswer, onLost })
  })
  await Promise.all(lines.map(line => line.opened()))
  const now = performance.now()
  for (const line of lines) for (let slot = 0; slot < line.slots; slot++) begin(line, slot, now)
  return {
    finish: waitMaxMs => {
      isFinishing = true
      return drain(lines, waitMaxMs)
    },
  }
}

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
