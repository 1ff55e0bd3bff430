import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from '../src/engine/engine.ts'
import { commandsOf } from './support/commands.ts'
import { startLedger, type TestLedger, tokenOf } from './support/switch.ts'

const cards = 20
let ledger: TestLedger
let engine: Engine

beforeAll(async () => {
  ledger = await startLedger({ cards, load: [{ program: 'credit', amount: 1_000_000n }] })
  engine = ledger.engine()
})

afterAll(() => ledger.close())

const withRoom = async () => {
  const { rows } = await ledger.pool.query<{ lots: number; bytes: number | null }>(
    'SELECT count(spare)::integer AS lots, min(length(spare)) AS bytes FROM lots',
  )
  return rows[0]
}

test('a lot brings room for its versions along, and gives it up when it is first paid with', async () => {
  const { authorize } = commandsOf(ledger.catalog.tenant.id)
  expect(await withRoom()).toEqual({ lots: cards, bytes: 71 })
  for (const left of [cards - 1, cards - 1]) {
    const result = await engine.submit(authorize({ card: tokenOf(1), amount: 10n, capture: true }))
    expect(result).toMatchObject({ decision: { reason: 'approved' } })
    expect(await withRoom()).toEqual({ lots: left, bytes: 71 })
  }
})
