import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cardNumber } from '../src/core/card-numbers.ts'
import type { Command } from '../src/core/commands.ts'
import { panToken } from '../src/crypto/hash.ts'
import type { Result } from '../src/engine/result.ts'
import { SettlementService } from '../src/engine/settlement.ts'
import { nowMicros } from '../src/ops/clock.ts'
import { createReadPool, type ReadPool } from '../src/store/reads/pool.ts'
import { createReads } from '../src/store/reads/reads.ts'
import { type Answer, type CallOptions, panKey, startHttp, type TestApp } from './support/http.ts'
import { startBalance, startLedger, type TestLedger, tokenOf } from './support/switch.ts'

const cards = 20
const panOf = (n: number): string => cardNumber('936400', n)
const merchantOne = 'M00000000000001'
const merchantTwo = 'M00000000000002'

let ledger: TestLedger
let readPool: ReadPool
let http: TestApp

beforeAll(async () => {
  ledger = await startLedger({ cards })
  for (let n = 1; n <= cards; n++) {
    await ledger.pool.query('UPDATE cards SET token = $1 WHERE token = $2', [panToken(panOf(n), panKey), tokenOf(n)])
  }
  const quiet = () => undefined
  const submit = (command: Command): Promise<Result> => engine.submit(command)
  readPool = createReadPool({ url: ledger.url, connectionsMax: 2, statementTimeoutMs: 5_000 }, quiet)
  const catalogOf = (tenant: number) => (tenant === ledger.catalog.tenant.id ? ledger.catalog : undefined)
  const { pool } = ledger
  http = await startHttp(submit, {
    catalogOf,
    reads: createReads(readPool.query),
    settlements: new SettlementService({ pool, query: readPool.query, submit: { submit }, catalogOf, now: nowMicros }),
  })
  // Copies of one request at once collide on their key: the engine runs such a batch again. It is made after the edge:
  // making that may block the event loop for so long that lanes give their connections up.
  const engine = ledger.engine({ events: { batch: quiet, fault: quiet, away: quiet, back: quiet } })
})
afterAll(async () => {
  await http?.close()
  await readPool?.close()
  await ledger?.close()
})

