import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'
import type { Engine } from '../../engine/engine.ts'
import { runLists } from '../../jobs/load-lists.ts'
import { type AdminPool, createAdminPool } from '../../store/admin/pool.ts'
import { readCatalogs } from '../../store/catalog.ts'

let admin: TestAdmin
let pool: AdminPool
let engine: Engine
beforeAll(async () => {
  admin = await startAdmin()
  pool = createAdminPool(admin.ledger.url, () => undefined)
})
afterAll(async () => {
  await pool.close()
  await admin.close()
})

const path = '/admin/v1/voucher-series'
const series = {
  name: 'Nowruz',
  program: 'nowruz',
  funder: 'bazaar',
  count: 3,
  amount: 50_000,
  validUntil: '2099-12-31',
  uses: 'single',
}
const loadAll = async (): Promise<void> => {
  const catalogs = await readCatalogs(admin.ledger.pool)
  engine = admin.ledger.engine({ catalogOf: tenant => catalogs.get(tenant) })
  const catalog = catalogs.get(1)
  if (catalog !== undefined) while ((await runLists(pool, engine, catalog)) > 0);
}
const issue = async (given: object = {}) => {
  const answer = await admin.call('POST', path, { body: { ...series, ...given } })
  await loadAll()
  return answer.json
}
const pay = (code: string, given: object = {}) =>
  admin.call('POST', '/v1/transactions', {
    key: 'pos-key',
    body: {
      card: { code },
      amount: 20_000,
      currency: 'IRR',
      merchant: 'M00000000000001',
      terminal: 'T0000001',
      capture: true,
      ...given,
    },
  })
const reasonOf = ({ status, json }: Awaited<ReturnType<typeof pay>>) => (status === 201 ? 'approved' : json.reason)

test('a series has codes that pay, once each, and they are stored nowhere', async () => {
  const made = await admin.call('POST', path, { idempotencyKey: 'v-1', body: { ...series, program: 'once' } })
  expect(made.status).toBe(201)
  expect(made.json.codes).toHaveLength(3)
  const again = await admin.call('POST', path, { idempotencyKey: 'v-1', body: { ...series, program: 'once' } })
  expect([again.status, again.json.id, again.json.codes]).toEqual([201, made.json.id, undefined])
  await loadAll()
  const read = await admin.call('GET', `${path}/${made.json.id}`)
  expect(read.json).toMatchObject({ loaded: 3, count: 3, sealedAt: null })

  const [code = ''] = made.json.codes
  const balance = await admin.call('POST', '/v1/balance-inquiries', { key: 'pos-key', body: { card: { code } } })
  expect(balance.json.items).toMatchObject([{ program: 'once', balance: 50_000, spendable: 50_000 }])
  expect(reasonOf(await pay(code.toLowerCase().replaceAll('-', '')))).toBe('approved')
  expect(reasonOf(await pay(code))).toBe('count_limit')
  const { rows } = await admin.ledger.pool.query(
    `SELECT (SELECT string_agg(c::text, '') FROM cards c) || (SELECT string_agg(s::text, '') FROM voucher_series s)
       || (SELECT string_agg(r::text, '') FROM admin_requests r) || (SELECT string_agg(a::text, '') FROM audit_log a)
       || (SELECT string_agg(l::text, '') FROM load_lines l) AS dump`,
  )
  for (const one of made.json.codes) {
    expect(rows[0].dump).not.toContain(one)
    expect(rows[0].dump).not.toContain(one.replaceAll('-', ''))
  }
})

test('codes are read as CSV, until the series is sealed; who has read them is known', async () => {
  const { id, codes } = await issue({ program: 'sealed' })
  const csv = await admin.call('GET', `${path}/${id}/codes.csv`)
  expect(
    csv.text
      .split('\r\n')
      .slice(1, 4)
      .map(line => line.split(',')[1]),
  ).toEqual(codes)
  expect((await admin.call('GET', `${path}/${id}/codes.csv`, { key: 'auditor-key' })).status).toBe(403)
  expect((await admin.call('GET', `${path}/${id}/codes.csv`, { key: 'other-key' })).status).toBe(404)
  const sealed = await admin.call('POST', `${path}/${id}/seal`)
  expect(sealed.status).toBe(200)
  expect(sealed.json.sealedAt).not.toBeNull()
  expect((await admin.call('POST', `${path}/${id}/seal`)).status).toBe(200)
  const gone = await admin.call('GET', `${path}/${id}/codes.csv`)
  expect([gone.status, gone.json.reason]).toEqual([409, 'state_unsuitable'])
  expect((await admin.audit('voucher-series', id)).map(({ action }) => action)).toEqual([
    'create',
    'read_codes',
    'seal',
  ])
  expect(reasonOf(await pay(codes[0]))).toBe('approved')
})

