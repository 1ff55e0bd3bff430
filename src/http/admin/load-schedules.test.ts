import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'
import type { Engine } from '../../engine/engine.ts'
import { runLists } from '../../jobs/load-lists.ts'
import { beginDuePeriods } from '../../jobs/load-schedules.ts'
import { beginPeriod } from '../../store/admin/load-schedules.ts'
import { type AdminPool, createAdminPool } from '../../store/admin/pool.ts'

let admin: TestAdmin
let pool: AdminPool
let engine: Engine
beforeAll(async () => {
  admin = await startAdmin({ cards: 20 })
  pool = createAdminPool(admin.ledger.url, () => undefined)
  engine = admin.ledger.engine()
})
afterAll(async () => {
  await pool.close()
  await admin.close()
})

const path = '/admin/v1/load-schedules'
const monthly = {
  name: 'Food',
  program: 'welfare',
  funder: 'bazaar',
  amount: 1_000,
  calendar: 'persian',
  dayOfMonth: 31,
  time: '08:00',
  holders: 'list',
  members: [{ cardholder: '10' }, { cardholder: '11', amount: 500 }],
}
const create = async (given: object = {}) => (await admin.call('POST', path, { body: { ...monthly, ...given } })).json
/** As if the clock had come so many periods further: it is due since then. */
const due = (id: string, monthsAgo: number) =>
  admin.ledger.pool.query(
    `UPDATE load_schedules SET next_day = next_day - $2 * 30, due_at = due_at - $2 * interval '30 days'
     WHERE id = $1`,
    [id, monthsAgo],
  )
const runBegun = async (): Promise<void> => {
  while ((await runLists(pool, engine, admin.ledger.catalog)) > 0);
}
const runAll = async (): Promise<void> => {
  await beginDuePeriods(pool, admin.ledger.catalog.tenant)
  await runBegun()
}
const loadsOf = async (id: string): Promise<string[]> => {
  const { rows } = await admin.ledger.pool.query(
    `SELECT x.holder, count(*) AS lots, sum(l.credits_posted) AS sum FROM load_lines x
     JOIN load_lists t ON t.id = x.list AND t.schedule = $1
     JOIN lots l ON l.lot = x.lot GROUP BY 1 ORDER BY 1`,
    [id],
  )
  return rows.map(({ holder, lots, sum }) => `${holder}: ${lots} ${sum}`)
}

test('two switches that run the same period at once load each member once', async () => {
  const { id } = await create()
  await due(id, 2)
  const second = createAdminPool(admin.ledger.url, () => undefined)
  const other = admin.ledger.engine()
  const { catalog } = admin.ledger
  const before = await admin.call('GET', `${path}/${id}`)
  await Promise.all(
    [pool, second, pool, second].map(async (one, index) => {
      await beginDuePeriods(one, catalog.tenant)
      await runLists(one, index % 2 === 0 ? engine : other, catalog)
    }),
  )
  await runAll()
  const lists = (await admin.call('GET', `/admin/v1/load-files?schedule=${id}`)).json.items
  const periods = lists.map(({ period }: { period: string }) => period)
  expect(new Set(periods).size).toBe(periods.length)
  expect(lists.length).toBeGreaterThanOrEqual(1)
  for (const list of lists) expect(list).toMatchObject({ source: 'schedule', state: 'done', loaded: 2 })
  expect(await loadsOf(id)).toEqual([
    `10: ${lists.length} ${lists.length * 1_000}`,
    `11: ${lists.length} ${lists.length * 500}`,
  ])
  const after = await admin.call('GET', `${path}/${id}`)
  expect(Date.parse(after.json.dueAt)).toBeGreaterThan(Date.now())
  expect(before.json.version).toBe(after.json.version)
  await second.close()
})

test.each([
  ['all', 3],
  ['latest', 1],
] as const)('after a time without a switch, %s: %i periods', async (catchUp, expected) => {
  const { id } = await create({ catchUp, dayOfMonth: 15, calendar: 'gregorian' })
  await admin.ledger.pool.query(
    `UPDATE load_schedules SET next_day = (date_trunc('month', d)::date + 14 - date '1970-01-01'),
       due_at = date_trunc('month', d) + interval '14 days 4 hours'
     FROM (SELECT date_trunc('month', clock_timestamp()) - interval '3 months' AS d) x WHERE id = $1`,
    [id],
  )
  const { rows } = await admin.ledger.pool.query(
    'SELECT extract(day FROM clock_timestamp()) AS day, extract(hour FROM clock_timestamp()) AS hour',
  )
  const isPast = Number(rows[0].day) > 15 || (Number(rows[0].day) === 15 && Number(rows[0].hour) >= 5)
  await runAll()
  const lists = (await admin.call('GET', `/admin/v1/load-files?schedule=${id}`)).json.items
  expect(lists).toHaveLength(catchUp === 'all' && isPast ? expected + 1 : expected)
})

