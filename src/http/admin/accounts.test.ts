import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'
import type { CallOptions } from '../../../test/support/http.ts'
import { tokenOf } from '../../../test/support/switch.ts'

let admin: TestAdmin
beforeAll(async () => {
  admin = await startAdmin({ cards: 12 })
  await admin.ledger.pool.query(`UPDATE lots SET expires_at = NULL`)
})
afterAll(() => admin.close())

const call = (method: string, path: string, options: CallOptions = {}) => admin.call(method, path, options)
const accounts = (holder: number) => `/admin/v1/cardholders/${holder}/accounts`
const place = { currency: 'IRR', merchant: 'M00000000000001', terminal: 'T0000001' }

async function done(answer: Promise<{ status: number; json: Record<string, never>; text: string }>) {
  const { status, json, text } = await answer
  if (status >= 300) throw new Error(text)
  return json as unknown as { id: string; lot: string }
}
const move = (path: string, body: object) => done(call('POST', `/admin/v1/${path}`, { body }))
const pay = (card: number, amount: number, over: object = {}) =>
  done(
    call('POST', '/v1/transactions', {
      key: 'pos-key',
      body: { card: { token: tokenOf(card) }, amount, ...place, capture: true, ...over },
    }),
  )
const follow = (id: string, step: string, body: object = {}) =>
  done(call('POST', `/v1/transactions/${id}/${step}`, { key: 'pos-key', body }))

interface Entry {
  readonly type: string
  readonly amount: number
  readonly balance: number
  readonly lots: readonly { lot: string; amount: number }[]
}

async function statement(holder: number, program: string, query = ''): Promise<Entry[]> {
  const entries: Entry[] = []
  for (let cursor = ''; ; ) {
    const page = await call('GET', `${accounts(holder)}/${program}/statement?limit=3${query}${cursor}`)
    if (page.status !== 200) throw new Error(page.text)
    entries.push(...page.json.items)
    if (page.json.nextCursor === null) return entries
    cursor = `&cursor=${page.json.nextCursor}`
  }
}

/** What is on each lot, as the ledger's own counters have it. */
async function lotsOf(holder: number, program: string): Promise<Map<string, number>> {
  const { rows } = await admin.ledger.pool.query(
    `SELECT l.lot::text, (l.credits_posted - l.debits_posted)::text AS balance
     FROM lots l JOIN programs p ON p.tenant = l.tenant AND p.id = l.program
     WHERE l.tenant = 1 AND l.holder = $1 AND p.code = $2`,
    [holder, program],
  )
  return new Map(rows.map(({ lot, balance }) => [lot, Number.parseInt(balance, 10)]))
}

