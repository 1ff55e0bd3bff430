import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from '../src/engine/engine.ts'
import { commandsOf } from './support/commands.ts'
import { startLedger, type TestLedger, tokenOf } from './support/switch.ts'

const cards = 100
const together = 5
let ledger: TestLedger
let engine: Engine

beforeAll(async () => {
  ledger = await startLedger({ cards, load: [{ program: 'credit', amount: 1_000_000n }] })
  engine = ledger.engine()
})

afterAll(() => ledger.close())

const lots = async () => {
  const { rows } = await ledger.pool.query<{ lots: number; untouched: number; pages: number }>(
    `SELECT count(*)::integer AS lots, count(spare)::integer AS untouched,
       (pg_relation_size('lots') / 8192)::integer AS pages FROM lots`,
  )
  return rows[0]
}

test('a lot keeps room on its page for its versions, and gives it up when it is first paid with', async () => {
  const { authorize } = commandsOf(ledger.catalog.tenant.id)
  const before = await lots()
  expect(before).toMatchObject({ lots: cards, untouched: cards })
  const buy = async (n: number): Promise<void> => {
    const result = await engine.submit(authorize({ card: tokenOf(n), amount: 10n, capture: true }))
    expect(result).toMatchObject({ decision: { reason: 'approved' } })
  }
  await buy(1)
  expect(await lots()).toMatchObject({ untouched: cards - 1 })
  // Few of a page at a time, as where there are many pages.
  for (let from = 0; from < 20 * cards; from += together) {
    await Promise.all(Array.from({ length: together }, (_, index) => buy(1 + ((from + index) % cards))))
  }
  // 2,001 versions of 100 lots, and the table is as large as it was.
  expect(await lots()).toMatchObject({ untouched: 0, pages: before?.pages })
})
