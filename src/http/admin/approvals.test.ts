import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'

let admin: TestAdmin
let isEnding = false
beforeAll(async () => {
  admin = await startAdmin({
    wrap: given => ({
      ...given,
      approvals: {
        ...given.approvals,
        answer: async (...answer) => {
          if (isEnding) throw new Error('the process ends before it stores the answer')
          await given.approvals.answer(...answer)
        },
      },
    }),
  })
  await admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = 0 WHERE id = 1')
})
afterAll(() => admin.close())

const schedule = {
  name: 'Food',
  program: 'welfare',
  funder: 'bazaar',
  amount: 1_000,
  calendar: 'persian',
  dayOfMonth: 31,
  time: '08:00',
  holders: 'list',
  members: [{ cardholder: '1' }],
}
const series = {
  name: 'Nowruz',
  program: 'nowruz',
  funder: 'bazaar',
  count: 3,
  amount: 50_000,
  validUntil: '2099-12-31',
  uses: 'single',
}
const clawback = { program: 'welfare', funder: 'bazaar', cardholders: ['1'] }

test.each([
  // kind, path, body, where there is one more then
  ['schedule', 'load-schedules', schedule, 'load_schedules'],
  ['vouchers', 'voucher-series', series, 'voucher_series'],
  ['clawback-list', 'clawback-lists', clawback, 'load_lists'],
  ['terms', 'programs/welfare/terms', { terms: { priority: 9 } }, 'program_terms'],
])('%s: what was carried out does not expire, though the process ended at once', async (kind, path, body, made) => {
  const asked = await admin.call('POST', `/admin/v1/${path}`, { key: 'second-admin-key', body })
  expect([asked.status, asked.json.kind]).toEqual([202, kind])
  await expectKept(asked.json.id, made, 201)
})

test('list: what was carried out does not expire, though the process ended at once', async () => {
  await admin.ledger.pool.query(
    `INSERT INTO cardholder_profiles (tenant, holder, made_at, reference) VALUES (1, 1, clock_timestamp(), 'E-1')`,
  )
  const sent = await admin.call('POST', '/admin/v1/load-files?program=welfare&funder=bazaar', {
    key: 'second-admin-key',
    headers: { 'content-type': 'text/csv' },
    body: 'reference,amount\nE-1,50\n',
  })
  const asked = await admin.call('POST', `/admin/v1/load-files/${sent.json.id}/run`, { key: 'second-admin-key' })
  expect([asked.status, asked.json.kind]).toEqual([202, 'list'])
  await expectKept(asked.json.id, "load_lists WHERE state = 'running'", 202)
})

/** Approves it in a process that ends before it can answer, and looks at it eight days later. */
async function expectKept(id: string, made: string, status: number): Promise<void> {
  const { pool } = admin.ledger
  const count = async () => (await pool.query(`SELECT count(*)::integer AS n FROM ${made}`)).rows[0].n
  const path = `/admin/v1/approvals/${id}`
  const before = await count()
  isEnding = true
  expect((await admin.call('POST', `${path}/approve`)).status).toBe(500)
  isEnding = false
  expect(await count()).toBe(before + 1)
  await pool.query("UPDATE approvals SET decided_at = decided_at - interval '8 days' WHERE id = $1", [id])
  const { json } = await admin.call('GET', path)
  expect([json.status, json.answer?.status]).toEqual(['approved', status])
  expect((await admin.call('POST', `${path}/approve`)).json).toEqual(json)
  expect(await count()).toBe(before + 1)
}
