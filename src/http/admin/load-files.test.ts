import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'
import { panKey } from '../../../test/support/http.ts'
import { tokenOf } from '../../../test/support/switch.ts'
import { xlsxOf, zipOf } from '../../../test/support/xlsx.ts'
import { nationalCodeHash } from '../../crypto/hash.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Submit } from '../../engine/result.ts'
import { runLists } from '../../jobs/load-lists.ts'
import { type AdminPool, createAdminPool } from '../../store/admin/pool.ts'

let admin: TestAdmin
let pool: AdminPool
let engine: Engine
beforeAll(async () => {
  admin = await startAdmin({ cards: 300 })
  pool = createAdminPool(admin.ledger.url, () => undefined)
  engine = admin.ledger.engine()
  await admin.ledger.pool.query(
    `INSERT INTO cardholder_profiles (tenant, holder, made_at, reference, mobile, national_hash, national_last)
     SELECT 1, id, clock_timestamp(), 'E-' || id, CASE id WHEN 2 THEN '+989121234567' END,
       CASE id WHEN 3 THEN decode($1, 'hex') END, CASE id WHEN 3 THEN '5679' END FROM cardholders WHERE tenant = 1`,
    [nationalCodeHash('0012345679', 1, panKey)],
  )
})
afterAll(async () => {
  await pool.close()
  await admin.close()
})

const csv = 'text/csv'
const xlsx = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
const send = (body: string | Buffer, type = csv, query = 'program=welfare&funder=bazaar', key = 'admin-key') =>
  admin.call('POST', `/admin/v1/load-files?${query}`, { key, body, headers: { 'content-type': type } })
const linesOf = async (id: string, state = '') => {
  const { json } = await admin.call('GET', `/admin/v1/load-files/${id}/lines?limit=500${state}`)
  return json.items.map((line: Record<string, unknown>) => [line.line, line.state, line.reason, line.cardholder])
}
const runAll = async (submit: Submit = engine): Promise<void> => {
  while ((await runLists(pool, submit, admin.ledger.catalog)) > 0);
}
const loaded = async (program: number): Promise<string> => {
  const { rows } = await admin.ledger.pool.query(
    'SELECT count(*) AS lots, coalesce(sum(credits_posted), 0) AS sum FROM lots WHERE program = $1',
    [program],
  )
  return `${rows[0].lots} ${rows[0].sum}`
}

