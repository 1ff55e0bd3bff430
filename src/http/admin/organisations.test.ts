import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'

let admin: TestAdmin
beforeAll(async () => {
  admin = await startAdmin()
})
afterAll(() => admin.close())

const path = '/admin/v1/organisations'
const snapp = { code: 'snapp', name: 'Snapp', contract: 'prepaid', contractNumber: '1405/17' }
const fields = (answer: { json: { errors?: { field: string }[] } }) => answer.json.errors?.map(({ field }) => field)

describe('creating', () => {
  test('gives it whole, with its ETag; a repeat gives the same bytes', async () => {
    const first = await admin.call('POST', path, { idempotencyKey: 'o-1', body: snapp })
    expect(first.status).toBe(201)
    expect(first.headers.etag).toBe('"1"')
    expect(first.json).toEqual({
      ...snapp,
      creditLimit: 0,
      contractFrom: null,
      contractUntil: null,
      status: 'active',
      balance: 0,
      version: 1,
    })
    const again = await admin.call('POST', path, { idempotencyKey: 'o-1', body: snapp })
    expect(again.headers['idempotent-replayed']).toBe('true')
    expect([again.status, again.text, again.headers.etag]).toEqual([201, first.text, '"1"'])
    expect((await admin.audit('organisation', 'snapp')).map(({ action, actor }) => [actor, action])).toEqual([
      ['admin-key', 'create'],
    ])
  })

  test('copies of a request at once make one', async () => {
    const body = { code: 'many', name: 'Many' }
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => admin.call('POST', path, { idempotencyKey: 'o-many', body })),
    )
    expect(new Set(answers.map(({ status }) => status)).size).toBeLessThanOrEqual(2)
    for (const { status } of answers) expect([201, 409]).toContain(status)
    expect(await admin.audit('organisation', 'many')).toHaveLength(1)
  })

  test.each([
    // name, body, status, fields in error
    ['other content under the key', { idempotencyKey: 'o-1', body: { ...snapp, name: 'Tapsi' } }, 422, ['/name']],
    ['a code that is taken', { body: snapp }, 409, ['/code']],
    ['a field that is not known', { body: { ...snapp, code: 'x', colour: 'red' } }, 400, ['/colour']],
    ['nothing', { body: {} }, 400, ['/code', '/name']],
    ['a code with a blank', { body: { ...snapp, code: 'a b' } }, 400, ['/code']],
    ['no such contract', { body: { ...snapp, code: 'x', contract: 'free' } }, 400, ['/contract']],
    ['a limit without a credit line', { body: { ...snapp, code: 'x', creditLimit: 5 } }, 400, ['/creditLimit']],
    [
      'a contract that ends before it begins',
      { body: { ...snapp, code: 'x', contractFrom: '2026-02-01', contractUntil: '2026-01-01' } },
      400,
      ['/contractUntil'],
    ],
    ['no such day', { body: { ...snapp, code: 'x', contractFrom: '2026-02-30' } }, 400, ['/contractFrom']],
    ['a key that may not', { key: 'auditor-key', body: { ...snapp, code: 'x' } }, 403, undefined],
    ['no key', { idempotencyKey: '', body: { ...snapp, code: 'x' } }, 400, ['Idempotency-Key']],
  ])('refused: %s', async (_name, options, status, errors) => {
    const answer = await admin.call('POST', path, options)
    expect([answer.status, fields(answer)]).toEqual([status, errors])
    expect(await admin.audit('organisation', 'x')).toEqual([])
  })
})

