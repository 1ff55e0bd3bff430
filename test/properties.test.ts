import fc from 'fast-check'
import { describe, test } from 'vitest'
import type { Command } from '../src/core/commands.ts'
import type { Outcome } from '../src/core/decision.ts'
import type { Lot } from '../src/core/ledger.ts'
import { card, cardToken, catalog, lot, programIds, second, startOfTime } from './support/core.ts'
import { MemoryLedger } from './support/memory-ledger.ts'
import { type Exchange, Referee, worldOf } from './support/referee.ts'
import { Script, type Stage, type Step, stepOf } from './support/script.ts'

const { welfare, gift } = programIds

const lots: readonly Lot[] = [
  lot(11, 1, 60n, { program: welfare, funder: 2, expiresAt: startOfTime + 900 * second }),
  lot(12, 1, 100n),
  lot(13, 1, 40n, { program: gift }),
  lot(14, 1, 500n, { asset: 2 }),
  lot(15, 1, 40n, { program: welfare, funder: 2 }),
  lot(21, 2, 0n, { limit: 150n }),
  lot(31, 3, 100n),
  lot(41, 4, 100n),
]
const cards = [
  card(1),
  card(2),
  card(3, { status: 'blocked' }),
  card(4, { expiresAt: startOfTime + 200 * second }),
  card(5, { holder: 1 }),
  card(6),
]
const stage: Stage = {
  catalog,
  tokens: [1, 2, 3, 4, 5, 6, 7, ...Array.from({ length: 8 }, () => [1, 2, 1, 5]).flat()].map(cardToken),
  lots: [lots[1], lots[5], lots[0]].map(one => ({ id: one?.id ?? 0, holder: one?.holder ?? 0 })),
  places: [
    ...Array.from(
      { length: 8 },
      () =>
        [
          ['M1', 'T1'],
          ['M2', 'T3'],
          ['M1', 'T2'],
          ['M1', 'T4'],
        ] as const,
    ).flat(),
    ['M1', 'T1'],
    ['M2', 'T1'],
    ['M1', 'T9'],
    ['M9', 'T1'],
  ],
  prefix: 321_123_000,
}
const step = stepOf({ cards: stage.tokens.length, lots: stage.lots.length, amountMax: 90n, passes: true })
const run = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
  sizes: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 }),
})

/** Plays a run in batches of these sizes; each must be answered as the model answers it. */
function play(steps: readonly Step[], sizes: readonly number[]): void {
  const ledger = new MemoryLedger({ cards, lots })
  const referee = new Referee(worldOf(catalog, cards, lots))
  const script = new Script(stage)
  let gathered: Command[] = []
  let batches = 0
  const send = (): void => {
    const outcomes = ledger.submit(gathered)
    const exchanges = gathered.map((command, index): Exchange => [command, outcomes[index] as Outcome])
    for (const [command, outcome] of exchanges) {
      script.note(command, outcome.kind === 'decided' ? outcome.decision.transaction : null)
    }
    gathered = []
    batches += 1
    referee.check(exchanges)
  }
  for (const one of steps) {
    if (one.kind === 'close' || one.kind === 'pass') {
      if (gathered.length > 0) send()
      if (one.kind === 'pass') ledger.at += one.seconds * second
      if (one.kind === 'close') {
        const merchant = one.merchant === 0 ? 'M1' : 'M2'
        ledger.settle(merchant)
        referee.model.close(merchant, ledger.batch)
      }
      continue
    }
    gathered.push(...script.commandsOf(one, ledger.at))
    if (gathered.length >= (sizes[batches % sizes.length] ?? 1)) send()
  }
  if (gathered.length > 0) send()
  referee.checkBooks(ledger.lots.values(), ledger.decisions.values(), catalog, lots)
}

describe('the core against the model', () => {
  test('every command of a random run is answered alike, whatever its batches', () => {
    fc.assert(
      fc.property(run, ({ steps, sizes }) => play(steps, sizes)),
      { numRuns: 2500 },
    )
  })
})