describe('the dry run', () => {
  test('a report for each line, and totals; nothing is loaded', async () => {
    const before = await loaded(2)
    const answer = await send(
      '\ufeffکد ملی;موبایل;شناسه;مبلغ (ریال);نام\r\n۱۲۳۴۵۶۷۹;;;۱٬۰۰۰;x\r\n;09121234567;;2000;\r\n;;E-4;abc;\r\n' +
        ';;E-999;5;\r\n;;E-5;7;\r\n;;E-5;7;\r\n;;;7;\r\n;;E-6;0;',
      csv,
      'program=welfare&funder=bazaar&name=azar.csv',
    )
    expect(answer.status).toBe(201)
    expect(answer.json).toMatchObject({
      state: 'checked',
      name: 'azar.csv',
      program: 'welfare',
      funder: 'bazaar',
      lines: 8,
      accepted: 3,
      rejected: 5,
      total: 3_007,
      loaded: 0,
      ignoredColumns: ['نام'],
    })
    expect(await linesOf(answer.json.id)).toEqual([
      [2, 'accepted', null, '3'],
      [3, 'accepted', null, '2'],
      [4, 'rejected', 'amount_invalid', null],
      [5, 'rejected', 'holder_unknown', null],
      [6, 'accepted', null, '5'],
      [7, 'rejected', 'duplicate_in_file', '5'],
      [8, 'rejected', 'holder_missing', null],
      [9, 'rejected', 'amount_invalid', null],
    ])
    expect(await loaded(2)).toBe(before)
    const { text } = await admin.call('GET', `/admin/v1/load-files/${answer.json.id}/lines?state=rejected&format=csv`)
    expect(text.split('\r\n')).toHaveLength(7)
    expect(text).toContain('holder_unknown')
  })

  test('no number of a card or a person is stored', async () => {
    const answer = await send('card,amount\n9364000000000019,5\n6037991234567893,6\n')
    expect(answer.json).toMatchObject({ lines: 2, accepted: 0 })
    const { rows } = await admin.ledger.pool.query('SELECT l::text FROM load_lines l')
    const dump = rows.map(({ l }) => l).join('\n')
    expect(dump).not.toContain('9364000000000019')
    expect(dump).not.toContain('12345679')
    expect(dump).toContain('…5679')
  })

  test('a spreadsheet, with numbers as spreadsheets have them', async () => {
    const file = xlsxOf([
      ['Report'],
      ['National Code', 'Mobile', 'Amount'],
      [12345679, '', 1500],
      ['', 9121234567, 2.5e6],
    ])
    const { json } = await send(file, xlsx)
    expect(json).toMatchObject({ lines: 2, accepted: 2, total: 2_501_500 })
    expect(await linesOf(json.id)).toEqual([
      [3, 'accepted', null, '3'],
      [4, 'accepted', null, '2'],
    ])
  })

  test('the same file is told, unless it has another reference or was given up', async () => {
    const file = 'reference,amount\nE-9,10\n'
    const first = await send(file)
    const again = await send(file)
    expect([again.status, again.json.reason]).toEqual([409, 'file_known'])
    expect(again.json.errors[0].message).toContain(`load file ${first.json.id}`)
    expect((await send(file, csv, 'program=welfare&funder=bazaar&reference=1405-09')).status).toBe(201)
    await admin.call('POST', `/admin/v1/load-files/${first.json.id}/cancel`)
    expect((await send(file)).status).toBe(201)
  })

  test.each([
    // name, body, type, query, field
    ['no columns that are known', 'a,b\n1,2\n', csv, 'program=welfare', 'amount'],
    ['amounts in toman', 'reference,مبلغ (تومان)\nE-1,5\n', csv, 'program=welfare', 'amount'],
    ['no holder', 'amount\n5\n', csv, 'program=welfare', 'columns'],
    ['no lines', 'reference,amount\n', csv, 'program=welfare', 'file'],
    ['no spreadsheet', 'reference,amount\nE-1,5\n', xlsx, 'program=welfare', 'file'],
    ['bytes that are no text', Buffer.from([0x61, 0xff, 0xfe, 0x0a]), csv, 'program=welfare', 'file'],
    ['a program that is not there', 'reference,amount\nE-1,5\n', csv, 'program=none', 'program'],
    ['a parameter that is not known', 'reference,amount\nE-1,5\n', csv, 'colour=red', 'colour'],
    ['an archive that unpacks to too much', zipOf({ 'xl/x.xml': Buffer.alloc(300_000_000) }), xlsx, '', 'file'],
  ] as const)('%s', async (_name, body, type, query, field) => {
    const answer = await send(body, type, query)
    expect([answer.status, answer.json.errors?.[0]?.field]).toEqual([400, field])
  })

  test('other types are refused, and so are files that are too large', async () => {
    expect((await send('x', 'application/pdf')).status).toBe(415)
    expect((await send(Buffer.alloc(20 * 1024 * 1024 + 1))).status).toBe(413)
  })

  test('lines beyond what the organisation has are told; after a deposit the check finds them good', async () => {
    await admin.call('POST', '/admin/v1/organisations', { body: { code: 'snapp', name: 'Snapp', contract: 'prepaid' } })
    const deposit = (amount: number) =>
      admin.call('POST', '/admin/v1/organisations/snapp/deposits', { body: { amount } })
    await deposit(15)
    const { json } = await send('reference,amount\nE-1,10\nE-2,10\n', csv, 'program=welfare&funder=snapp')
    expect(await linesOf(json.id)).toEqual([
      [2, 'accepted', null, '1'],
      [3, 'rejected', 'funding_insufficient', '2'],
    ])
    await deposit(5)
    const checked = await admin.call('POST', `/admin/v1/load-files/${json.id}/check`)
    expect(checked.json).toMatchObject({ accepted: 2, total: 20 })
  })
})