test('several uses, while there is something on it', async () => {
  const { codes } = await issue({ program: 'often', uses: 'several' })
  const [code] = codes
  expect(reasonOf(await pay(code))).toBe('approved')
  expect(reasonOf(await pay(code))).toBe('approved')
  expect(reasonOf(await pay(code))).toBe('insufficient_funds')
})

test.each([
  // name, rules, request, reason
  ['not yet', { validFrom: '2099-12-01' }, {}, 'program_not_now'],
  ['elsewhere', { where: { allow: { merchants: ['M00000000000002'] } } }, {}, 'program_not_allowed'],
  ['there', { where: { allow: { merchants: ['M00000000000001'] } } }, {}, 'approved'],
  ['too small a basket', { minimumBasket: 30_000 }, {}, 'amount_below_minimum'],
  ['other goods', { goods: ['milk'] }, { basket: [{ goods: 'beer', amount: 20_000 }] }, 'goods_not_eligible'],
  ['its goods', { goods: ['milk'] }, { basket: [{ goods: 'milk', amount: 20_000 }] }, 'approved'],
])('%s', async (name, rules, request, reason) => {
  const { codes } = await issue({ program: `rule-${name.replaceAll(' ', '-')}`, ...rules })
  expect(reasonOf(await pay(codes[0], request))).toBe(reason)
})

test.each([
  ['a program that is there', { program: 'credit' }, 409, '/program'],
  ['a merchant that is not there', { where: { allow: { merchants: ['nobody'] } } }, 400, '/where/allow/merchants/0'],
  ['what is over', { validUntil: '2020-01-01' }, 400, '/validUntil'],
  ['too many', { count: 100_001 }, 400, '/count'],
  ['no such funder', { funder: 'nobody' }, 400, '/funder'],
])('%s', async (_name, given, status, field) => {
  const answer = await admin.call('POST', path, { body: { ...series, program: 'wrong', ...given } })
  expect([answer.status, answer.json.errors?.[0]?.field]).toEqual([status, field])
})

test('who guesses codes is slowed down, and told for how long', async () => {
  const guess = (count: number) => pay(`${String(count).padStart(4, '0')}-AAAA-BBBB-CCCC`, { terminal: 'T0000002' })
  const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => guess(index)))
  expect(answers.filter(answer => reasonOf(answer) === 'card_unknown')).toHaveLength(10)
  const refused = answers.filter(({ status }) => status === 429)
  expect(refused).toHaveLength(2)
  for (const answer of refused) {
    expect(answer.json.reason).toBe('too_many_attempts')
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  }
  const { codes } = await issue({ program: 'elsewhere' })
  expect(reasonOf(await pay(codes[0]))).toBe('approved')
})

test('a big series waits for a second person; its codes are then read as CSV', async () => {
  await admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = 100000 WHERE id = 1')
  try {
    const asked = await admin.call('POST', path, { body: { ...series, program: 'big' } })
    expect([asked.status, asked.json.kind, asked.json.codes]).toEqual([202, 'vouchers', undefined])
    const approved = await admin.call('POST', `/admin/v1/approvals/${asked.json.id}/approve`, {
      key: 'second-admin-key',
    })
    expect(approved.json.answer.status).toBe(201)
    await loadAll()
    const csv = await admin.call('GET', `${path}/${approved.json.answer.body.id}/codes.csv`)
    const code = csv.text.split('\r\n')[1]?.split(',')[1] ?? ''
    expect(reasonOf(await pay(code))).toBe('approved')
  } finally {
    await admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = NULL WHERE id = 1')
  }
})
