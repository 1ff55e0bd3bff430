import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Authorize } from '../src/core/commands.ts'
import { startLedger, type TestLedger, tokenOf } from './support/switch.ts'

let ledger: TestLedger
beforeAll(async () => {
  ledger = await startLedger()
})
afterAll(() => ledger.close())

let serial = 0
const authorize = (over: Partial<Authorize> = {}): Authorize => ({
  kind: 'authorize',
  tenant: ledger.catalog.tenant.id,
  channel: 'api',
  key: (serial++).toString(16).padStart(32, '0').replace(/^./, '8'),
  day: null,
  content: 'aa',
  merchant: 'M00000000000001',
  terminal: 'T0000001',
  card: tokenOf(1),
  currency: 'IRR',
  amount: 1000n,
  purpose: 'purchase',
  capture: false,
  partial: false,
  eligibleAmount: null,
  confirmWithinSeconds: null,
  reference: null,
  rrn: null,
  stan: null,
  ...over,
})

test('authorize, confirm, reverse', async () => {
  const engine = ledger.engine({
    events: { batch() {}, fault: e => console.log(e), away: r => console.log(r), back() {} },
  })
  const result = await engine.submit(authorize())
  console.log(result)
  expect(result.kind).toBe('decided')
  if (result.kind !== 'decided') return
  const id = result.decision.transaction as number
  const confirmed = await engine.submit({
    ...authorize(),
    kind: 'confirm',
    original: { by: 'id', id },
    merchants: '*',
    card: null,
    amount: 600n,
  } as never)
  console.log(confirmed)
  const reversed = await engine.submit({
    ...authorize(),
    kind: 'reverse',
    original: { by: 'id', id },
    merchants: '*',
    card: null,
    extent: { by: 'all' },
    originalAmount: null,
  } as never)
  console.log(reversed)
})