describe('the run', () => {
  const fileOf = (from: number, to: number, amount: number): string =>
    ['reference,amount', ...Array.from({ length: to - from + 1 }, (_, index) => `E-${from + index},${amount}`)].join(
      '\n',
    )

  test('loads each line once, tells how far it is, and lists what was rejected', async () => {
    const { json } = await send(`${fileOf(1, 50, 100)}\nE-999,1`)
    const path = `/admin/v1/load-files/${json.id}`
    const before = (await loaded(2)).split(' ').map(Number)
    const started = await admin.call('POST', `${path}/run`)
    expect([started.status, started.json.state, started.json.percentage]).toEqual([202, 'running', 0])
    await runAll()
    const done = await admin.call('GET', path)
    expect(done.json).toMatchObject({ state: 'done', done: 50, loaded: 50, loadedTotal: 5_000, percentage: 100 })
    expect(done.json).toMatchObject({ secondsLeft: 0, rejected: 1 })
    const [lots = 0, sum = 0] = before
    expect(await loaded(2)).toBe(`${lots + 50} ${sum + 5_000}`)
    expect(await linesOf(json.id, '&state=rejected')).toEqual([[52, 'rejected', 'holder_unknown', null]])
    const again = await admin.call('POST', `${path}/run`)
    expect([again.status, again.json.state]).toEqual([202, 'done'])
    await runAll()
    expect(await loaded(2)).toBe(`${lots + 50} ${sum + 5_000}`)
    const { status, json: refusal } = await admin.call('POST', `${path}/cancel`)
    expect([status, refusal.reason]).toEqual([409, 'state_unsuitable'])
  })

  test('a run that ended half way goes on, and loads nothing twice', async () => {
    const { json } = await send(fileOf(1, 300, 7))
    const before = (await loaded(2)).split(' ').map(Number)
    await admin.call('POST', `/admin/v1/load-files/${json.id}/run`)
    let count = 0
    const dying: Submit = {
      submit: async command => {
        count += 1
        const isLast = count === 280
        const result = await engine.submit(command)
        // The loads of this round are durable, but nobody hears of it.
        if (isLast) throw new Error('the process ends here')
        return result
      },
    }
    await expect(runLists(pool, dying, admin.ledger.catalog)).rejects.toThrow('ends here')
    const half = await admin.call('GET', `/admin/v1/load-files/${json.id}`)
    expect(half.json).toMatchObject({ state: 'running', done: 256 })
    expect(half.json.percentage).toBe(85)
    const [lots = 0, sum = 0] = before
    expect(Number((await loaded(2)).split(' ')[0])).toBeGreaterThan(lots + 256)
    await Promise.all([runAll(), runAll()])
    const done = await admin.call('GET', `/admin/v1/load-files/${json.id}`)
    expect(done.json).toMatchObject({ state: 'done', done: 300, loaded: 300, loadedTotal: 2_100 })
    expect(await loaded(2)).toBe(`${lots + 300} ${sum + 2_100}`)
  })

  test('two switches that run the same file at once load nothing twice', async () => {
    const { json } = await send(fileOf(1, 150, 3))
    const [lots = 0, sum = 0] = (await loaded(2)).split(' ').map(Number)
    await admin.call('POST', `/admin/v1/load-files/${json.id}/run`)
    const other = admin.ledger.engine()
    // As if the lease of the first had run out: both work on the same lines.
    const greedy: Submit = {
      submit: async command => {
        await admin.ledger.pool.query('UPDATE load_lists SET leased_until = NULL WHERE id = $1', [json.id])
        return other.submit(command)
      },
    }
    await Promise.all([runAll(greedy), runAll(), runAll(greedy), runAll()])
    await runAll()
    const done = await admin.call('GET', `/admin/v1/load-files/${json.id}`)
    expect(done.json).toMatchObject({ state: 'done', done: 150, loaded: 150, loadedTotal: 450 })
    expect(await loaded(2)).toBe(`${lots + 150} ${sum + 450}`)
  })

  test('a file above the threshold waits for a second person', async () => {
    await admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = 100 WHERE id = 1')
    try {
      const { json } = await send(fileOf(1, 3, 50))
      const path = `/admin/v1/load-files/${json.id}`
      const asked = await admin.call('POST', `${path}/run`)
      expect([asked.status, asked.json.status]).toEqual([202, 'waiting'])
      expect((await admin.call('GET', path)).json.state).toBe('checked')
      const approved = await admin.call('POST', `/admin/v1/approvals/${asked.json.id}/approve`, {
        key: 'second-admin-key',
      })
      expect([approved.json.status, approved.json.answer.status]).toEqual(['approved', 202])
      await runAll()
      expect((await admin.call('GET', path)).json).toMatchObject({ state: 'done', loadedTotal: 150 })
    } finally {
      await admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = NULL WHERE id = 1')
    }
  })

  test('a file above the threshold does not run under a key that was used for something small', async () => {
    await admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = 100 WHERE id = 1')
    try {
      const idempotencyKey = 'small-then-large'
      const small = { cardholder: '1', program: 'welfare', funder: 'bazaar', amount: 1 }
      const load = await admin.call('POST', '/admin/v1/loads', { idempotencyKey, body: small })
      const { json } = await send(fileOf(1, 3, 70))
      const path = `/admin/v1/load-files/${json.id}`
      const run = await admin.call('POST', `${path}/run`, { idempotencyKey })
      expect([load.status, run.status, run.json.reason]).toEqual([201, 422, 'other_content'])
      expect((await admin.call('GET', path)).json).toMatchObject({ state: 'checked', total: 210 })
    } finally {
      await admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = NULL WHERE id = 1')
    }
  })

  test('a file that is checked again after somebody was asked to approve it does not run on that', async () => {
    await admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = 100 WHERE id = 1')
    try {
      const { json } = await send('reference,amount\nE-1,101\nE-later,1000000')
      const path = `/admin/v1/load-files/${json.id}`
      const asked = await admin.call('POST', `${path}/run`)
      expect(asked.json.request).toEqual({ loadFile: json.id, version: json.version, total: 101 })
      await admin.ledger.pool.query("UPDATE cardholder_profiles SET reference = 'E-later' WHERE reference = 'E-7'")
      expect((await admin.call('POST', `${path}/check`)).json.total).toBe(1_000_101)
      const { json: approved } = await admin.call('POST', `/admin/v1/approvals/${asked.json.id}/approve`, {
        key: 'second-admin-key',
      })
      expect([approved.status, approved.answer.status, approved.answer.body.reason]).toEqual([
        'approved',
        409,
        'state_unsuitable',
      ])
      expect((await admin.call('GET', path)).json.state).toBe('checked')
    } finally {
      await admin.ledger.pool.query("UPDATE cardholder_profiles SET reference = 'E-7' WHERE reference = 'E-later'")
      await admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = NULL WHERE id = 1')
    }
  })

  test('an organisation sees its own files only, and another tenant none', async () => {
    const { json } = await send(fileOf(1, 2, 5), csv, 'program=welfare', 'organisation-key')
    const path = `/admin/v1/load-files/${json.id}`
    expect((await admin.call('GET', path, { key: 'organisation-key' })).status).toBe(200)
    expect((await admin.call('GET', path, { key: 'other-key' })).status).toBe(404)
    const all = await admin.call('GET', '/admin/v1/load-files', { key: 'organisation-key' })
    expect(all.json.items.map(({ id }: { id: string }) => id)).toEqual([json.id])
    const foreign = await send(fileOf(1, 2, 6), csv, 'program=welfare&funder=snapp', 'organisation-key')
    expect(foreign.status).toBe(403)
  })
})