describe('changing', () => {
  test('only what is given, under the version that was seen', async () => {
    const one = `${path}/snapp`
    const seen = await admin.call('GET', one)
    expect(seen.headers.etag).toBe('"1"')
    const body = { contract: 'credit_line', creditLimit: 500 }
    expect((await admin.call('PATCH', one, { body })).status).toBe(428)
    expect((await admin.call('PATCH', one, { body, headers: { 'if-match': '"9"' } })).status).toBe(412)
    expect((await admin.call('PATCH', one, { body, headers: { 'if-match': 'x' } })).status).toBe(400)
    const changed = await admin.call('PATCH', one, { body, headers: { 'if-match': '"1"' } })
    expect([changed.status, changed.headers.etag]).toEqual([200, '"2"'])
    expect(changed.json).toEqual({ ...seen.json, ...body, version: 2 })
    const [, line] = await admin.audit('organisation', 'snapp')
    expect(line).toEqual({ actor: 'admin-key', action: 'update', before: seen.json, after: changed.json })
  })

  test('what does not go together is refused, and nothing is changed', async () => {
    const one = `${path}/snapp`
    const answer = await admin.call('PATCH', one, { body: { contract: 'prepaid' }, headers: { 'if-match': '"2"' } })
    expect([answer.status, fields(answer)]).toEqual([400, ['/creditLimit']])
    expect((await admin.call('GET', one)).headers.etag).toBe('"2"')
  })

  test('404 for what is not there', async () => {
    expect((await admin.call('GET', `${path}/nobody`)).status).toBe(404)
    const options = { body: { name: 'N' }, headers: { 'if-match': '"1"' } }
    expect((await admin.call('PATCH', `${path}/nobody`, options)).status).toBe(404)
  })
})

test('what it pays in is in its balance, once; what it has not left is not paid back', async () => {
  const deposits = `${path}/snapp/deposits`
  const body = { amount: 1_000, reference: 'bank-7' }
  const options = { key: 'finance-key', idempotencyKey: 'd-1', body }
  const first = await admin.call('POST', deposits, options)
  expect([first.status, first.json.amount, first.json.organisation]).toEqual([201, 1_000, 'snapp'])
  const again = await admin.call('POST', deposits, options)
  expect([again.text, again.headers['idempotent-replayed']]).toEqual([first.text, 'true'])
  const other = await admin.call('POST', deposits, { ...options, body: { ...body, amount: 2 } })
  expect([other.status, fields(other)]).toEqual([422, ['/amount']])
  const back = await admin.call('POST', deposits, { key: 'finance-key', body: { amount: -1_001 } })
  expect([back.status, back.json.reason]).toEqual([409, 'funding_insufficient'])
  const nothing = await admin.call('POST', deposits, { key: 'finance-key', body: { amount: 0 } })
  expect([nothing.status, fields(nothing)]).toEqual([400, ['/amount']])
  const most = { key: 'finance-key', body: { amount: Number.MAX_SAFE_INTEGER } }
  expect((await admin.call('POST', deposits, most)).json.reason).toBe('amount_too_large')
  expect((await admin.call('GET', `${path}/snapp`)).json.balance).toBe(1_000)
  expect((await admin.call('POST', `${path}/nobody/deposits`, { body })).status).toBe(404)
  expect((await admin.call('POST', deposits, { key: 'operator-key', body })).status).toBe(403)
  const lines = await admin.audit('organisation', 'snapp')
  expect(lines.filter(({ action }) => action === 'deposit').map(({ actor }) => actor)).toEqual(['finance-key'])
})

test('deposits are listed with who recorded them, for the organisation too', async () => {
  const deposits = `${path}/bazaar/deposits`
  for (const [amount, reference] of [
    [300, 'bank-1'],
    [40, 'bank-2'],
  ]) {
    const body = { amount, reference, reason: 'transfer' }
    expect((await admin.call('POST', deposits, { key: 'finance-key', body })).status).toBe(201)
  }
  const { json } = await admin.call('GET', `${deposits}?limit=1`, { key: 'organisation-key' })
  expect(json.items).toEqual([
    {
      id: expect.any(String),
      organisation: 'bazaar',
      amount: 40,
      reason: 'transfer',
      reference: 'bank-2',
      at: expect.any(String),
      actor: 'finance-key',
    },
  ])
  const rest = await admin.call('GET', `${deposits}?cursor=${json.nextCursor}`, { key: 'auditor-key' })
  expect(rest.json.items.map(({ amount }: { amount: number }) => amount)).toEqual([300])
  const csv = await admin.call('GET', `${deposits}?format=csv&from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z`)
  expect(csv.text).toBe('id,organisation,amount,reason,reference,at,actor\r\n')
  expect((await admin.call('GET', `${path}/snapp/deposits`, { key: 'organisation-key' })).status).toBe(404)
})

