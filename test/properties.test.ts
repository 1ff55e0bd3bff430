import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Catalog } from '../src/core/catalog.ts'
import type { Command } from '../src/core/commands.ts'
import type { Outcome } from '../src/core/decision.ts'
import { isLot, type Lot } from '../src/core/ledger.ts'
import type { Decision, Transaction } from '../src/core/transactions.ts'
import type { Engine } from '../src/engine/engine.ts'
import { laneLimits } from '../src/engine/lane.ts'
import { nowMicros } from '../src/ops/clock.ts'
import { readCatalogs } from '../src/store/catalog.ts'
import { card, cardToken, catalog, lot, programIds, second, startOfTime } from './support/core.ts'
import { closeSettlement, readDecisions, readLots } from './support/database-ledger.ts'
import { MemoryLedger } from './support/memory-ledger.ts'
import { type Exchange, Referee, worldOf } from './support/referee.ts'
import { Script, type Stage, type Step, stepOf } from './support/script.ts'
import { startLedger, type TestLedger, tokenOf } from './support/switch.ts'

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
  isConcurrent: false,
}
/** Where a run is played. */
interface Table {
  readonly stage: Stage
  readonly referee: Referee
  submit(commands: readonly Command[]): Promise<Outcome[]> | Outcome[]
  /** Closes a settlement of merchant 0 or 1: its code, and up to which batch. */
  close(merchant: number): Promise<readonly [string, number]> | readonly [string, number]
  pass(seconds: number): void
  now(): number
}

/** Plays a run, so many commands at a time; each must be answered as the model answers it. */
async function play(steps: readonly Step[], sizes: readonly number[], table: Table): Promise<void> {
  const script = new Script(table.stage)
  let gathered: Command[] = []
  let sent = 0
  const send = async (): Promise<void> => {
    const outcomes = await table.submit(gathered)
    const exchanges = gathered.map((command, index): Exchange => [command, outcomes[index] as Outcome])
    for (const [command, outcome] of exchanges) {
      script.note(command, outcome.kind === 'decided' ? outcome.decision.transaction : null)
    }
    gathered = []
    sent += 1
    table.referee.check(exchanges)
  }
  for (const step of steps) {
    if (step.kind === 'close' || step.kind === 'pass') {
      if (gathered.length > 0) await send()
      if (step.kind === 'pass') table.pass(step.seconds)
      else table.referee.model.close(...(await table.close(step.merchant)))
      continue
    }
    gathered.push(...script.commandsOf(step, table.now()))
    if (gathered.length >= (sizes[sent % sizes.length] ?? 1)) await send()
  }
  if (gathered.length > 0) await send()
}

const runsOf = (step: fc.Arbitrary<Step>, { stepsMax, sizeMax }: { stepsMax: number; sizeMax: number }) =>
  fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: stepsMax, size: 'max' }),
    sizes: fc.array(fc.integer({ min: 1, max: sizeMax }), { minLength: 1, maxLength: 6 }),
  })

describe('the core, in memory', () => {
  const step = stepOf({ cards: stage.tokens.length, lots: stage.lots.length, amountMax: 90n, passes: true })

  test('answers every command of a random run as the model does, whatever its batches', async () => {
    const property = fc.asyncProperty(runsOf(step, { stepsMax: 60, sizeMax: 12 }), async ({ steps, sizes }) => {
      const ledger = new MemoryLedger({ cards, lots })
      const referee = new Referee(worldOf(catalog, cards, lots))
      await play(steps, sizes, {
        stage,
        referee,
        submit: commands => ledger.submit(commands),
        close: merchant => {
          const code = merchant === 0 ? 'M1' : 'M2'
          ledger.settle(code)
          return [code, ledger.batch]
        },
        pass: seconds => {
          ledger.at += seconds * second
        },
        now: () => ledger.at,
      })
      referee.checkBooks(ledger.lots.values(), ledger.decisions.values(), catalog, lots)
      checkHolds(ledger.transactions.values(), ledger.decisions.values())
    })
    await fc.assert(property, { numRuns: 1200 })
  })

  test('gives the same answers one by one, in one batch, and in batches of any size', () => {
    const property = fc.property(runsOf(step, { stepsMax: 60, sizeMax: 12 }), ({ steps, sizes }) => {
      const script = new Script(stage)
      const commands = steps
        .filter(one => one.kind !== 'close' && one.kind !== 'pass')
        .flatMap(one => script.commandsOf('name' in one ? { ...one, name: 'key' } : one, startOfTime))
      const answers = [[1], [commands.length], sizes].map(some => {
        const outcomes = new MemoryLedger({ cards, lots, readsAll: true }).submit(commands, some)
        return outcomes.map(outcome =>
          outcome.kind === 'decided' ? { ...outcome.decision, at: 0, batch: 0, index: 0 } : outcome,
        )
      })
      expect(answers[1]).toEqual(answers[0])
      expect(answers[2]).toEqual(answers[0])
    })
    fc.assert(property, { numRuns: 400 })
  })
})

