import { panTable } from './iso-frames.ts'
import type { LoadSpec } from './messages.ts'
import type { LoadRecorder } from './recorder.ts'
import { drain, type RunningLoad, someAmount, someCard } from './running.ts'
import { type Answer, TerminalLine } from './terminal-line.ts'

/**
 * Closed loop: so many transactions at once, each an authorize and, when it is approved, its confirm; then the next,
 * with another card. Resolves when all connections are open.
 */
export async function startIsoLoad(
  { port, connections, inFlight, cards }: Extract<LoadSpec, { kind: 'iso' }>,
  recorder: LoadRecorder,
): Promise<RunningLoad> {
  const pans = panTable(cards)
  let isFinishing = false

  const begin = (line: TerminalLine, slot: number, now: number): void => {
    if (isFinishing) return
    line.transactionBegunAt[slot] = now
    line.stepBegunAt[slot] = now
    line.authorize(slot, someCard(cards), someAmount())
  }
  const onAnswer = (line: TerminalLine, { slot, step, code }: Answer): void => {
    const now = performance.now()
    recorder.answered(step, line.stepBegunAt[slot]!, now)
    if (code !== '00') recorder.failed(`${step} ${code}`)
    else if (step === 'confirm') recorder.completed(line.transactionBegunAt[slot]!, now)
    else {
      line.stepBegunAt[slot] = now
      line.confirm(slot)
      return
    }
    begin(line, slot, now)
  }
  const onLost = (line: TerminalLine, error: string): void => recorder.failed(error, Math.max(1, line.waiting))

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
