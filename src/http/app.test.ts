import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, type CallOptions, startHttp, type TestApp } from '../../test/support/http.ts'
import { memoryEngine, memoryPan } from '../../test/support/memory-engine.ts'
import { limits } from './limits.ts'

let http: TestApp
let serial = 0
beforeAll(async () => {
  http = await startHttp(memoryEngine())
})
afterAll(() => http.close())

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
const authorize = (over: object = {}): Promise<Answer> => post('/v1/transactions', { ...purchase, ...over })

describe('a bad field is named', () => {
  const tooLong = 'x'.repeat(65)
  test.each([
    // path, body, the first field and what it must be
    ['/v1/transactions', { amount: 0 }, '/amount', 'must be a positive integer'],
    ['/v1/transactions', { amount: -5 }, '/amount', 'must be a positive integer'],
    ['/v1/transactions', { amount: 10.5 }, '/amount', 'must be a positive integer'],
    ['/v1/transactions', { amount: '100' }, '/amount', 'must be a positive integer'],
    ['/v1/transactions', { amount: null }, '/amount', 'must be a positive integer'],
    ['/v1/transactions', { amount: 2 ** 53 }, '/amount', 'must be at most 9007199254740991'],
    ['/v1/transactions', { amount: undefined }, '/amount', 'is required'],
    ['/v1/transactions', { amonut: 5 }, '/amonut', 'is not a field of this request'],
    ['/v1/transactions', { [memoryPan]: 5 }, '/…', 'is not a field of this request'],
    ['/v1/transactions', { card: {} }, '/card', 'must be an object with either pan, token or code'],
    ['/v1/transactions', { card: memoryPan }, '/card', 'must be an object with either pan, token or code'],
    ['/v1/transactions', { card: { pan: '12' } }, '/card/pan', 'must be 12 to 19 digits'],
    ['/v1/transactions', { card: { token: 'zz' } }, '/card/token', 'must be 32 hexadecimal digits'],
    ['/v1/transactions', { card: { pan: memoryPan, cvv: '1' } }, '/card/cvv', 'is not a field of this request'],
    ['/v1/transactions', { kind: 'gift' }, '/kind', 'must be one of purchase, preauthorization'],
    ['/v1/transactions', { capture: 'yes' }, '/capture', 'must be true or false'],
    ['/v1/transactions', { confirmWithin: 0 }, '/confirmWithin', 'must be an integer from 1 to 2678400'],
    ['/v1/transactions', { confirmWithin: 2678401 }, '/confirmWithin', 'must be at most 2678400'],
    ['/v1/transactions', { eligibleAmount: -1 }, '/eligibleAmount', 'must be zero or a positive integer'],
    ['/v1/transactions', { merchant: '' }, '/merchant', 'must be 1 to 15 visible ASCII characters'],
    ['/v1/transactions', { reference: tooLong }, '/reference', 'must be 1 to 64 characters without control characters'],
    [
      '/v1/transactions',
      { reference: 'a\u0000' },
      '/reference',
      'must be 1 to 64 characters without control characters',
    ],
    ['/v1/transactions', { reference: `no ${memoryPan}` }, '/reference', 'must not look like a card number'],
  ])('%s %j', async (path, change, field, message) => {
    const { status, json, headers, text } = await post(path, { ...purchase, ...change })
    expect({ status, reason: json.reason, first: json.errors[0] }).toEqual({
      status: 400,
      reason: 'format_invalid',
      first: { field, message },
    })
    expect(headers['content-type']).toContain('application/problem+json')
    expect(text).not.toContain(memoryPan)
  })

  test.each([
    ['/v1/transactions/1/confirm', { amount: 0 }, '/amount'],
    ['/v1/transactions/1/reverse', { amount: 1.5 }, '/amount'],
    ['/v1/transactions/1/reverse', { reason: '' }, '/reason'],
    ['/v1/transactions/1/refund', { terminal: 'T00000001' }, '/terminal'],
    ['/v1/transactions/1/refund', { original: '5' }, '/original'],
    ['/v1/reversals', {}, '/original'],
    ['/v1/reversals', { original: {} }, '/original'],
    ['/v1/reversals', { original: { merchant: 'M00000000000001' } }, '/original'],
    ['/v1/reversals', { original: { idempotencyKey: 'a', reference: 'b' } }, '/original'],
    ['/v1/reversals', { original: { merchant: 'M1', reference: memoryPan } }, '/original/reference'],
    ['/v1/reversals', { original: { idempotencyKey: 'a b' } }, '/original/idempotencyKey'],
    ['/v1/settlements', { businessDate: '1404/08/30' }, '/businessDate'],
    ['/v1/settlements', { businessDate: '2026-02-30' }, '/businessDate'],
    ['/v1/balance-inquiries', { card: { pan: memoryPan }, terminal: 'T0000001' }, '/terminal'],
    ['/v1/balance-inquiries', {}, '/card'],
    ['/v1/transactions/1/confirm', [], '/'],
    ['/v1/transactions/1/confirm', 'null', '/'],
    ['/v1/transactions/1/confirm', '"text"', '/'],
    ['/v1/transactions/1/confirm', '{"amount":', '/'],
    ['/v1/transactions/1/confirm', '{"amount":1.00000000000000000001}', '/amount'],
    ['/v1/transactions/1/confirm', '{"amount":9007199254740993}', '/amount'],
    ['/v1/transactions/1/confirm', '{"__proto__":{}}', '/__proto__'],
    ['/v1/transactions/1/confirm?amount=5', {}, 'amount'],
  ])('%s %j', async (path, body, field) => {
    const { status, json } = await post(path, body)
    expect([status, json.errors[0].field]).toEqual([400, field])
  })

  test('all of them at once', async () => {
    const { json } = await post('/v1/transactions', { amount: 0, x: 1 })
    const fields = json.errors.map((error: { field: string }) => error.field)
    expect(fields.sort()).toEqual(['/amount', '/card', '/currency', '/merchant', '/terminal', '/x'])
  })

  test.each(['1e2', '100.0', '100'])('an amount of %s is a hundred', async amount => {
    const { status, json } = await post('/v1/transactions', JSON.stringify(purchase).replace(':100,', `:${amount},`))
    expect([status, json.amount.requested]).toEqual([201, 100])
  })
})