test('everything unspent is taken back from those who leave, each once', async () => {
  const held = await admin.call('POST', '/v1/transactions', {
    key: 'pos-key',
    body: {
      card: { token: tokenOf(250) },
      amount: 99_999_900,
      currency: 'IRR',
      merchant: 'M00000000000001',
      terminal: 'T0000001',
    },
  })
  expect(held.status).toBe(201)
  const body = { cardholders: ['250', '251', '252'], program: 'credit', reason: 'left' }
  const path = '/admin/v1/clawback-lists'
  const made = await admin.call('POST', path, { idempotencyKey: 'leave-1', body })
  expect([made.status, made.json.kind, made.json.state]).toEqual([201, 'clawback', 'running'])
  expect((await admin.call('POST', path, { idempotencyKey: 'leave-1', body })).text).toBe(made.text)
  await runAll()
  const { json } = await admin.call('GET', `/admin/v1/load-files/${made.json.id}/lines`)
  expect(json.items.map(({ cardholder, amount }: Record<string, unknown>) => [cardholder, amount])).toEqual([
    ['250', 100],
    ['251', 100_000_000],
    ['252', 100_000_000],
  ])
  const unknown = await admin.call('POST', path, { body: { ...body, cardholders: ['999999'] } })
  expect([unknown.status, unknown.json.errors[0].field]).toEqual([400, '/cardholders/0'])
})