test('members who are blocked or frozen are passed over, with the reason', async () => {
  await admin.ledger.pool.query('UPDATE cards SET status = 1 WHERE tenant = 1 AND holder = 12')
  await admin.ledger.pool.query('UPDATE lots SET status = 1 WHERE tenant = 1 AND holder = 1 AND program = 2')
  const members = ['1', '12', '13'].map(cardholder => ({ cardholder }))
  const { id } = await create({ members })
  await due(id, 1)
  await runAll()
  const [list] = (await admin.call('GET', `/admin/v1/load-files?schedule=${id}`)).json.items
  const lines = (await admin.call('GET', `/admin/v1/load-files/${list.id}/lines`)).json.items
  expect(lines.map(({ cardholder, reason }: Record<string, string>) => [cardholder, reason])).toEqual([
    ['1', 'account_frozen'],
    ['12', 'card_blocked'],
    ['13', null],
  ])
  expect(list).toMatchObject({ loaded: 1, rejected: 2 })
})

test('for all holders of a program and funder', async () => {
  const { members: _, ...rest } = monthly
  const made = await admin.call('POST', path, { body: { ...rest, holders: 'program', program: 'credit' } })
  expect(made.status).toBe(201)
  await due(made.json.id, 1)
  await runAll()
  const [list] = (await admin.call('GET', `/admin/v1/load-files?schedule=${made.json.id}`)).json.items
  expect(list.lines).toBe(20)
})

test('of a program, who is on a list of claw-backs has left, until loaded again', async () => {
  const clawBack = async (cardholders: string[]) => {
    const made = await admin.call('POST', '/admin/v1/clawback-lists', {
      body: { program: 'welfare', funder: 'bazaar', cardholders },
    })
    expect(made.status).toBe(201)
    await runAll()
  }
  const body = { program: 'welfare', funder: 'bazaar', amount: 700 }
  for (const cardholder of ['15', '16', '17']) {
    await admin.call('POST', '/admin/v1/loads', { body: { ...body, cardholder } })
  }
  // The second time there is nothing left to take.
  await clawBack(['15'])
  await clawBack(['15', '16', '17'])
  await admin.call('POST', '/admin/v1/loads', { body: { ...body, cardholder: '17' } })
  const { members: _, ...rest } = monthly
  const { json } = await admin.call('POST', path, { body: { ...rest, holders: 'program' } })
  await due(json.id, 1)
  await runAll()
  const [list] = (await admin.call('GET', `/admin/v1/load-files?schedule=${json.id}`)).json.items
  const lines = (await admin.call('GET', `/admin/v1/load-files/${list.id}/lines`)).json.items
  const holders = lines.map(({ cardholder }: Record<string, string>) => cardholder)
  expect(holders.filter((holder: string) => ['15', '16', '17'].includes(holder))).toEqual(['17'])
})

test('of a program, who has left stays away although a line of the schedule waited meanwhile', async () => {
  const body = { program: 'welfare', funder: 'bazaar', amount: 700 }
  for (const cardholder of ['18', '19']) await admin.call('POST', '/admin/v1/loads', { body: { ...body, cardholder } })
  const { members: _, ...rest } = monthly
  const { json } = await admin.call('POST', path, { body: { ...rest, dayOfMonth: 15, holders: 'program' } })
  await due(json.id, 3)
  const { tenant } = admin.ledger.catalog
  expect(await beginPeriod(pool, tenant)).toBe(true)
  const { amount: _amount, ...from } = body
  const left = await admin.call('POST', '/admin/v1/clawback-lists', { body: { ...from, cardholders: ['18'] } })
  expect(left.status).toBe(201)
  await runBegun()
  expect((await loadsOf(json.id)).filter(line => /^1[89]:/.test(line))).toEqual(['18: 1 1000', '19: 1 1000'])
  expect(await beginPeriod(pool, tenant)).toBe(true)
  await runBegun()
  expect((await loadsOf(json.id)).filter(line => /^1[89]:/.test(line))).toEqual(['18: 1 1000', '19: 2 2000'])
  await runAll()
})

