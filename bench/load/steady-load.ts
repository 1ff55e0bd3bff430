import { panTable } from './iso-frames.ts'
import type { LoadSpec } from './messages.ts'
import type { LoadRecorder } from './recorder.ts'
import { drain, type RunningLoad, someAmount, someCard } from './running.ts'
import { type Answer, TerminalLine } from './terminal-line.ts'

interface Place {
  readonly line: TerminalLine
  readonly slot: number
}

/** The most that the switch takes unanswered on one connection. */
const slotsPerLine = 256

/**
 * Open loop: a transaction is due every 1 / `rate` seconds, whether or not those before it have been answered, and its
 * latency begins when it is due: a switch that stalls is not spared the requests of that time (coordinated omission).
 */
export async function startSteadyLoad(
  { port, connections, rate, cards }: Extract<LoadSpec, { kind: 'steady' }>,
  recorder: LoadRecorder,
): Promise<RunningLoad> {
  const pans = panTable(cards)
  const intervalMs = 1000 / rate
  /** Slots without a transaction: the one that was left first is taken first, so that all connections are used. */
  const free = new Set<Place>()

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
    free.add(places.get(line)![slot]!)
  }
  const onLost = (line: TerminalLine, error: string): void => recorder.failed(error, Math.max(1, line.waiting))

  const lines = Array.from(
    { length: connections },
    (_, terminal) => new TerminalLine({ port, terminal, slots: slotsPerLine, pans, onAnswer, onLost }),
  )
  await Promise.all(lines.map(line => line.opened()))
  const places = new Map(lines.map(line => [line, Array.from({ length: slotsPerLine }, (_, slot) => ({ line, slot }))]))
  for (let slot = 0; slot < slotsPerLine; slot++) for (const line of lines) free.add(places.get(line)![slot]!)

  const firstAt = performance.now() + intervalMs
  let begun = 0
  let timer: NodeJS.Timeout | undefined
  const beginDue = (): void => {
    const now = performance.now()
    for (; firstAt + begun * intervalMs <= now; begun++) {
      const [place] = free
      // With none free what is due waits, and its latency grows.
      if (place === undefined) break
      free.delete(place)
      const { line, slot } = place
      const dueAt = firstAt + begun * intervalMs
      recorder.late(dueAt, now)
      line.transactionBegunAt[slot] = dueAt
      line.stepBegunAt[slot] = dueAt
      line.authorize(slot, someCard(cards), someAmount())
    }
    timer = setTimeout(beginDue, firstAt + begun * intervalMs - now)
  }
  beginDue()
  return {
    finish: waitMaxMs => {
      clearTimeout(timer)
      return drain(lines, waitMaxMs)
    },
  }
}