describe('a statement', () => {
  test('of a mixed history: every balance is right, and it adds up to the lots', async () => {
    const load = { cardholder: '11', program: 'credit', funder: 'bazaar' }
    const { lot } = await move('loads', { ...load, amount: 5_000, reason: 'bonus' })
    await pay(11, 40_000_000)
    // From both loads, and not all of what was held.
    const held = await pay(11, 60_002_000, { capture: false })
    await follow(held.id, 'confirm', { amount: 60_001_000 })
    const bought = await pay(11, 3_000)
    await follow(bought.id, 'refund', { amount: 1_000 })
    await follow(bought.id, 'reverse', { amount: 500 })
    const whole = await pay(11, 700)
    await follow(whole.id, 'reverse')
    const refunded = await pay(11, 900)
    const back = await follow(refunded.id, 'refund')
    await follow(back.id, 'reverse', { amount: 400 })
    const given = await pay(11, 10, { capture: false })
    await follow(given.id, 'reverse')
    await move('adjustments', { cardholder: '11', lot, amount: 250, reason: 'counted wrongly' })
    await move('clawbacks', { cardholder: '11', program: 'credit', amount: 1_250, reason: 'left' })
    await move('loads', { ...load, amount: 8_000 })
    await pay(11, 5_000)

    const entries = await statement(11, 'credit')
    expect(entries.map(({ type, amount }) => [type, amount])).toEqual([
      ['purchase', -5_000],
      ['load', 8_000],
      ['clawback', -1_250],
      ['adjustment', 250],
      ['reversal', -400],
      ['refund', 900],
      ['purchase', -900],
      ['reversal', 700],
      ['purchase', -700],
      ['reversal', 500],
      ['refund', 1_000],
      ['purchase', -3_000],
      ['purchase', -60_001_000],
      ['purchase', -40_000_000],
      ['load', 5_000],
      ['load', 100_000_000],
    ])
    let balance = 0
    for (const entry of entries.toReversed()) {
      balance += entry.amount
      expect(entry.balance).toBe(balance)
      expect(entry.lots.reduce((sum, { amount }) => sum + amount, 0)).toBe(entry.amount)
    }
    const lots = await lotsOf(11, 'credit')
    for (const [lot, onLot] of lots) {
      const changes = entries.flatMap(entry => entry.lots.filter(one => one.lot === lot))
      expect(changes.reduce((sum, { amount }) => sum + amount, 0)).toBe(onLot)
    }
    expect([...lots.values()].reduce((sum, one) => sum + one, 0)).toBe(balance)
  })

  test('of one program tells what that one paid of a purchase', async () => {
    const welfareBefore = await lotsOf(1, 'welfare')
    await pay(1, 150_000_000)
    for (const program of ['credit', 'welfare']) {
      const [last] = await statement(1, program)
      const lots = await lotsOf(1, program)
      expect(last?.balance).toBe([...lots.values()].reduce((sum, one) => sum + one, 0))
    }
    expect(await lotsOf(1, 'welfare')).not.toEqual(welfareBefore)
  })

  test('tells type, reason, who and where', async () => {
    const load = { cardholder: '6', program: 'credit', funder: 'bazaar', amount: 70, reason: 'bonus', reference: 'b-7' }
    const { lot } = await move('loads', load)
    const { id } = await pay(6, 20, { reference: 'bill-1' })
    const { items } = (await call('GET', `${accounts(6)}/credit/statement?limit=2`)).json
    expect(items[0]).toMatchObject({
      type: 'purchase',
      amount: -20,
      balance: 100_000_050,
      merchant: 'M00000000000001',
      transaction: id,
      reference: 'bill-1',
    })
    expect(items[1]).toMatchObject({
      type: 'load',
      amount: 70,
      balance: 100_000_070,
      merchant: null,
      transaction: null,
      reference: 'b-7',
      reason: 'bonus',
      actor: 'admin-key',
      lots: [{ lot, funder: 'bazaar', amount: 70 }],
    })
    const csv = await call('GET', `${accounts(6)}/credit/statement?format=csv`)
    const [titles, ...records] = csv.text.trimEnd().split('\r\n')
    expect(titles).toContain(',actor,lots.lot,lots.funder,lots.amount')
    expect(records).toHaveLength(3)
    expect(csv.text).not.toMatch(/[{}[\]]/)
    expect((await statement(6, 'credit', '&type=purchase')).map(({ amount }) => amount)).toEqual([-20])
    expect(await statement(6, 'credit', `&from=${items[0].at}`)).toHaveLength(1)
    expect((await statement(6, 'credit', `&to=${items[0].at}`))[0]?.balance).toBe(100_000_070)
  })

  test.each([
    [`${accounts(999)}/credit/statement`, 404],
    [`${accounts(6)}/none/statement`, 404],
    [`${accounts(6)}/welfare/statement`, 404],
    [`${accounts(6)}/credit/statement?from=yesterday`, 400],
  ])('%s is %i', async (path, status) => {
    expect((await call('GET', path)).status).toBe(status)
  })
})