describe('who may call', () => {
  test.each([
    // API key, method, path, body, status, reason
    [null, 'POST', '/v1/transactions', purchase, 401, 'unauthenticated'],
    ['wrong', 'POST', '/v1/transactions', purchase, 401, 'unauthenticated'],
    ['reader-key', 'POST', '/v1/transactions', purchase, 403, 'forbidden'],
    ['reader-key', 'POST', '/v1/settlements', {}, 403, 'forbidden'],
    ['reader-key', 'GET', '/v1/transactions/dmbf3k2x8g', undefined, 404, 'not_found'],
    ['second-merchant-key', 'POST', '/v1/transactions', purchase, 403, 'forbidden'],
    ['second-merchant-key', 'GET', '/v1/transactions?merchant=M00000000000001', undefined, 403, 'forbidden'],
    ['second-merchant-key', 'POST', '/v1/settlements', { merchant: 'M00000000000001' }, 403, 'forbidden'],
    [
      'second-merchant-key',
      'POST',
      '/v1/reversals',
      { original: { merchant: 'M00000000000001', reference: 'x' } },
      403,
      'forbidden',
    ],
    ['metrics-key', 'GET', '/v1/transactions', undefined, 403, 'forbidden'],
  ])('%s %s %s', async (key, method, path, body, status, reason) => {
    const answer = await http.call(method, path, { key, body, idempotencyKey: newKey() })
    expect([answer.status, answer.json.reason]).toEqual([status, reason])
    if (status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer')
  })

  test("another merchant's transaction is not found", async () => {
    const { json } = await authorize()
    const answer = await post(`/v1/transactions/${json.id}/reverse`, {}, { key: 'second-merchant-key' })
    expect([answer.status, answer.json.reason]).toEqual([404, 'original_unknown'])
  })

  test.each([
    // demo mode, forwarded for, status
    [true, undefined, 404],
    [true, '10.0.0.1', 401],
    [false, undefined, 401],
  ])('a demo key with demo mode %s, forwarded for %s', async (demo, forwarded, status) => {
    const one = await startHttp(memoryEngine(), { demo })
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
    const answer = await one.call('GET', '/v1/transactions/dmbf3k2x8g', { key: 'demo-pos-key', headers })
    expect(answer.status).toBe(status)
    await one.close()
  })

  test.each([
    // path, key, forwarded for, status
    ['/metrics', null, undefined, 200],
    ['/metrics', null, '10.0.0.1', 401],
    ['/metrics', 'metrics-key', '10.0.0.1', 200],
    ['/metrics', 'pos-key', undefined, 403],
    ['/livez', null, '10.0.0.1', 200],
    ['/readyz', null, '10.0.0.1', 200],
    ['/openapi.json', null, undefined, 200],
    ['/docs', null, undefined, 200],
    ['/docs/static/swagger-ui-bundle.js', null, undefined, 200],
  ])('%s with %s, forwarded for %s', async (path, key, forwarded, status) => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
    expect((await http.call('GET', path, { key, headers })).status).toBe(status)
  })
})