/** Captured, released, expired and open make up what was held; what is posted is what is in force. */
function checkHolds(transactions: Iterable<Transaction>, decisions: Iterable<Decision>): void {
  const moved = new Map<number, { pending: bigint; posted: bigint; held: bigint }>()
  for (const { transaction, postings } of decisions) {
    if (transaction === null) continue
    const sum = moved.get(transaction) ?? { pending: 0n, posted: 0n, held: 0n }
    moved.set(transaction, sum)
    for (const { pending, posted, debit } of postings) {
      sum.pending += pending
      sum.posted += isLot(debit) ? posted : -posted
      if (pending > 0n) sum.held += pending
    }
  }
  for (const { id, kind, phase, amounts, legs } of transactions) {
    const sum = moved.get(id) ?? { pending: 0n, posted: 0n, held: 0n }
    const sumOf = (of: 'held' | 'posted'): bigint => legs.reduce((total, leg) => total + leg[of], 0n)
    expect({ id, open: sum.pending }).toEqual({ id, open: sumOf('held') })
    // A refund has money to take back; a purchase has what it posted, less what refunds have given back.
    const posted = kind === 'refund' ? -sum.posted : sum.posted - amounts.refunded
    expect({ id, posted }).toEqual({ id, posted: sumOf('posted') })
    if (sum.held > 0n) expect({ id, held: sum.held }).toEqual({ id, held: amounts.authorized })
    if (phase === 'reversed' || phase === 'expired' || phase === 'refused') {
      expect({ id, left: sumOf('held') + sumOf('posted') }).toEqual({ id, left: 0n })
    }
  }
}

describe('the engine, on the database', () => {
  let ledger: TestLedger
  let table: Table
  let engines: Engine[]
  let before: Lot[]
  /** Of the loads that the ledger starts with. */
  let lastBatchBefore: number
  let runs = 0
  beforeAll(async () => {
    ledger = await startLedger({ cards: 8 })
    const { pool } = ledger
    await pool.query(
      `UPDATE program_terms t SET terms = '{"priority": 20, "confirmWithinSeconds": 777}'
       FROM programs p WHERE p.tenant = t.tenant AND p.id = t.program AND p.code = 'credit'`,
    )
    await pool.query('UPDATE cards SET status = 1 WHERE holder = 3')
    await pool.query("UPDATE cards SET expires_at = clock_timestamp() - interval '1 s' WHERE holder = 4")
    await pool.query('UPDATE lots SET credit_limit = 70000000 WHERE holder = 2 AND program = 1')
    await pool.query("UPDATE lots SET expires_at = clock_timestamp() - interval '1 s' WHERE holder = 5 AND program = 2")
    await pool.query("UPDATE terminals SET confirm_within_seconds = 60, partial = true WHERE code = 'T0000003'")
    const catalogs = await readCatalogs(pool)
    const changed = catalogs.get(ledger.catalog.tenant.id) as Catalog
    before = await readLots(ledger)
    lastBatchBefore = (await readDecisions(ledger)).at(-1)?.batch ?? 0
    const known = Array.from({ length: 8 }, (_, n) => card(n + 1, { token: tokenOf(n + 1) }))
    const plain = known.map(one => {
      if (one.holder === 3) return { ...one, status: 'blocked' as const }
      return one.holder === 4 ? { ...one, expiresAt: 0 } : one
    })
    const limits = { ...laneLimits, batchMax: 16 }
    // Copies of one request on two lanes collide, and one of the batches is run again: that is no fault here.
    const events = { batch() {}, fault() {}, away() {}, back() {} }
    const catalogOf = (id: number): Catalog | undefined => catalogs.get(id)
    engines = [1, 2].map(laneCount => ledger.engine({ laneCount, limits, catalogOf, events }))
    const referee = new Referee(worldOf(changed, plain, before), { copiesMayCross: true })
    const M1 = 'M00000000000001'
    const M2 = 'M00000000000002'
    table = {
      stage: {
        catalog: changed,
        tokens: [1, 2, 3, 4, 5, 6, 99, ...Array.from({ length: 8 }, () => [1, 2, 5, 6]).flat()].map(tokenOf),
        lots: before.filter(({ holder }) => holder < 3).map(({ id, holder }) => ({ id, holder })),
        places: [
          ...Array.from(
            { length: 8 },
            () =>
              [
                [M1, 'T0000001'],
                [M2, 'T0000003'],
                [M1, 'T0000002'],
              ] as const,
          ).flat(),
          [M2, 'T0000001'],
          [M1, 'T9'],
          ['M9', 'T0000001'],
        ],
        prefix: 0,
        isConcurrent: true,
      },
      referee,
      submit: async commands => {
        const submitted = commands.map((command, n) => (engines[n % 2] as Engine).submit(command))
        return (await Promise.all(submitted)) as Outcome[]
      },
      close: async merchant => [merchant === 0 ? M1 : M2, await closeSettlement(ledger, merchant + 1)],
      pass: () => undefined,
      now: nowMicros,
    }
  })
  afterAll(() => ledger.close())

  test('answers as the model does, with many in flight on three lanes of two engines', async () => {
    const step = stepOf({ cards: table.stage.tokens.length, lots: 4, amountMax: 60_000_000n, passes: false })
    const property = fc.asyncProperty(runsOf(step, { stepsMax: 100, sizeMax: 24 }), async ({ steps, sizes }) => {
      runs += 1
      await play(steps, sizes, { ...table, stage: { ...table.stage, prefix: 101_000_000 + runs } })
    })
    await fc.assert(property, { numRuns: 60, endOnFailure: true })
    const decisions = (await readDecisions(ledger)).filter(({ batch }) => batch > lastBatchBefore)
    table.referee.checkBooks(await readLots(ledger), decisions, table.stage.catalog, before)
  })
})