describe('the list of deposits', () => {
  const deposits = `${path}/bazaar/deposits`
  const listed = async (query = '') => (await admin.call('GET', `${deposits}${query}`)).json.items

  test('those of before it was kept are copied into it from the audit log', async () => {
    const { pool } = admin.ledger
    const before = await listed()
    expect(before).toHaveLength(2)
    const migration = readFileSync(new URL('../../../migrations/0010_deposits.sql', import.meta.url), 'utf8')
    const copy = migration.slice(migration.indexOf('INSERT INTO'))
    await pool.query(`DELETE FROM organisation_movements; ${copy}; ${copy}`)
    expect(await listed()).toEqual(before)
  })

  test('has one whose line in the audit log was never written', async () => {
    const { pool } = admin.ledger
    const lines = (await admin.audit('organisation', 'bazaar')).length
    await pool.query("ALTER TABLE audit_log ADD CONSTRAINT away CHECK (action <> 'deposit') NOT VALID")
    const body = { amount: 5, reference: 'bank-3' }
    const answer = await admin.call('POST', deposits, { key: 'finance-key', body })
    await pool.query('ALTER TABLE audit_log DROP CONSTRAINT away')
    expect([answer.status, answer.json.reason]).toEqual([504, 'outcome_unknown'])
    expect(await admin.audit('organisation', 'bazaar')).toHaveLength(lines)
    const [newest] = await listed()
    expect(newest).toMatchObject({ organisation: 'bazaar', ...body, reason: null, actor: 'finance-key' })
    const { rows } = await pool.query(
      `SELECT m.balance, c.balance AS left FROM organisation_movements m
       JOIN organisation_counters c USING (tenant, organisation) ORDER BY batch_seq DESC LIMIT 1`,
    )
    expect(rows[0].balance).toBe(rows[0].left)
  })

  test('is filtered by the time that it tells', async () => {
    const [newest, ...earlier] = await listed()
    expect(await listed(`?from=${newest.at}`)).toEqual([newest])
    expect(await listed(`?to=${newest.at}`)).toEqual(earlier)
  })
})

describe('lists', () => {
  test('pages in the order of codes, all of them once', async () => {
    const codes: string[] = []
    let cursor: string | null = null
    do {
      const answer = await admin.call('GET', `${path}?limit=1${cursor === null ? '' : `&cursor=${cursor}`}`)
      codes.push(...answer.json.items.map(({ code }: { code: string }) => code))
      cursor = answer.json.nextCursor
    } while (cursor !== null)
    expect(codes).toEqual(['bazaar', 'many', 'snapp'])
  })

  test.each([
    ['?limit=0', ['limit']],
    ['?limit=501', ['limit']],
    ['?cursor=!', ['cursor']],
    ['?status=gone&colour=red', ['colour', 'status']],
    ['?limit=1&limit=2', ['limit']],
  ])('refused: %s', async (query, errors) => {
    const answer = await admin.call('GET', `${path}${query}`)
    expect([answer.status, fields(answer)]).toEqual([400, errors])
  })

  test('as CSV', async () => {
    const answer = await admin.call('GET', `${path}?status=active`, { headers: { accept: 'text/csv' } })
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8')
    expect(answer.text.split('\r\n').map(line => line.split(',', 2).join())).toEqual([
      'code,name',
      'bazaar,Bazaar',
      'many,Many',
      'snapp,Snapp',
      '',
    ])
    expect((await admin.call('GET', `${path}?format=csv`)).text).toBe(answer.text)
  })

  test('the key of an organisation sees only that one', async () => {
    const answer = await admin.call('GET', path, { key: 'organisation-key' })
    expect(answer.json.items.map(({ code }: { code: string }) => code)).toEqual(['bazaar'])
    expect((await admin.call('GET', `${path}/snapp`, { key: 'organisation-key' })).status).toBe(404)
    expect((await admin.call('GET', `${path}/bazaar`, { key: 'organisation-key' })).status).toBe(200)
  })
})

test('the audit log cannot be changed', async () => {
  const { pool } = admin.ledger
  for (const statement of ['UPDATE audit_log SET actor = $$x$$', 'DELETE FROM audit_log', 'TRUNCATE audit_log']) {
    await expect(pool.query(statement)).rejects.toThrow('audit_log is append-only')
  }
})
