import type { TestAdmin } from './admin.ts'
import type { CallOptions } from './http.ts'

/** Texts that only the first tenant has: none of them may ever be told to the key of another. */
export const secrets = [
  'M00000000000001',
  'T0000001',
  'bazaar',
  'Bazaar',
  'admin-key"',
  'operator-key',
  'Isolde Only',
  'staff-0001',
  'bill-isolated',
  'Nowruz isolated',
  'Monthly isolated',
  'Vouchers isolated',
  'isolated-2099',
]

/** For each address the ids and codes of the first tenant, by the names of its parameters. */
export type Values = Readonly<Record<string, Readonly<Record<string, string>>>>

const monthly = {
  name: 'Monthly isolated',
  program: 'credit',
  funder: 'bazaar',
  amount: 5,
  calendar: 'persian',
  dayOfMonth: 1,
  time: '08:00',
  holders: 'list',
  members: [{ cardholder: '1' }],
}

const vouchers = {
  name: 'Vouchers isolated',
  program: 'isolated-2099',
  funder: 'bazaar',
  count: 2,
  amount: 5,
  validUntil: '2099-12-31',
  uses: 'single',
}

const gift = { code: 'gift-isolated', name: 'Gift isolated', kind: 'gift', funder: 'bazaar', bin: '936402' }

/** Sets up something of every kind with the first tenant. */
export async function fillFirstTenant({ call, ledger }: TestAdmin): Promise<Values> {
  const { pool } = ledger
  const sql = async (text: string): Promise<string> => String(Object.values((await pool.query(text)).rows[0])[0])
  await pool.query(
    `INSERT INTO cardholder_profiles (holder, made_at, tenant, reference, name, mobile)
     SELECT 1, clock_timestamp(), 1, 'staff-0001', 'Isolde Only', '+989120000001'
     WHERE NOT EXISTS (SELECT FROM cardholder_profiles WHERE tenant = 1 AND holder = 1)`,
  )
  const token = await sql(`SELECT replace(token::text, '-', '') FROM cards WHERE tenant = 1 AND holder = 1`)
  const purchase = {
    card: { token },
    amount: 10,
    currency: 'IRR',
    merchant: 'M00000000000001',
    terminal: 'T0000001',
    reference: 'bill-isolated',
  }
  const pay = async (capture: boolean): Promise<string> =>
    idOf(await call('POST', '/v1/transactions', { key: 'pos-key', body: { ...purchase, capture } }))
  await pay(true)
  const closed = await call('POST', '/v1/settlements', { key: 'pos-key', body: {} })
  const transaction = await pay(false)
  await call('PUT', '/admin/v1/holidays/2026-03-21', { body: { name: 'Nowruz isolated' } })
  const schedule = await call('POST', '/admin/v1/load-schedules', { body: monthly })
  const series = await call('POST', '/admin/v1/voucher-series', { body: vouchers })
  await call('PATCH', '/admin/v1/tenant', { headers: { 'if-match': '"1"' }, body: { fourEyesAbove: 1_000 } })
  const load = { cardholder: '1', program: 'credit', funder: 'bazaar', amount: 5_000 }
  const waiting = await call('POST', '/admin/v1/loads', { key: 'finance-key', body: load })
  const file = await call('POST', '/admin/v1/load-files?program=credit&funder=bazaar', {
    headers: { 'content-type': 'text/csv' },
    body: 'reference,amount\nstaff-0001,500\n',
  })
  const card = await sql('SELECT id FROM cards WHERE tenant = 1 AND holder = 1')
  await call('POST', '/admin/v1/programs', { body: gift })
  const gifts = await call('POST', '/admin/v1/gift-cards', { body: { program: gift.code, count: 1 } })
  return {
    '/v1/transactions': { id: transaction },
    '/v1/settlements': { id: closed.json.items[0].id },
    '/admin/v1/holidays': { date: '2026-03-21' },
    '/admin/v1/api-keys': { id: await sql(`SELECT id FROM api_keys WHERE label = 'auditor-key'`) },
    '/admin/v1/organisations': { code: 'bazaar' },
    '/admin/v1/merchants': { code: 'M00000000000001' },
    '/admin/v1/terminals': { code: 'T0000001' },
    '/admin/v1/programs': { code: 'credit' },
    '/admin/v1/approvals': { id: idOf(waiting) },
    '/admin/v1/load-files': { id: idOf(file) },
    '/admin/v1/load-schedules': { id: idOf(schedule) },
    '/admin/v1/voucher-series': { id: idOf(series) },
    '/admin/v1/gift-cards': { id: gifts.json.items[0].id },
    '/admin/v1/cardholders': { id: '1', program: 'credit' },
    '/admin/v1/cards': { id: card },
    '/admin/v1/transactions': { id: transaction },
  }
}

