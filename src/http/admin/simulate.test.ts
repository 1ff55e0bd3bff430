import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'
import type { CallOptions } from '../../../test/support/http.ts'
import { tokenOf } from '../../../test/support/switch.ts'

let admin: TestAdmin
beforeAll(async () => {
  admin = await startAdmin({ cards: 8 })
  const { pool } = admin.ledger
  const terms = {
    where: { allow: { merchants: ['M00000000000001'] } },
    purchase: { sharePercent: 50 },
    limits: [{ of: 'account', per: 'day', amount: '1000', count: 3 }],
    priority: 0,
  }
  await pool.query(
    `UPDATE program_terms SET terms = $1 WHERE tenant = 1
       AND program = (SELECT id FROM programs WHERE tenant = 1 AND code = 'welfare')`,
    [JSON.stringify(terms)],
  )
  await pool.query(
    `UPDATE program_terms SET terms = '{"priority": 5}' WHERE tenant = 1
       AND program = (SELECT id FROM programs WHERE tenant = 1 AND code = 'credit')`,
  )
  await pool.query('UPDATE tenants SET catalog_version = catalog_version + 1')
  // Any change through the API makes the process read the terms again.
  await call('POST', '/admin/v1/organisations', { body: { code: 'any', name: 'Any' } })
})
afterAll(() => admin.close())

const call = (method: string, path: string, options: CallOptions = {}) => admin.call(method, path, options)
const simulate = (over: object, key = 'admin-key') =>
  call('POST', '/admin/v1/simulate', {
    key,
    body: { card: { token: tokenOf(1) }, merchant: 'M00000000000001', amount: 500, ...over },
  })
const pay = (over: object) =>
  call('POST', '/v1/transactions', {
    key: 'pos-key',
    body: {
      card: { token: tokenOf(1) },
      merchant: 'M00000000000001',
      terminal: 'T0000001',
      amount: 500,
      currency: 'IRR',
      ...over,
    },
  })