test('the key of an organisation names no holders by guessed ids', async () => {
  const key = 'organisation-key'
  // Who has credit of another organisation only.
  const stranger = (await admin.call('POST', '/admin/v1/cardholders', { body: { name: 'Stranger' } })).json.id
  const ask = (members: object[]) => admin.call('POST', path, { key, body: { ...monthly, members } })
  const own = await ask([{ cardholder: '10' }])
  expect(own.status).toBe(201)
  const [hidden, unknown] = [await ask([{ cardholder: stranger }]), await ask([{ cardholder: '9999' }])]
  expect([hidden.status, hidden.json.errors[0].field]).toEqual([400, '/members'])
  expect(hidden.json).toEqual(unknown.json)
  const change = await admin.call('PATCH', `${path}/${own.json.id}`, {
    ...{ key, headers: { 'if-match': '"1"' }, body: { members: [{ cardholder: stranger }] } },
  })
  expect([change.status, change.json]).toEqual([400, hidden.json])
  const clawBack = (cardholder: string) =>
    admin.call('POST', '/admin/v1/clawback-lists', { key, body: { program: 'welfare', cardholders: [cardholder] } })
  expect((await clawBack(stranger)).json).toEqual((await clawBack('9999')).json)
})

test('the key of an organisation keeps members of its own schedule who have not been loaded yet', async () => {
  const [one, other, stranger] = await Promise.all(
    ['One', 'Other', 'Stranger'].map(
      async name => (await admin.call('POST', '/admin/v1/cardholders', { body: { name } })).json.id,
    ),
  )
  const mine = await create({ members: [{ cardholder: one }, { cardholder: other }] })
  const body = { code: 'acme', name: 'Acme', contract: 'unlimited' }
  expect((await admin.call('POST', '/admin/v1/organisations', { body })).status).toBe(201)
  const theirs = await create({ funder: 'acme', members: [{ cardholder: stranger }] })
  const change = (id: string, version: number, ...members: string[]) =>
    admin.call('PATCH', `${path}/${id}`, {
      key: 'organisation-key',
      headers: { 'if-match': `"${version}"` },
      body: { members: members.map(cardholder => ({ cardholder, amount: 700 })) },
    })
  const kept = await change(mine.id, 1, other, '10')
  expect([kept.status, kept.json.members]).toEqual([200, 2])
  const refused = await Promise.all([change(mine.id, 2, stranger), change(mine.id, 2, one)])
  expect(refused.map(({ status }) => status)).toEqual([400, 400])
  // Nothing is told of a schedule of another organisation, not even who is in it.
  const [foreign, guess] = [await change(theirs.id, 1, stranger), await change(theirs.id, 1, '9999')]
  expect(foreign.status).toBe(400)
  expect(foreign.json).toEqual(guess.json)
})

test('one that is paused is not run, and periods meanwhile are left out', async () => {
  const made = await create()
  const change = (version: number, body: object) =>
    admin.call('PATCH', `${path}/${made.id}`, { body, headers: { 'if-match': `"${version}"` } })
  const paused = await change(1, { status: 'paused' })
  expect([paused.status, paused.json.status, paused.json.version]).toEqual([200, 'paused', 2])
  await due(made.id, 4)
  await runAll()
  const resumed = await change(2, { status: 'active', amount: 2_000 })
  expect(resumed.json).toMatchObject({ status: 'active', amount: 2_000 })
  expect(Date.parse(resumed.json.dueAt)).toBeGreaterThan(Date.now())
  await runAll()
  expect((await admin.call('GET', `/admin/v1/load-files?schedule=${made.id}`)).json.items).toEqual([])
  expect((await change(2, { name: 'x' })).status).toBe(412)
  await change(3, { status: 'ended' })
  expect((await change(4, { status: 'active' })).json.reason).toBe('state_unsuitable')
})

test.each([
  ['a member that is not there', { members: [{ cardholder: '999' }] }, '/members'],
  ['a member twice', { members: [{ cardholder: '1' }, { cardholder: '1' }] }, '/members'],
  ['no members', { members: [] }, '/members'],
  ['a day that no month has', { dayOfMonth: 32 }, '/dayOfMonth'],
  ['a time that is none', { time: '25:00' }, '/time'],
] as const)('%s', async (_name, given, field) => {
  const { status, json } = await admin.call('POST', path, { body: { ...monthly, ...given } })
  expect([status, json.errors[0].field]).toEqual([400, field])
})