describe('accounts', () => {
  test('tell what is held, what may be spent, and the loads', async () => {
    await pay(2, 30, { capture: false })
    await move('loads', {
      cardholder: '2',
      program: 'credit',
      funder: 'bazaar',
      amount: 9,
      expiresAt: '2099-01-01T00:00:00Z',
    })
    const { items } = (await call('GET', accounts(2))).json
    const sum = (name: 'balance' | 'held' | 'available') =>
      items.reduce((all: number, one: Record<string, number>) => all + (one[name] ?? 0), 0)
    expect([sum('balance'), sum('held'), sum('available')]).toEqual([200_000_009, 30, 199_999_979])
    const credit = items.find(({ program }: { program: string }) => program === 'credit')
    expect(credit.lots.map(({ expiresAt }: { expiresAt: string | null }) => expiresAt)).toEqual([
      null,
      '2099-01-01T00:00:00.000000Z',
    ])
    expect(credit).toMatchObject({ isFrozen: false, limits: [] })
  })

  test('are frozen and released: what is loaded meanwhile is frozen too, a hold is not', async () => {
    const held = await pay(7, 50, { capture: false })
    const frozen = await call('POST', `${accounts(7)}/credit/freeze`, { body: { reason: 'police' } })
    expect([frozen.status, frozen.json.isFrozen, frozen.json.spendable]).toEqual([200, true, 0])
    await move('loads', { cardholder: '7', program: 'credit', funder: 'bazaar', amount: 60 })
    const refused = await call('POST', '/v1/transactions', {
      key: 'pos-key',
      body: { card: { token: tokenOf(7) }, amount: 5, ...place },
    })
    expect([refused.status, refused.json.reason]).toEqual([402, 'account_frozen'])
    await follow(held.id, 'confirm')
    const again = await call('POST', `${accounts(7)}/credit/freeze`, { body: { reason: 'police' } })
    expect(again.json.balance).toBe(100_000_010)
    const released = await call('POST', `${accounts(7)}/credit/release`)
    expect([released.json.isFrozen, released.json.spendable]).toEqual([false, 100_000_010])
    await pay(7, 5)
    expect((await admin.audit('account', '7/credit')).map(({ action, after }) => [action, after])).toEqual([
      ['freeze', { isFrozen: true, reason: 'police' }],
      ['release', { isFrozen: false, reason: null }],
    ])
    expect((await call('POST', `${accounts(7)}/welfare/freeze`, { body: { reason: 'x' } })).status).toBe(404)
    expect(
      (await call('POST', `${accounts(7)}/credit/freeze`, { key: 'finance-key', body: { reason: 'x' } })).status,
    ).toBe(403)
  })
})

describe('statements of the ledger', () => {
  test('of an organisation: opening and closing, and all between', async () => {
    const organisation = { code: 'snapp', name: 'Snapp', contract: 'unlimited' }
    await move('organisations', organisation)
    const load = { program: 'credit', funder: 'snapp' }
    await move('loads', { ...load, cardholder: '8', amount: 1_000, expiresAt: '2099-01-01T00:00:00Z' })
    await move('loads', { ...load, cardholder: '9', amount: 500, expiresAt: '2099-01-01T00:00:00Z' })
    const { id } = await pay(8, 300)
    await follow(id, 'refund', { amount: 100 })
    await move('clawbacks', { cardholder: '9', program: 'credit', funder: 'snapp', reason: 'left' })
    const { status, json } = await call('GET', '/admin/v1/organisations/snapp/statement')
    expect([status, json.opening, json.closing]).toEqual([200, 0, 800])
    const lines = json.items.map(({ type, count, amount, merchant }: Record<string, never>) => [
      type,
      count,
      amount,
      merchant,
    ])
    expect(lines).toEqual(
      expect.arrayContaining([
        ['load', 2, 1_500, null],
        ['purchase', 1, -300, 'M00000000000001'],
        ['refund', 1, 100, 'M00000000000001'],
        ['clawback', 1, -500, null],
      ]),
    )
    expect(lines).toHaveLength(4)
    const csv = await call('GET', '/admin/v1/organisations/snapp/statement', { headers: { accept: 'text/csv' } })
    expect(csv.text.split('\r\n')[0]).toBe('day,type,program,merchant,count,amount')
    const before = await call(
      'GET',
      '/admin/v1/organisations/snapp/statement?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z',
    )
    expect([before.json.opening, before.json.closing, before.json.items]).toEqual([0, 0, []])
    expect((await call('GET', '/admin/v1/organisations/snapp/statement', { key: 'organisation-key' })).status).toBe(404)
    expect((await call('GET', '/admin/v1/organisations/bazaar/statement', { key: 'organisation-key' })).status).toBe(
      200,
    )
  })

  test('of a merchant: what it is owed, and what was settled', async () => {
    const path = '/admin/v1/merchants/M00000000000002/statement'
    const there = { merchant: 'M00000000000002', terminal: 'T0000003' }
    const { id } = await pay(10, 900, there)
    await follow(id, 'refund', { amount: 200 })
    await pay(10, 50, there)
    const owed = (await call('GET', path)).json
    expect([owed.net, owed.items.length]).toEqual([750, 2])
    expect((await call('GET', path, { key: 'merchant-key' })).status).toBe(404)
    expect((await call('GET', '/admin/v1/merchants/M00000000000001/statement', { key: 'merchant-key' })).status).toBe(
      200,
    )
    expect((await call('GET', `${path}?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z`)).status).toBe(400)
  })
})
