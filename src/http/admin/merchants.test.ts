import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'

let admin: TestAdmin
beforeAll(async () => {
  admin = await startAdmin()
})
afterAll(() => admin.close())

const merchants = '/admin/v1/merchants'
const terminals = '/admin/v1/terminals'
const golestan = {
  code: 'G-1',
  name: 'Golestan',
  category: 'grocery',
  groups: ['tehran', 'big'],
  settlementAccount: 'IR580540105180021273113007',
  fee: { percent: '1.25', each: 500 },
}
const fields = (answer: { json: { errors?: { field: string }[] } }) => answer.json.errors?.map(({ field }) => field)
const codes = (answer: { json: { items: { code: string }[] } }) => answer.json.items.map(({ code }) => code)
const seen = (version: number) => ({ 'if-match': `"${version}"` })

describe('merchants', () => {
  test('are set up once for a key', async () => {
    const first = await admin.call('POST', merchants, { key: 'operator-key', idempotencyKey: 'm-1', body: golestan })
    expect([first.status, first.json]).toEqual([201, { ...golestan, status: 'active', version: 1 }])
    const again = await admin.call('POST', merchants, { key: 'operator-key', idempotencyKey: 'm-1', body: golestan })
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([first.text, 'true'])
    expect((await admin.audit('merchant', 'G-1')).map(({ actor, action }) => [actor, action])).toEqual([
      ['operator-key', 'create'],
    ])
  })

  test.each([
    [
      'other content',
      { idempotencyKey: 'm-1', key: 'operator-key', body: { ...golestan, groups: [] } },
      422,
      ['/groups'],
    ],
    ['a taken code', { body: golestan }, 409, ['/code']],
    ['a code longer than DE42', { body: { code: 'M000000000000001', name: 'x' } }, 400, ['/code']],
    [
      'check digits',
      { body: { code: 'x', name: 'x', settlementAccount: 'IR580540105180021273113008' } },
      400,
      ['/settlementAccount'],
    ],
    ['five decimals', { body: { code: 'x', name: 'x', fee: { percent: '1.00001' } } }, 400, ['/fee/percent']],
    ['a percentage as number', { body: { code: 'x', name: 'x', fee: { percent: 1 } } }, 400, ['/fee/percent']],
    ['more than all of it', { body: { code: 'x', name: 'x', fee: { percent: '100.01' } } }, 400, ['/fee/percent']],
    ['a key that may not', { key: 'finance-key', body: { code: 'x', name: 'x' } }, 403, undefined],
  ])('refused: %s', async (_name, options, status, errors) => {
    const answer = await admin.call('POST', merchants, options)
    expect([answer.status, fields(answer)]).toEqual([status, errors])
  })

  test('change under the version that was seen, and the till knows at once', async () => {
    const one = `${merchants}/M00000000000002`
    expect((await admin.call('PATCH', one, { body: { status: 'suspended' } })).status).toBe(428)
    const changed = await admin.call('PATCH', one, {
      headers: seen(1),
      body: { status: 'suspended', fee: { each: 7 } },
    })
    expect([changed.status, changed.json.status, changed.json.fee]).toEqual([
      200,
      'suspended',
      { percent: '0', each: 7 },
    ])
    expect((await admin.call('PATCH', one, { headers: seen(1), body: { name: 'x' } })).status).toBe(412)
    const paid = await admin.call('POST', '/v1/transactions', {
      key: 'pos-key',
      body: {
        card: { token: '01'.padEnd(32, '0').replace(/0$/, '1') },
        amount: 1,
        currency: 'IRR',
        merchant: 'M00000000000002',
        terminal: 'T0000003',
      },
    })
    expect(paid.json.reason).toBe('merchant_suspended')
    expect((await admin.call('PATCH', one, { headers: seen(2), body: { status: 'active' } })).headers.etag).toBe('"3"')
  })

  test('a key sees those that it speaks for', async () => {
    const key = 'merchant-key'
    expect(codes(await admin.call('GET', merchants, { key }))).toEqual(['M00000000000001'])
    expect((await admin.call('GET', `${merchants}/M00000000000002`, { key })).status).toBe(404)
    expect((await admin.call('GET', `${merchants}/M00000000000001`, { key })).status).toBe(200)
    expect(codes(await admin.call('GET', terminals, { key }))).toEqual(['T0000001', 'T0000002'])
    expect((await admin.call('GET', `${terminals}/T0000003`, { key })).status).toBe(404)
  })

  test.each([
    ['', ['G-1', 'M00000000000001', 'M00000000000002']],
    ['?category=grocery', ['G-1']],
    ['?group=big', ['G-1']],
    ['?group=small', []],
    ['?status=suspended', []],
  ])('list%s', async (query, expected) => {
    expect(codes(await admin.call('GET', `${merchants}${query}`))).toEqual(expected)
  })
})

describe('terminals', () => {
  const shop = { code: 'W1', merchant: 'G-1', channel: 'web', confirmWithin: 900, operations: ['purchase', 'refund'] }
  const whole = { ...shop, confirmation: 'explicit', partial: false, status: 'active', version: 1 }

  test('are set up once for a key, at a merchant', async () => {
    const first = await admin.call('POST', terminals, { idempotencyKey: 't-1', body: shop })
    expect([first.status, first.json]).toEqual([201, whole])
    expect((await admin.call('POST', terminals, { idempotencyKey: 't-1', body: shop })).text).toBe(first.text)
    expect(codes(await admin.call('GET', `${terminals}?merchant=G-1`))).toEqual(['W1'])
  })

  test.each([
    ['no such merchant', { body: { code: 'W2', merchant: 'nobody' } }, 400, ['/merchant']],
    ['of another tenant', { body: { code: 'W2', merchant: 'X1' } }, 400, ['/merchant']],
    ['a code longer than DE41', { body: { code: 'W23456789', merchant: 'G-1' } }, 400, ['/code']],
    ['no such operation', { body: { code: 'W2', merchant: 'G-1', operations: ['steal'] } }, 400, ['/operations/0']],
    ['a taken code', { body: shop }, 409, ['/code']],
    ['a key that may not', { key: 'auditor-key', body: { code: 'W2', merchant: 'G-1' } }, 403, undefined],
  ])('refused: %s', async (_name, options, status, errors) => {
    const answer = await admin.call('POST', terminals, options)
    expect([answer.status, fields(answer)]).toEqual([status, errors])
  })

  test('change under the version that was seen', async () => {
    const body = { partial: true, confirmWithin: null, operations: null }
    const changed = await admin.call('PATCH', `${terminals}/W1`, { headers: seen(1), body })
    expect([changed.status, changed.json]).toEqual([200, { ...whole, ...body, version: 2 }])
    expect((await admin.call('PATCH', `${terminals}/W1`, { headers: seen(1), body })).status).toBe(412)
    expect((await admin.call('PATCH', `${terminals}/nobody`, { headers: seen(1), body })).status).toBe(404)
    const moved = await admin.call('PATCH', `${terminals}/W1`, {
      headers: seen(2),
      body: { merchant: 'M00000000000001' },
    })
    expect(fields(moved)).toEqual(['/merchant'])
    expect((await admin.audit('terminal', 'W1')).map(({ action }) => action)).toEqual(['create', 'update'])
  })
})