describe('the edge of HTTP', () => {
  test.each([
    // method, path, headers, body, status
    ['GET', '/nowhere', {}, undefined, 404],
    ['GET', '/v1/transactions/abc', {}, undefined, 404],
    ['GET', '/v1/transactions/99999999999999999', {}, undefined, 404],
    ['POST', '/v1/transactions/abc/confirm', {}, {}, 404],
    ['DELETE', '/v1/transactions/dmbf3k2x8g', {}, undefined, 405],
    ['GET', '/v1/reversals', {}, undefined, 405],
    ['POST', '/v1/transactions', { 'content-type': 'text/plain' }, 'hello', 415],
    ['POST', '/v1/transactions', { 'content-type': 'application/xml' }, '<a/>', 415],
    ['POST', '/v1/transactions', {}, { ...purchase, reference: 'x'.repeat(limits.bodyBytesMax) }, 413],
    ['GET', '/v1/%E0%A4%A', {}, undefined, 400],
    ['GET', `/v1/transactions/${'x'.repeat(200)}`, {}, undefined, 404],
  ])('%s %s %j', async (method, path, headers, body, status) => {
    const answer = await http.call(method, path, { idempotencyKey: newKey(), headers, body })
    expect([answer.status, answer.json.status]).toEqual([status, status])
    if (status === 405) expect(answer.headers.allow).toBeDefined()
  })

  test.each([
    ['GET / HTTP/1.1\r\nHost: a\r\nX: '.concat('x'.repeat(limits.headerBytesMax), '\r\n\r\n'), 431],
    ['what is this\r\n\r\n', 400],
  ])('raw bytes %#', async (bytes, status) => {
    const text = await raw(bytes)
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(text).toContain('application/problem+json')
  })

  const raw = (bytes: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(http.port, '127.0.0.1', () => socket.write(bytes))
      let text = ''
      socket.on('data', part => {
        text += part
      })
      socket.on('close', () => resolve(text))
      socket.on('error', reject)
    })

  test('a throw is a 500 that tells nothing, and is logged', async () => {
    const reads = { transaction: () => Promise.reject(new Error('secret of the house')) }
    const one = await startHttp(memoryEngine(), { reads: reads as never })
    const answer = await one.call('GET', '/v1/transactions/dmbf3k2x8g')
    expect([answer.status, answer.json.reason]).toEqual([500, 'internal_error'])
    expect(answer.text).not.toContain('secret')
    expect(one.log.join()).toContain('secret of the house')
    await one.close()
  })

  test.each(['57P01', 'ECONNREFUSED', '57014'])('a read without the database (%s) may be tried again', async code => {
    const reads = { transaction: () => Promise.reject(Object.assign(new Error('gone'), { code })) }
    const one = await startHttp(memoryEngine(), { reads: reads as never })
    const answer = await one.call('GET', '/v1/transactions/dmbf3k2x8g')
    expect([answer.status, answer.json.reason, answer.headers['retry-after']]).toEqual([503, 'switch_unavailable', '1'])
    await one.close()
  })
})

test('no card number is in any log line, nor an API key', () => {
  const log = http.log.join('')
  expect(log).toContain('refused')
  expect(log).not.toContain(memoryPan)
  expect(log).not.toContain('pos-key')
})

test('one line for each decided command, one observation for each answer', async () => {
  const lines = http.lines.length
  const { json } = await authorize({ amount: 1 })
  expect(http.lines.length).toBe(lines + 1)
  expect(http.lines.at(-1)).toMatchObject({
    channel: 'api',
    command: 'authorize',
    transaction: json.id,
    rrn: json.rrn,
    merchant: 'M00000000000001',
    terminal: 'T0000001',
    amount: 1n,
    phase: 'authorized',
    reason: 'approved',
    responseCode: '00',
    replayed: false,
  })
  await expect.poll(() => http.responses.at(-1)).toMatchObject({ route: '/v1/transactions', status: 201 })
})
