import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'
import { movementsSeenMax } from '../../store/admin/movements.ts'

interface Item {
  readonly id: string
  readonly at: string
  readonly type: string
  readonly cardholder: string
  readonly program: string
  readonly funder: string
  readonly lot: string
  readonly amount: number
  readonly balance: number
  readonly reason: string | null
  readonly actor: string | null
}

const path = '/admin/v1/movements'
let admin: TestAdmin
let lot: string
beforeAll(async () => {
  admin = await startAdmin({ cards: 6 })
  const acme = { code: 'acme', name: 'Acme', contract: 'unlimited' }
  expect((await admin.call('POST', '/admin/v1/organisations', { body: acme })).status).toBe(201)
  lot = await move('loads', { cardholder: '2', program: 'credit', funder: 'acme', amount: 500, reason: 'bonus' })
  await move('adjustments', { cardholder: '2', lot, amount: -20, reason: 'typed wrongly' })
  await move('clawbacks', { cardholder: '2', program: 'credit', funder: 'acme', amount: 80 }, 'finance-key')
  await move('transfers', { cardholder: '3', program: 'credit', toCardholder: '4', amount: 7 })
})
afterAll(() => admin.close())

async function move(call: string, body: object, key = 'admin-key'): Promise<string> {
  const { status, json, text } = await admin.call('POST', `/admin/v1/${call}`, { key, body })
  if (status !== 201) throw new Error(text)
  return json.lot
}

const list = async (query = '', key = 'admin-key'): Promise<Item[]> => {
  const { status, json, text } = await admin.call('GET', `${path}?${query}`, { key })
  if (status !== 200) throw new Error(text)
  return json.items
}
const told = (items: readonly Item[]) => items.map(one => [one.type, one.cardholder, one.amount, one.actor])

test('who has moved what, when and why, the newest first', async () => {
  const [taken, put, ...rest] = await list()
  expect([taken?.type, put?.type, taken?.id]).toEqual(['transfer', 'transfer', put?.id])
  expect(new Set([taken?.amount, put?.amount])).toEqual(new Set([7, -7]))
  expect(rest[1]).toEqual({
    ...{ id: expect.stringMatching(/^[0-9]+-[0-9]+$/), at: expect.any(String), type: 'adjustment', cardholder: '2' },
    ...{ program: 'credit', funder: 'acme', lot, amount: -20, balance: 480, reason: 'typed wrongly', reference: null },
    ...{ actor: 'admin-key' },
  })
  expect(told(rest.slice(0, 3))).toEqual([
    ['clawback', '2', -80, 'finance-key'],
    ['adjustment', '2', -20, 'admin-key'],
    ['load', '2', 500, 'admin-key'],
  ])
  // And the first loads, which were made without the API.
  expect(rest.length).toBe(3 + 6 + 5)
})

test('pages come to all of them once, and so does the CSV', async () => {
  const all = await list()
  const paged: Item[] = []
  for (let cursor = ''; ; ) {
    const { json } = await admin.call('GET', `${path}?limit=4${cursor}`)
    paged.push(...json.items)
    if (json.nextCursor === null) break
    cursor = `&cursor=${json.nextCursor}`
  }
  expect(paged).toEqual(all)
  const { text, headers } = await admin.call('GET', `${path}?format=csv`)
  const lines = text.trim().split('\r\n')
  expect(headers['content-disposition']).toBe('attachment; filename="movements.csv"')
  expect(lines[0]).toBe('id,at,type,cardholder,program,funder,lot,amount,balance,reason,reference,actor')
  expect(lines.length).toBe(all.length + 1)
})

describe('filters', () => {
  test.each([
    ['type=adjustment', [['adjustment', '2', -20, 'admin-key']]],
    ['actor=finance-key', [['clawback', '2', -80, 'finance-key']]],
    ['cardholder=2&funder=acme&type=load', [['load', '2', 500, 'admin-key']]],
    ['cardholder=2&program=welfare&funder=acme', []],
    ['funder=nobody', []],
    ['program=nothing', []],
    ['to=2020-01-01T00:00:00Z', []],
  ])('%s', async (query, expected) => {
    expect(told(await list(query))).toEqual(expected)
  })

  test('a span of time takes its start and leaves its end', async () => {
    const [, , clawback, adjustment] = await list()
    const between = await list(`from=${adjustment?.at}&to=${clawback?.at}`)
    expect(between.map(({ id }) => id)).toEqual([adjustment?.id])
  })

  test.each(['cursor=MTI', 'cursor=!', 'type=purchase', 'from=today', 'colour=red'])('%s is refused', async query => {
    expect((await admin.call('GET', `${path}?${query}`)).status).toBe(400)
  })
})

test('an organisation sees what is on lots that it has funded', async () => {
  const own = await list('', 'organisation-key')
  expect(new Set(own.map(({ funder }) => funder))).toEqual(new Set(['bazaar']))
  expect(own.length).toBe((await list('funder=bazaar')).length)
  expect(await list('funder=acme', 'organisation-key')).toEqual([])
})

test('another tenant sees none of it, and who may not read loads neither', async () => {
  expect(await list('', 'other-key')).toEqual([])
  expect((await admin.call('GET', path, { key: 'merchant-key' })).status).toBe(403)
})

test('one call looks at so many, and the next goes on from there', async () => {
  await admin.ledger.pool.query(
    `INSERT INTO lot_movements (lot, holder, batch_seq, at, amount, balance, tenant, idx, kind)
     SELECT lot, 2, 1000000 + n / 2000, timestamptz '2040-01-01' + n / 2000 * interval '1 ms', 1, 1, 1, n % 2000, 6
     FROM lots, generate_series(1, $2) AS n WHERE lot = $1`,
    [lot, movementsSeenMax + 1],
  )
  const query = `${path}?actor=finance-key`
  const { json } = await admin.call('GET', query)
  expect([json.items, typeof json.nextCursor]).toEqual([[], 'string'])
  const next = await admin.call('GET', `${query}&cursor=${json.nextCursor}`)
  expect([told(next.json.items), next.json.nextCursor]).toEqual([[['clawback', '2', -80, 'finance-key']], null])
  const { json: whole } = await admin.call('GET', `${path}?limit=500&to=2040-01-01T00:00:00.001Z`)
  expect(whole.nextCursor).not.toBeNull()
  const { text } = await admin.call('GET', `${path}?format=csv`)
  expect(text.trim().split('\r\n').length).toBe(1 + movementsSeenMax + 1 + 2 + 3 + 6 + 5)
})