/** Every row of every table, but for the API's own bookkeeping of keys that were looked up. */
async function state(): Promise<string> {
  const { rows } = await admin.ledger.pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`,
  )
  const all = await Promise.all(
    rows.map(({ name }) =>
      admin.ledger.pool.query(`SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM ${name} t`),
    ),
  )
  return all.map(({ rows: [row] }) => row.md5).join()
}

describe('what would happen', () => {
  test('is what happens, line by line, and has no effect', async () => {
    const before = await state()
    const asked = await simulate({})
    expect(asked.status).toBe(200)
    expect(asked.json).toMatchObject({ decision: 'approved', reason: 'approved', responseCode: '00', amount: 500 })
    expect(await state()).toBe(before)
    const [welfare, credit] = asked.json.lines
    expect([welfare.program, welfare.taken, welfare.because]).toEqual(['welfare', 250, 'share_limit'])
    expect(welfare.limits).toEqual([
      {
        of: 'account',
        per: 'day',
        hours: null,
        merchant: null,
        organisation: null,
        amount: 1_000,
        count: 3,
        usedAmount: 0,
        usedCount: 0,
        leftAmount: 1_000,
        leftCount: 3,
      },
    ])
    expect([credit.program, credit.taken, credit.because]).toEqual(['credit', 250, null])
    const paid = await pay({})
    const legs = (body: { legs: { program: string; amount: number }[] }) =>
      body.legs.map(({ program, amount }) => [program, amount])
    expect(legs(asked.json)).toEqual(legs(paid.json))
    const after = (await simulate({})).json.lines[0]
    expect([after.limits[0].usedAmount, after.limits[0].leftCount]).toEqual([250, 2])
  })

  test.each([
    [{ merchant: 'none' }, 'merchant_unknown'],
    [{ terminal: 'none' }, 'terminal_unknown'],
    [{ terminal: 'T0000003' }, 'terminal_not_of_merchant'],
    [{ currency: 'EUR' }, 'currency_unsupported'],
    [{ card: { token: 'f'.repeat(32) } }, 'card_unknown'],
    [{ card: { id: '999999' } }, 'card_unknown'],
    [{ card: { pan: '9364000000000019' } }, 'card_unknown'],
    [{ amount: 900_000_000 }, 'insufficient_funds'],
  ])('refused for its reason: %o', async (over, reason) => {
    const asked = await simulate(over)
    expect([asked.status, asked.json.decision, asked.json.reason]).toEqual([200, 'refused', reason])
  })

  test('the losers tell their reasons', async () => {
    const { json } = await simulate({ merchant: 'M00000000000002', amount: 100 })
    expect([json.decision, json.lines[0].because, json.lines[1].taken]).toEqual([
      'approved',
      'program_not_allowed',
      100,
    ])
    expect(json.legs).toHaveLength(1)
  })

  test('a part, where a part would do; at another time; by the id of a card', async () => {
    const part = await simulate({ amount: 900_000_000, partial: true })
    expect([part.json.decision, part.json.responseCode]).toEqual(['approved_partially', '10'])
    const { items } = (await call('GET', '/admin/v1/cards?cardholder=1')).json
    const then = await simulate({ card: { id: items[0].id }, at: '2099-01-01T00:00:00Z' })
    expect([then.json.at, then.json.lines[0].limits[0].usedAmount]).toEqual(['2099-01-01T00:00:00.000000Z', 0])
  })

  test.each([
    [{ at: 'soon' }, 400],
    [{ card: {} }, 400],
    [{ basket: [{ goods: 'food', amount: 501 }] }, 400],
  ])('not well formed: %o', async (over, status) => {
    expect((await simulate(over)).status).toBe(status)
  })

  test('the auditor may ask, finance may not, and another tenant has no such card', async () => {
    expect((await simulate({}, 'auditor-key')).status).toBe(200)
    expect((await simulate({}, 'finance-key')).status).toBe(403)
    expect((await simulate({}, 'other-key')).json.reason).toBe('merchant_unknown')
  })
})

describe('a program for some goods, with limits of merchants and organisations', () => {
  const terms = {
    purchase: { goods: ['food'] },
    limits: [
      { of: 'merchant', per: 'persian_month', amount: '700' },
      { of: 'organisation', per: 'year', amount: '1000' },
      { of: 'holder', per: 'lifetime', count: 4 },
    ],
  }
  beforeAll(async () => {
    const program = { code: 'groceries', name: 'Groceries', kind: 'welfare', terms }
    await call('POST', '/admin/v1/programs', { body: program })
    await call('POST', '/admin/v1/organisations', { body: { code: 'union', name: 'Union' } })
    for (const cardholder of ['4', '5']) {
      const load = { cardholder, program: 'groceries', funder: 'union', amount: 5_000 }
      await call('POST', '/admin/v1/loads', { body: load })
    }
  })
  const card = { token: tokenOf(4) }
  const lineOf = (json: { lines: { program: string; taken: number; because: string | null }[] }) => {
    const { taken, because } = json.lines.find(({ program }) => program === 'groceries') ?? {}
    return [taken, because]
  }

  test('the basket decides what it pays for, in a simulation as in a purchase', async () => {
    const basket = [
      { goods: 'food', amount: 150 },
      { goods: 'toys', amount: 50 },
    ]
    expect(lineOf((await simulate({ card, amount: 200_000_000, basket })).json)).toEqual([150, 'goods_not_eligible'])
    const paid = await pay({ card, amount: 200, basket: [{ goods: 'food', amount: 150 }], capture: true })
    const ofProgram = paid.json.legs.filter(({ program }: { program: string }) => program === 'groceries')
    expect(ofProgram.every(({ amount }: { amount: number }) => amount <= 150)).toBe(true)
  })

  test('what the limits have counted is told with the account', async () => {
    const basket = [{ goods: 'food', amount: 600 }]
    await call('POST', '/admin/v1/cardholders/4/accounts/credit/freeze', { body: { reason: 'test' } })
    await call('POST', '/admin/v1/cardholders/4/accounts/welfare/freeze', { body: { reason: 'test' } })
    const before = await accountOf(4)
    const paid = await pay({ card, amount: 300, basket: basket.map(line => ({ ...line, amount: 300 })) })
    expect(paid.status).toBe(201)
    const after = await accountOf(4)
    expect(before.limits.map(({ of }) => of)).toEqual(expect.arrayContaining(['organisation', 'holder']))
    const limit = (account: Account, of: string) => account.limits.find(one => one.of === of)
    const usedBefore = (of: string) => limit(before, of)?.usedAmount ?? 0
    expect(limit(after, 'merchant')).toMatchObject({
      merchant: 'M00000000000001',
      per: 'persian_month',
      usedAmount: usedBefore('merchant') + 300,
      leftAmount: 700 - usedBefore('merchant') - 300,
      count: null,
      leftCount: null,
    })
    expect(limit(after, 'organisation')).toMatchObject({
      organisation: 'union',
      usedAmount: usedBefore('organisation') + 300,
    })
    expect(limit(after, 'holder')?.leftCount).toBe((limit(before, 'holder')?.leftCount ?? 0) - 1)
    // Another holder of the same organisation meets the same budget.
    const budget = 1_000 - (limit(after, 'organisation')?.usedAmount ?? 0)
    expect(limit(await accountOf(5), 'organisation')).toMatchObject({ leftAmount: budget })
  })

  interface Account {
    readonly program: string
    readonly limits: readonly { of: string; usedAmount: number; leftCount: number | null }[]
  }
  async function accountOf(holder: number): Promise<Account> {
    const { items } = (await call('GET', `/admin/v1/cardholders/${holder}/accounts`)).json
    return items.find(({ program }: Account) => program === 'groceries')
  }
})

describe('a balance inquiry over HTTP', () => {
  const inquire = async (card: number, merchant?: string) => {
    const body = { card: { token: tokenOf(card) }, ...(merchant !== undefined && { merchant }) }
    const { json } = await call('POST', '/v1/balance-inquiries', { key: 'pos-key', body })
    return json.items.map(({ program, spendable }: Record<string, never>) => [program, spendable])
  }

  test('tells what limits and place leave', async () => {
    expect(await inquire(2)).toEqual(expect.arrayContaining([['welfare', 1_000]]))
    await pay({ card: { token: tokenOf(2) }, amount: 600 })
    expect(await inquire(2, 'M00000000000001')).toEqual(expect.arrayContaining([['welfare', 700]]))
    expect(await inquire(2, 'M00000000000002')).toEqual(expect.arrayContaining([['welfare', 0]]))
  })
})

describe('search of transactions', () => {
  const find = async (query: string, key = 'admin-key') => {
    const answer = await call('GET', `/admin/v1/transactions?${query}`, { key })
    if (answer.status !== 200) throw new Error(answer.text)
    return answer.json.items as { id: string; reason: string; cardholder: string; cardLast4: string; message: string }[]
  }

  test('by holder, card, amount and reason; refusals tell the operator why', async () => {
    const bought = (await pay({ card: { token: tokenOf(6) }, amount: 77 })).json
    const refused = (await pay({ card: { token: tokenOf(6) }, amount: 900_000_001 })).json
    const ids = async (query: string, key?: string) => (await find(query, key)).map(({ id }) => id)
    expect(await ids('cardholder=6')).toEqual([refused.transactionId, bought.id])
    const [found] = await find('cardholder=6&reason=insufficient_funds')
    expect(found).toMatchObject({
      id: refused.transactionId,
      cardholder: '6',
      cardLast4: '0000',
      message: 'There is not enough credit.',
    })
    const { items } = (await call('GET', '/admin/v1/cards?cardholder=6')).json
    expect(await ids(`card=${items[0].id}&maxAmount=77`)).toEqual([bought.id])
    expect(await ids(`card=${items[0].id}&minAmount=78&maxAmount=900000000`)).toEqual([])
    expect(await ids('last4=0000&minAmount=77&maxAmount=77')).toEqual([bought.id])
    expect(await ids('last4=9999')).toEqual([])
    expect(await ids('cardholder=6&merchant=M00000000000002')).toEqual([])
    expect(await ids(`rrn=${bought.rrn}`)).toEqual([bought.id])
    expect(await ids('cardholder=6', 'merchant-key')).toHaveLength(2)
    expect(await ids('merchant=M00000000000002', 'merchant-key')).toEqual([])
    expect(await ids('cardholder=6', 'organisation-key')).toEqual([bought.id])
    expect(await ids('cardholder=6', 'other-key')).toEqual([])
  })

  test('in pages, and whole as CSV', async () => {
    for (let n = 1; n <= 5; n++) await pay({ card: { token: tokenOf(7) }, amount: n })
    const first = await call('GET', '/admin/v1/transactions?cardholder=7&limit=2')
    const next = await call('GET', `/admin/v1/transactions?cardholder=7&limit=2&cursor=${first.json.nextCursor}`)
    const amounts = [...first.json.items, ...next.json.items].map(({ amount }) => amount.requested)
    expect(amounts).toEqual([5, 4, 3, 2])
    const csv = await call('GET', '/admin/v1/transactions?cardholder=7&limit=2&format=csv')
    expect(csv.text.trimEnd().split('\r\n')).toHaveLength(6)
    expect((await call('GET', '/admin/v1/transactions?minAmount=-1')).status).toBe(400)
  })
})