let serial = 0
const newKey = (): string => `e2e-${serial++}`
const post = (path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> =>
  http.call('POST', path, { idempotencyKey: newKey(), body, ...options })
const get = (path: string, options: CallOptions = {}): Promise<Answer> => http.call('GET', path, options)
const purchase = (over: object = {}) => ({
  card: { pan: panOf(10) },
  amount: 1_000,
  currency: 'IRR',
  merchant: merchantOne,
  terminal: 'T0000001',
  ...over,
})
const authorize = (over: object = {}, options: CallOptions = {}): Promise<Answer> =>
  post('/v1/transactions', purchase(over), options)
async function heldOn(card: object): Promise<number> {
  const { json } = await http.call('POST', '/v1/balance-inquiries', { body: { card } })
  return json.items.reduce((sum: number, item: { held: number }) => sum + item.held, 0)
}
const idsOf = ({ json }: Answer): string[] => json.items.map((item: { id: string }) => item.id)

test('the four phases: each answer, and what is read after it', async () => {
  const card = { pan: panOf(1) }
  const opened = await authorize({ card, amount: 5_000, reference: 'bill-e2e' })
  expect([opened.status, opened.json.phase]).toEqual([201, 'authorized'])
  const path = `/v1/transactions/${opened.json.id}`
  expect((await get(path)).json).toEqual(opened.json)

  const held = await http.call('POST', '/v1/balance-inquiries', { body: { card, merchant: merchantOne } })
  expect(held.status).toBe(200)
  const spendable = held.json.items.reduce((sum: number, item: { spendable: number }) => sum + item.spendable, 0)
  expect(spendable).toBe(2 * Number(startBalance) - 5_000)

  const confirmed = await post(`${path}/confirm`, { amount: 4_000 })
  expect([confirmed.status, confirmed.json.phase, confirmed.json.amount.confirmed]).toEqual([200, 'confirmed', 4_000])
  expect((await get(path)).json).toEqual(confirmed.json)

  const closed = await post('/v1/settlements', { merchant: merchantOne })
  expect(closed.status).toBe(201)
  expect(closed.json.items).toMatchObject([
    { merchant: merchantOne, net: 4_000, purchases: { count: 1, amount: 4_000 } },
  ])
  expect((await get(path)).json).toEqual({ ...confirmed.json, phase: 'settled' })

  const late = await post(`${path}/reverse`)
  expect([late.status, late.json.reason, late.json.transaction.phase]).toEqual([409, 'not_reversible', 'settled'])
  const refund = await post(`${path}/refund`, { amount: 1_500 })
  expect([refund.status, refund.json.kind, refund.json.original]).toEqual([201, 'refund', opened.json.id])
  expect((await get(`/v1/transactions/${refund.json.id}`)).json).toEqual(refund.json)
  expect((await get(path)).json.amount.refunded).toBe(1_500)

  const second = await post('/v1/settlements', { merchant: merchantOne })
  expect(second.json.items).toMatchObject([{ net: -1_500, refunds: { count: 1, amount: 1_500 } }])
  const nothing = await post('/v1/settlements', { merchant: merchantOne })
  expect([nothing.status, nothing.json]).toEqual([200, { items: [] }])

  const [settlement] = closed.json.items
  const read = await get(`/v1/settlements/${settlement.id}`)
  expect([read.status, read.json]).toEqual([200, settlement])
  const lines = await get(`/v1/settlements/${settlement.id}/lines.csv`)
  expect(lines.headers['content-type']).toContain('text/csv')
  const [head, line, end] = lines.text.split('\r\n')
  expect(head).toBe('settlement,merchant,transaction,kind,amount,currency,terminal,rrn,reference,createdAt')
  const { id, rrn, createdAt } = opened.json
  const expected = [
    settlement.number,
    merchantOne,
    id,
    'purchase',
    4_000,
    'IRR',
    'T0000001',
    rrn,
    'bill-e2e',
    createdAt,
  ]
  expect([line, end]).toEqual([expected.join(','), ''])
})

test.each(['confirm', 'reverse'])(
  'a repeated %s gives the stored bytes, though much has happened since',
  async step => {
    const { json } = await authorize({ card: { pan: panOf(2) } })
    const path = `/v1/transactions/${json.id}/${step}`
    const idempotencyKey = newKey()
    const first = await post(path, { amount: 400 }, { idempotencyKey })
    await post(`/v1/transactions/${json.id}/reverse`)
    const again = await post(path, { amount: 400 }, { idempotencyKey })
    expect([again.status, again.text]).toEqual([first.status, first.text])
    expect(again.headers['idempotent-replayed']).toBe('true')
  },
)

test('sixty-four copies at once have one effect', async () => {
  const card = { pan: panOf(3) }
  const idempotencyKey = newKey()
  const copies = await Promise.all(Array.from({ length: 64 }, () => authorize({ card }, { idempotencyKey })))
  const approved = copies.filter(({ status }) => status === 201)
  expect(approved.length).toBeGreaterThan(0)
  expect(new Set(approved.map(({ text }) => text)).size).toBe(1)
  expect(new Set(copies.map(({ status }) => status))).toEqual(new Set([201, 409]))
  expect(await heldOn(card)).toBe(1_000)
})

test.each(Array.from({ length: 8 }, (_, round) => round))('a reversal crosses its authorize, round %i', async () => {
  const card = { pan: panOf(4) }
  const idempotencyKey = newKey()
  const [opened, reversed] = await Promise.all([
    authorize({ card }, { idempotencyKey }),
    post('/v1/reversals', { original: { idempotencyKey } }),
  ])
  expect([reversed.status, reversed.json.phase]).toEqual([200, 'reversed'])
  expect([201, 409]).toContain(opened.status)
  expect(reversed.json.id).toBe(opened.status === 201 ? opened.json.id : null)
  expect(await heldOn(card)).toBe(0)
})

test('a reversal by bill', async () => {
  const original = { merchant: merchantOne, reference: 'bill-lost' }
  const { json } = await authorize({ reference: original.reference })
  const reversed = await post('/v1/reversals', { original })
  expect([reversed.status, reversed.json.id, reversed.json.phase]).toEqual([200, json.id, 'reversed'])
  const early = await post('/v1/reversals', { original: { ...original, reference: 'bill-early' } })
  expect([early.status, early.json.id]).toEqual([200, null])
  const late = await authorize({ reference: 'bill-early' })
  expect([late.status, late.json.reason]).toEqual([409, 'reversed_before'])
  expect((await get(`/v1/transactions/${late.json.transactionId}`)).json).toMatchObject({ phase: 'refused', legs: [] })
})

test('one key pair of answers each: other content names the field', async () => {
  const idempotencyKey = newKey()
  await authorize({}, { idempotencyKey })
  const { status, json } = await authorize({ amount: 1_001 }, { idempotencyKey })
  expect([status, json.errors[0].field]).toEqual([422, '/amount'])
})

describe('lists', () => {
  const card = { pan: panOf(12) }
  const made: Answer[] = []
  beforeAll(async () => {
    for (let n = 0; n < 7; n++) {
      const place = n % 2 === 0 ? {} : { merchant: merchantTwo, terminal: 'T0000003' }
      made.push(await authorize({ card, amount: 10 + n, reference: `list-${n % 3}`, ...place }))
    }
    await post(`/v1/transactions/${made[0]?.json.id}/confirm`)
    await post(`/v1/transactions/${made[2]?.json.id}/reverse`)
  })
  const ids = (...of: number[]): string[] => of.map(n => made[n]?.json.id)
  const since = (): string => `from=${made[0]?.json.createdAt}`

  test('newest first, a page at a time', async () => {
    const found: string[] = []
    let cursor = ''
    do {
      const page = await get(`/v1/transactions?${since()}&limit=3${cursor}`)
      expect(page.status).toBe(200)
      found.push(...idsOf(page))
      cursor = page.json.nextCursor === null ? '' : `&cursor=${page.json.nextCursor}`
    } while (cursor !== '')
    expect(found).toEqual(ids(6, 5, 4, 3, 2, 1, 0))
  })

  test.each([
    [() => `merchant=${merchantTwo}`, [5, 3, 1]],
    [() => 'terminal=T0000003&limit=2', [5, 3]],
    [() => 'phase=confirmed', [0]],
    [() => 'phase=reversed', [2]],
    [() => 'phase=settled', []],
    [() => 'phase=authorized', [6, 5, 4, 3, 1]],
    [() => 'reference=list-1', [4, 1]],
    [() => 'reference=list-1&merchant=M00000000000002', [1]],
    [() => `reference=list-0&limit=2`, [6, 3]],
    [() => 'reference=nobody', []],
    [() => `rrn=${made[3]?.json.rrn}`, [3]],
    [() => `rrn=${made[3]?.json.rrn}&merchant=${merchantOne}`, []],
    [() => 'rrn=000000000000', []],
    [() => `to=${made[2]?.json.createdAt}`, [1, 0]],
    [() => `to=2026-01-01T00:00:00Z`, []],
  ])('filter %#', async (query, expected) => {
    const page = await get(`/v1/transactions?${since()}&${query()}`)
    expect([page.status, idsOf(page)]).toEqual([200, ids(...expected)])
  })

  test('a client sees the transactions of its merchants only', async () => {
    const page = await get(`/v1/transactions?${since()}`, { key: 'second-merchant-key' })
    expect(idsOf(page)).toEqual(ids(5, 3, 1))
    const one = await get(`/v1/transactions/${made[0]?.json.id}`, { key: 'second-merchant-key' })
    expect(one.status).toBe(404)
  })

  test.each([
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['phase=gone', 'phase'],
    ['from=yesterday', 'from'],
    ['cursor=!', 'cursor'],
    ['merchant=M9', 'merchant'],
    ['terminal=T9', 'terminal'],
    ['page=2', 'page'],
  ])('%s is refused by name', async (query, field) => {
    const { status, json } = await get(`/v1/transactions?${query}`)
    expect([status, json.errors[0].field]).toEqual([400, field])
  })
})

describe('settlements', () => {
  test('are of the client, and closed once', async () => {
    const { json } = await authorize({ merchant: merchantTwo, terminal: 'T0000003', capture: true, amount: 77 })
    expect(json.phase).toBe('confirmed')
    const idempotencyKey = newKey()
    const key = 'second-merchant-key'
    const closed = await post('/v1/settlements', {}, { key, idempotencyKey })
    expect([closed.status, closed.json.items.length, closed.json.items[0].net]).toEqual([201, 1, 77])
    const again = await post('/v1/settlements', {}, { key, idempotencyKey })
    expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([201, closed.text, 'true'])
    const other = await post('/v1/settlements', { merchant: merchantTwo }, { key, idempotencyKey })
    expect([other.status, other.json.errors[0].field]).toEqual([422, '/merchant'])
    const page = await get(`/v1/transactions?phase=settled&merchant=${merchantTwo}`, { key })
    expect(idsOf(page)).toEqual([json.id])
    expect((await get(`/v1/settlements/${closed.json.items[0].id}`)).status).toBe(200)
  })

  test.each(['999999', 'abc', '0'])('%s is no settlement', async id => {
    expect((await get(`/v1/settlements/${id}`)).status).toBe(404)
    expect((await get(`/v1/settlements/${id}/lines.csv`)).status).toBe(404)
  })
})

test('card numbers are in no log line', () => {
  expect(http.log.join('')).not.toContain('936400')
})
