import { expect, test } from 'vitest'
import { startHttp } from '../../test/support/http.ts'
import { memoryEngine, memoryTime } from '../../test/support/memory-engine.ts'
import type { Closing, Settlement } from '../core/settlements.ts'
import type { Reads } from '../store/reads/reads.ts'
import type { SettlementLine } from '../store/reads/settlements.ts'

const settlement: Settlement = {
  id: 42,
  number: 3,
  merchant: 'M00000000000001',
  businessDate: 20_778,
  closedAt: memoryTime,
  postedAt: memoryTime + 5_000,
  purchases: { count: 3, amount: 300n },
  refunds: { count: 1, amount: 50n },
  net: 250n,
  fee: 0n,
  currency: 'IRR',
}
const line = (index: number, over: Partial<SettlementLine> = {}): SettlementLine => ({
  transaction: 1_383_191_743_627_520 + index,
  kind: 'purchase',
  amount: 100n,
  terminal: 1,
  rrn: null,
  reference: null,
  at: memoryTime,
  ...over,
})

function start({
  settlement: found = settlement,
  chunks = [] as SettlementLine[][],
  close = async (): Promise<Closing> => ({ kind: 'closed', settlements: [settlement], replayed: false }),
}) {
  const reads = {
    settlement: async (_tenant: number, id: number) => (id === found.id ? found : null),
    async *settlementLines() {
      yield* chunks
    },
  } as Partial<Reads> as Reads
  return startHttp(memoryEngine(), { reads, settlements: { close } })
}

test('a settlement, field by field', async () => {
  const http = await start({})
  const { status, json } = await http.call('POST', '/v1/settlements', { idempotencyKey: 'a' })
  expect(status).toBe(201)
  expect(json).toEqual({
    items: [
      {
        id: '42',
        number: 3,
        merchant: 'M00000000000001',
        businessDate: '2026-11-21',
        closedAt: '2026-11-21T08:30:00.123456Z',
        postedAt: '2026-11-21T08:30:00.128456Z',
        purchases: { count: 3, amount: 300 },
        refunds: { count: 1, amount: 50 },
        net: 250,
        fee: 0,
        currency: 'IRR',
      },
    ],
  })
  expect((await http.call('GET', '/v1/settlements/42')).json).toEqual(json.items[0])
  expect((await http.call('GET', '/v1/settlements/42', { key: 'second-merchant-key' })).status).toBe(404)
  await http.close()
})

test('lines come in chunks, and no reference becomes a formula', async () => {
  const chunks = [
    Array.from({ length: 1000 }, (_, index) => line(index)),
    [line(1000, { kind: 'refund', amount: -50n, rrn: '123456789012', reference: '=HYPERLINK("x"),1', terminal: null })],
  ]
  const http = await start({ chunks })
  const { headers, text } = await http.call('GET', '/v1/settlements/42/lines.csv')
  expect(headers['content-disposition']).toBe('attachment; filename="settlement-M00000000000001-3.csv"')
  const lines = text.split('\r\n')
  expect(lines.length).toBe(1 + 1001 + 1)
  expect(lines[1001]).toMatch(
    /^3,M00000000000001,\w+,refund,-50,IRR,,123456789012,"'=HYPERLINK\(""x""\),1",2026-11-21T/,
  )
  await http.close()
})

test('lines that are still being made may be asked for again', async () => {
  const http = await start({ settlement: { ...settlement, postedAt: null } })
  const { status, headers } = await http.call('GET', '/v1/settlements/42/lines.csv')
  expect([status, headers['retry-after']]).toEqual([409, '1'])
  await http.close()
})

test('a read that fails midway breaks the answer off', async () => {
  const chunks = (function* () {
    yield [line(1)]
    throw new Error('gone')
  })() as unknown as SettlementLine[][]
  const http = await start({ chunks })
  await expect(http.call('GET', '/v1/settlements/42/lines.csv')).rejects.toThrow()
  await http.close()
})

test('a close that fails leaves the outcome open, and its key free', async () => {
  const http = await start({ close: () => Promise.reject(new Error('away')) })
  for (const _ of [1, 2]) {
    const { status, json } = await http.call('POST', '/v1/settlements', { idempotencyKey: 'a' })
    expect([status, json.reason]).toEqual([504, 'outcome_unknown'])
  }
  await http.close()
})

test('closing the edge answers what is in flight', async () => {
  const slow = Promise.withResolvers<Closing>()
  const asked = Promise.withResolvers<void>()
  const close = (): Promise<Closing> => {
    asked.resolve()
    return slow.promise
  }
  const http = await start({ close })
  const answer = http.call('POST', '/v1/settlements', { idempotencyKey: 'a' })
  await asked.promise
  const closed = http.close()
  slow.resolve({ kind: 'closed', settlements: [], replayed: false })
  expect((await answer).json).toEqual({ items: [] })
  await closed
})
