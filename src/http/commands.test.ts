import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, type CallOptions, startHttp, type TestApp } from '../../test/support/http.ts'
import { memoryEngine, memoryPan } from '../../test/support/memory-engine.ts'
import type { Result } from '../engine/result.ts'

let http: TestApp
let serial = 0
beforeEach(async () => {
  http = await startHttp(memoryEngine())
})
afterEach(() => http.close())

const newKey = (): string => `key-${serial++}`
const purchase = {
  card: { pan: memoryPan },
  amount: 100,
  currency: 'IRR',
  merchant: 'M00000000000001',
  terminal: 'T0000001',
}
const post = (path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> =>
  http.call('POST', path, { idempotencyKey: newKey(), body, ...options })
const authorize = (over: object = {}, options: CallOptions = {}): Promise<Answer> =>
  post('/v1/transactions', { ...purchase, ...over }, options)
const amounts = (authorized: number, confirmed: number, reversed: number, refunded = 0, requested = authorized) => ({
  requested,
  authorized,
  confirmed,
  reversed,
  refunded,
})

test('an authorized transaction, field by field', async () => {
  const { status, json } = await authorize({ reference: 'bill-1' })
  expect(status).toBe(201)
  expect(json).toEqual({
    id: expect.stringMatching(/^[0-9a-z]{6,11}$/),
    kind: 'purchase',
    phase: 'authorized',
    amount: amounts(100, 0, 0),
    currency: 'IRR',
    approvalCode: expect.stringMatching(/^[0-9A-Z]{6}$/),
    rrn: expect.stringMatching(/^[0-9A-Z]{12}$/),
    reference: 'bill-1',
    merchant: 'M00000000000001',
    terminal: 'T0000001',
    original: null,
    businessDate: '2026-11-21',
    createdAt: '2026-11-21T08:30:00.124456Z',
    expiresAt: '2026-11-21T08:45:00.124456Z',
    legs: [{ program: 'credit', lot: '101', funder: 'bazaar', account: '101', amount: 100 }],
    reason: 'approved',
  })
})

test('the four phases, amounts and legs', async () => {
  const { json: opened } = await authorize({ amount: 1200 })
  const id = opened.id as string
  expect(opened.legs.map((leg: { amount: number }) => leg.amount)).toEqual([1000, 200])

  const part = await post(`/v1/transactions/${id}/reverse`, { amount: 100, reason: 'one piece less' })
  expect([part.status, part.json.phase, part.json.amount]).toEqual([200, 'authorized', amounts(1200, 0, 100)])

  const confirmed = await post(`/v1/transactions/${id}/confirm`, { amount: 1050 })
  expect([confirmed.status, confirmed.json.phase]).toEqual([200, 'confirmed'])
  expect(confirmed.json.amount).toEqual(amounts(1200, 1050, 100))
  expect(confirmed.json.legs).toMatchObject([
    { program: 'credit', amount: 1000 },
    { program: 'welfare', amount: 50 },
  ])

  const refund = await post(`/v1/transactions/${id}/refund`, { amount: 60 })
  expect(refund.status).toBe(201)
  expect(refund.json).toMatchObject({
    kind: 'refund',
    phase: 'confirmed',
    original: id,
    amount: amounts(60, 60, 0),
    terminal: 'T0000001',
    expiresAt: null,
  })
  expect(refund.json.legs).toMatchObject([{ amount: 10 }, { amount: 50 }])
  expect(refund.json.id).not.toBe(id)

  const reversed = await post(`/v1/transactions/${id}/reverse`)
  expect([reversed.status, reversed.json.phase]).toEqual([200, 'reversed'])
  expect(reversed.json.legs).toMatchObject([{ amount: 0 }, { amount: 0 }])
  expect(reversed.json.amount).toEqual(amounts(1200, 1050, 1090, 60))
})

test.each([
  // what is asked, phase, reason, authorized, confirmed
  [{ amount: 100, capture: true }, 'confirmed', 'approved', 100, 100],
  [{ amount: 2000, partial: true }, 'authorized', 'approved_partially', 1500, 0],
  [{ amount: 1400, partial: true, eligibleAmount: 300 }, 'authorized', 'approved_partially', 1300, 0],
  [{ amount: 100, kind: 'preauthorization' }, 'authorized', 'approved', 100, 0],
])('authorize %j', async (over, phase, reason, authorized, confirmed) => {
  const { status, json } = await authorize(over)
  expect([status, json.phase, json.reason]).toEqual([201, phase, reason])
  expect(json.amount).toEqual(amounts(authorized, confirmed, 0, 0, over.amount))
})

test('by token as well as by number', async () => {
  const { card } = (await authorize().then(() => http.commands.at(-1))) as { card: string }
  const { status } = await authorize({ card: { token: card.toUpperCase() } })
  expect([status, http.commands.at(-1)]).toMatchObject([201, { card }])
})

test('a basket is handed on, and may not be more than the amount', async () => {
  const food = { goods: 'food', amount: 60 }
  await authorize({ amount: 100, basket: [food, { goods: 'books', amount: 40 }] })
  expect(http.commands.at(-1)).toMatchObject({
    basket: [
      { goods: 'food', amount: 60n },
      { goods: 'books', amount: 40n },
    ],
  })
  for (const [basket, field] of [
    [[food, { goods: 'books', amount: 41 }], '/basket'],
    [[{ goods: '', amount: 1 }], '/basket/0/goods'],
    [[{ goods: 'food', amount: 0 }], '/basket/0/amount'],
    [[{ goods: 'food', amount: 1, price: 1 }], '/basket/0/price'],
    [Array.from({ length: 101 }, () => ({ goods: 'x', amount: 1 })), '/basket'],
  ] as const) {
    const { status, json } = await authorize({ amount: 100, basket })
    expect([status, json.errors[0].field]).toEqual([400, field])
  }
})

describe('a refusal', () => {
  test.each([
    // change, status, reason, DE39
    [{ merchant: 'M9' }, 402, 'merchant_unknown', '03'],
    [{ terminal: 'T9' }, 402, 'terminal_unknown', '58'],
    [{ terminal: 'T0000003' }, 402, 'terminal_not_of_merchant', '58'],
    [{ currency: 'USD' }, 402, 'currency_unsupported', '12'],
    [{ card: { pan: '9364000000000027' } }, 402, 'card_unknown', '14'],
    [{ amount: 1501 }, 402, 'insufficient_funds', '51'],
  ])('%j', async (change, status, reason, responseCode) => {
    const answer = await authorize(change)
    expect(answer.status).toBe(status)
    expect(answer.json).toEqual({
      type: `urn:charsu:reason:${reason}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
      reason,
      responseCode,
      message: expect.any(String),
      messageFa: expect.stringMatching(/[\u0600-\u06ff]/),
      transactionId: expect.stringMatching(/^[0-9a-z]{6,11}$/),
      rrn: expect.stringMatching(/^[0-9A-Z]{12}$/),
    })
  })

  test.each([
    // what came before, call, body, status, reason, phase of the transaction
    ['confirm', 'confirm', {}, 409, 'not_confirmable', 'confirmed'],
    ['reverse', 'confirm', {}, 409, 'not_confirmable', 'reversed'],
    ['reverse', 'reverse', {}, 409, 'not_reversible', 'reversed'],
    [null, 'refund', {}, 409, 'not_refundable', 'authorized'],
    [null, 'confirm', { amount: 101 }, 402, 'amount_beyond', 'authorized'],
    ['confirm', 'refund', { amount: 101 }, 402, 'amount_beyond', 'confirmed'],
  ])('after %s, %s %j', async (before, call, body, status, reason, phase) => {
    const { json } = await authorize()
    if (before !== null) await post(`/v1/transactions/${json.id}/${before}`)
    const answer = await post(`/v1/transactions/${json.id}/${call}`, body)
    expect([answer.status, answer.json.reason]).toEqual([status, reason])
    expect(answer.json).toMatchObject({ transactionId: json.id, rrn: json.rrn, transaction: { id: json.id, phase } })
  })

  test('of an unknown original', async () => {
    const { status, json } = await post('/v1/transactions/dmbf3k2x8g/confirm')
    expect([status, json.reason, json.transactionId]).toEqual([404, 'original_unknown', undefined])
  })
})

describe('idempotency', () => {
  test.each([
    [undefined, 'key_missing'],
    ['', 'key_missing'],
    ['a b', 'format_invalid'],
    ['é', 'format_invalid'],
    ['x'.repeat(256), 'format_invalid'],
  ])('the key %j', async (idempotencyKey, reason) => {
    const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }
    const answer = await http.call('POST', '/v1/transactions', { body: purchase, headers })
    expect([answer.status, answer.json.reason]).toEqual([400, reason])
    expect(answer.json.errors[0].field).toBe('Idempotency-Key')
    expect(http.commands).toEqual([])
  })

  test('every kind of answer again, byte for byte, whatever has happened since', async () => {
    const calls: { path: string; body: unknown; key: string; answer: Answer }[] = []
    const remember = async (path: string, body: unknown): Promise<Answer> => {
      const key = newKey()
      const answer = await post(path, body, { idempotencyKey: key })
      expect(answer.headers['idempotent-replayed']).toBeUndefined()
      calls.push({ path, body, key, answer })
      return answer
    }
    const { json } = await remember('/v1/transactions', { ...purchase, amount: 1200, reference: 'b' })
    const path = `/v1/transactions/${json.id}`
    await remember(`${path}/reverse`, { amount: 100 })
    await remember(`${path}/confirm`, { amount: 1000 })
    await remember(`${path}/confirm`, {})
    await remember(`${path}/refund`, { amount: 10 })
    await remember(`${path}/reverse`, {})
    await remember(`${path}/reverse`, {})
    await remember('/v1/transactions', { ...purchase, amount: 99_999 })
    await remember('/v1/reversals', { original: { idempotencyKey: 'never-seen' } })
    await remember('/v1/transactions/dmbf3k2x8g/confirm', {})
    for (const { path, body, key, answer } of calls) {
      const again = await post(path, body, { idempotencyKey: key })
      expect([again.status, again.text]).toEqual([answer.status, answer.text])
      expect(again.headers['idempotent-replayed']).toBe('true')
    }
  })

  test.each([
    [{ amount: 101 }, '/amount'],
    [{ card: { pan: '9364000000000027' } }, '/card'],
    [{ currency: 'USD' }, '/currency'],
    [{ merchant: 'M00000000000002' }, '/merchant'],
    [{ terminal: 'T0000003' }, '/terminal'],
    [{ kind: 'preauthorization' }, '/kind'],
    [{ capture: true }, '/capture'],
    [{ partial: true }, '/partial'],
    [{ eligibleAmount: 1 }, '/eligibleAmount'],
    [{ basket: [{ goods: 'food', amount: 1 }] }, '/basket'],
    [{ confirmWithin: 60 }, '/confirmWithin'],
    [{ reference: 'b' }, '/reference'],
  ])('other content: %j', async (change, field) => {
    const idempotencyKey = newKey()
    await authorize({}, { idempotencyKey })
    const { status, json } = await authorize(change, { idempotencyKey })
    expect([status, json.reason, json.errors[0].field]).toEqual([422, 'other_content', field])
  })

  test('the same content said otherwise is the same', async () => {
    const idempotencyKey = newKey()
    await authorize({}, { idempotencyKey })
    const { status, headers } = await authorize(
      { kind: 'purchase', capture: false, partial: false },
      { idempotencyKey },
    )
    expect([status, headers['idempotent-replayed']]).toEqual([201, 'true'])
  })

  test('the same key on another call differs in the key', async () => {
    const idempotencyKey = newKey()
    const { json } = await authorize({}, { idempotencyKey })
    for (const path of [`/v1/transactions/${json.id}/confirm`, '/v1/reversals']) {
      const body = path === '/v1/reversals' ? { original: { idempotencyKey: 'a' } } : {}
      const answer = await post(path, body, { idempotencyKey })
      expect([answer.status, answer.json.errors[0].field]).toEqual([422, 'Idempotency-Key'])
    }
  })

  test('the same key of another client is another key', async () => {
    const idempotencyKey = newKey()
    await authorize({}, { idempotencyKey })
    const second = { merchant: 'M00000000000002', terminal: 'T0000003' }
    const { status, headers } = await authorize(second, { idempotencyKey, key: 'second-merchant-key' })
    expect([status, headers['idempotent-replayed']]).toEqual([201, undefined])
  })

  test('still running', async () => {
    const slow = Promise.withResolvers<Result>()
    const one = await startHttp(() => slow.promise)
    const options = { idempotencyKey: 'same', body: purchase }
    const first = one.call('POST', '/v1/transactions', options)
    await expect.poll(() => one.commands.length).toBe(1)
    const second = await one.call('POST', '/v1/transactions', options)
    expect([second.status, second.json.reason, second.headers['retry-after']]).toEqual([409, 'in_progress', '1'])
    slow.resolve({ kind: 'unknown' })
    expect((await first).status).toBe(504)
    expect((await one.call('POST', '/v1/transactions', options)).status).toBe(504)
    await one.close()
  })
})

describe('a reversal by the name of the original', () => {
  test('that is known by its key', async () => {
    const idempotencyKey = newKey()
    const { json } = await authorize({}, { idempotencyKey })
    const answer = await post('/v1/reversals', { original: { idempotencyKey }, reason: 'no answer came' })
    expect([answer.status, answer.json.id, answer.json.phase]).toEqual([200, json.id, 'reversed'])
  })

  test('that is not yet seen is remembered, and the original refused when it comes', async () => {
    const idempotencyKey = newKey()
    const { status, json } = await post('/v1/reversals', { original: { idempotencyKey } })
    expect(status).toBe(200)
    expect(json).toMatchObject({ id: null, phase: 'reversed', amount: amounts(0, 0, 0), legs: [], reason: 'approved' })
    const late = await authorize({}, { idempotencyKey })
    expect([late.status, late.json.reason]).toEqual([409, 'reversed_before'])
  })

  test('by merchant and reference', async () => {
    await post('/v1/reversals', { original: { merchant: 'M00000000000001', reference: 'bill-7' } })
    expect(http.commands.at(-1)).toMatchObject({
      original: { by: 'reference', merchant: 'M00000000000001', reference: 'bill-7' },
      extent: { by: 'all' },
    })
    const late = await authorize({ reference: 'bill-7' })
    expect([late.status, late.json.reason]).toEqual([409, 'reversed_before'])
  })
})

describe('what the engine may say', () => {
  test.each([
    [{ kind: 'refused', reason: 'switch_busy' }, 503, 'switch_busy'],
    [{ kind: 'refused', reason: 'switch_unavailable' }, 503, 'switch_unavailable'],
    [{ kind: 'refused', reason: 'internal_error' }, 500, 'internal_error'],
    [{ kind: 'unknown' }, 504, 'outcome_unknown'],
  ] as const)('%j', async (result, status, reason) => {
    const one = await startHttp(async () => result)
    const answer = await one.call('POST', '/v1/transactions', { idempotencyKey: 'a', body: purchase })
    expect([answer.status, answer.json.reason]).toEqual([status, reason])
    if (status === 503) expect(answer.headers['retry-after']).toBe('1')
    await one.close()
  })

  test('an engine that throws leaves the outcome open', async () => {
    const one = await startHttp(() => Promise.reject(new Error('a bug')))
    const answer = await one.call('POST', '/v1/transactions', { idempotencyKey: 'a', body: purchase })
    expect([answer.status, answer.json.reason]).toEqual([504, 'outcome_unknown'])
    expect(one.log.join()).toContain('a bug')
    await one.close()
  })
})