function idOf(answer: { readonly status: number; readonly json: { readonly id: string } }): string {
  if (answer.status >= 300) throw new Error(`not set up: ${JSON.stringify(answer.json)}`)
  return answer.json.id
}

const seen = { 'if-match': '"1"' }
const load = { cardholder: '1', program: 'credit', amount: 1 }

/**
 * What each call that changes or asks something is tried with: a body that would do it in the first tenant, so that it
 * is the tenant that refuses it. Left out: none.
 */
export const attempts: Readonly<Record<string, CallOptions>> = {
  'POST /v1/transactions': {
    body: {
      card: { token: '01000000000000000000000000000001' },
      amount: 1,
      currency: 'IRR',
      merchant: 'M00000000000001',
      terminal: 'T0000001',
    },
  },
  'POST /v1/reversals': { body: { original: { merchant: 'M00000000000001', reference: 'bill-isolated' } } },
  'POST /v1/balance-inquiries': { body: { card: { token: '01000000000000000000000000000001' } } },
  'POST /v1/settlements': { body: { merchant: 'M00000000000001' } },
  'PATCH /admin/v1/tenant': { headers: seen, body: { cutOverSeconds: 60 } },
  'PUT /admin/v1/holidays/:date': { body: { name: 'Other day' } },
  'POST /admin/v1/api-keys': { body: { label: 'x', role: 'organisation', organisation: 'bazaar' } },
  'POST /admin/v1/organisations': { body: { code: 'mine', name: 'Mine' } },
  'PATCH /admin/v1/organisations/:code': { headers: seen, body: { name: 'Mine' } },
  'POST /admin/v1/organisations/:code/deposits': { body: { amount: 1 } },
  'POST /admin/v1/merchants': { body: { code: 'mine', name: 'Mine' } },
  'PATCH /admin/v1/merchants/:code': { headers: seen, body: { name: 'Mine' } },
  'POST /admin/v1/terminals': { body: { code: 'T0000001', merchant: 'M00000000000002' } },
  'PATCH /admin/v1/terminals/:code': { headers: seen, body: { partial: true } },
  'POST /admin/v1/programs': { body: { code: 'mine', name: 'Mine', kind: 'gift', funder: 'bazaar' } },
  'PATCH /admin/v1/programs/:code': { headers: seen, body: { name: 'Mine' } },
  'POST /admin/v1/programs/:code/terms': { body: { terms: {} } },
  'POST /admin/v1/loads': { body: load },
  'POST /admin/v1/clawbacks': { body: load },
  'POST /admin/v1/clawback-lists': { body: { cardholders: ['1'], program: 'credit' } },
  'POST /admin/v1/adjustments': { body: { cardholder: '1', lot: '1', amount: 1, reason: 'mine' } },
  'POST /admin/v1/transfers': { body: { ...load, toProgram: 'welfare' } },
  'POST /admin/v1/load-files': {
    headers: { 'content-type': 'text/csv' },
    body: 'reference,amount,program\nstaff-0001,5,credit\n',
  },
  'POST /admin/v1/load-schedules': { body: monthly },
  'PATCH /admin/v1/load-schedules/:id': { headers: seen, body: { amount: 6 } },
  'POST /admin/v1/voucher-series': { body: { ...vouchers, name: 'Mine', program: 'mine-2099' } },
  'POST /admin/v1/gift-cards': { body: { program: gift.code, count: 1 } },
  'POST /admin/v1/gift-cards/:id/activate': { body: { amount: 1 } },
  'POST /admin/v1/gift-cards/:id/load': { body: { amount: 1 } },
  'POST /admin/v1/gift-cards/:id/adjust': { body: { amount: 1, reason: 'mine' } },
  'POST /admin/v1/gift-cards/:id/block': { body: { reason: 'mine' } },
  'POST /admin/v1/gift-cards/:id/merge': { body: { into: '1' } },
  'POST /admin/v1/cardholders': { body: { reference: 'mine-1' } },
  'POST /admin/v1/cardholders/search': { body: { reference: 'staff-0001' } },
  'PATCH /admin/v1/cardholders/:id': { headers: seen, body: { name: 'Mine' } },
  'POST /admin/v1/cardholders/:id/accounts/:program/freeze': { body: { reason: 'mine' } },
  'POST /admin/v1/cards': { body: { cardholder: '1', program: 'credit', kind: 'virtual' } },
  'PATCH /admin/v1/cards/:id': { headers: seen, body: { expiresAt: null } },
  'POST /admin/v1/cards/:id/block': { body: { reason: 'mine' } },
  'POST /admin/v1/simulate': {
    body: { card: { token: '01000000000000000000000000000001' }, merchant: 'M00000000000001', amount: 1 },
  },
}
