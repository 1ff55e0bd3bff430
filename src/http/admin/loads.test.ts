import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'
import { tokenOf } from '../../../test/support/switch.ts'
import { clientKey } from '../../core/keys.ts'
import { noNote } from '../../core/loads.ts'
import { sha256Hex } from '../../crypto/hash.ts'
import { planReads } from '../../engine/reads.ts'

let admin: TestAdmin
beforeAll(async () => {
  admin = await startAdmin()
})
afterAll(() => admin.close())

const load = { cardholder: '1', program: 'credit', funder: 'bazaar', amount: 5_000 }
const fields = (answer: { json: { errors?: { field: string }[] } }) => answer.json.errors?.map(({ field }) => field)

describe('loads', () => {
  test('a load makes a lot, and a repeat gives the same bytes', async () => {
    const body = { ...load, reason: 'bonus', reference: 'b-1' }
    const first = await admin.call('POST', '/admin/v1/loads', { idempotencyKey: 'l-1', body })
    expect(first.status).toBe(201)
    expect(first.json).toMatchObject({
      kind: 'load',
      cardholder: '1',
      program: 'credit',
      funder: 'bazaar',
      amount: 5_000,
      balance: 5_000,
      reason: 'bonus',
      reference: 'b-1',
    })
    const again = await admin.call('POST', '/admin/v1/loads', { idempotencyKey: 'l-1', body })
    expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([201, first.text, 'true'])
    const { rows } = await admin.ledger.pool.query('SELECT credits_posted FROM lots WHERE lot = $1', [first.json.lot])
    expect(rows).toEqual([{ credits_posted: '5000' }])
    expect((await admin.audit('cardholder', '1')).filter(({ action }) => action === 'load')).toHaveLength(1)
  })

  test.each([
    // name, body, status, reason or fields
    ['two holders', { ...load, cardholderReference: 'x' }, 400, ['/']],
    ['no holder', { program: 'credit', amount: 1 }, 400, ['/']],
    ['a holder that is not there', { ...load, cardholder: '999' }, 404, ['/cardholder']],
    ['a program that is not there', { ...load, program: 'none' }, 400, ['/program']],
    ['a funder that is not there', { ...load, funder: 'none' }, 400, ['/funder']],
    ['no amount', { ...load, amount: 0 }, 400, ['/amount']],
    ['a card number as a reference', { ...load, reference: '9364000000000019' }, 400, ['/reference']],
    ['a time that is none', { ...load, expiresAt: 'soon' }, 400, ['/expiresAt']],
  ] as const)('%s', async (_name, body, status, wrong) => {
    const answer = await admin.call('POST', '/admin/v1/loads', { body })
    expect([answer.status, fields(answer)]).toEqual([status, wrong])
  })

  test('what is in the past is refused, by the engine', async () => {
    const answer = await admin.call('POST', '/admin/v1/loads', { body: { ...load, expiresAt: '2020-01-01T00:00:00Z' } })
    expect([answer.status, answer.json.reason]).toEqual([402, 'credit_expired'])
  })

  test('no account holds more than can be told: what came in other ways is refused, not told wrongly', async () => {
    const { pool } = admin.ledger
    const most = Number.MAX_SAFE_INTEGER
    const half = (most - 1) / 2
    const body = { ...load, cardholder: '4', amount: 10_000_000_000 }
    const account = '/admin/v1/cardholders/4/accounts'
    // As if so much had been loaded before.
    const before = 100_000_000
    const more = half - before - body.amount + 1
    const change = 'UPDATE lots SET credits_posted = credits_posted + $1 WHERE holder = 4 AND credits_posted >= $2'
    await pool.query(change, [more, before])
    expect((await admin.call('POST', '/admin/v1/loads', { body })).json.reason).toBe('amount_too_large')
    const fits = await admin.call('POST', '/admin/v1/loads', { body: { ...body, amount: body.amount - 1 } })
    expect(fits.status).toBe(201)
    expect((await admin.call('GET', account)).json.items[0].balance).toBe(half)
    // Small ones are not added up. As if so many had come that the next is one too much.
    await pool.query(change, [most - half, more + before])
    expect((await admin.call('GET', account)).json.items[0].balance).toBe(most)
    expect((await admin.call('POST', '/admin/v1/loads', { body: { ...body, amount: 1 } })).status).toBe(201)
    const told = await admin.call('GET', account)
    expect([told.status, told.json.reason]).toEqual([500, 'internal_error'])
    const card = { token: tokenOf(4) }
    const inquiry = await admin.call('POST', '/v1/balance-inquiries', { key: 'pos-key', body: { card } })
    expect([inquiry.status, inquiry.json.reason]).toEqual([500, 'internal_error'])
    expect((await admin.call('GET', '/admin/v1/cardholders/3/accounts')).status).toBe(200)
    const less = { cardholder: '4', lot: fits.json.lot, amount: -1, reason: 'too much' }
    expect((await admin.call('POST', '/admin/v1/adjustments', { body: less })).status).toBe(201)
    expect((await admin.call('GET', account)).json.items[0].balance).toBe(most)
    await pool.query(change, [half - most - more, most - half + more + before])
  })

  test('by card, and taken back as far as it is unspent', async () => {
    const { cardholder: _, ...rest } = load
    const made = await admin.call('POST', '/admin/v1/loads', {
      body: { ...rest, card: { token: tokenOf(2) }, program: 'welfare', amount: 700 },
    })
    expect(made.json.cardholder).toBe('2')
    expect(made.status).toBe(201)
    const back = await admin.call('POST', '/admin/v1/clawbacks', {
      body: { cardholder: '2', program: 'welfare', amount: 300, reason: 'left' },
    })
    expect(back.status).toBe(201)
    expect(back.json.amount).toBe(300)
    expect(back.json.lots).toHaveLength(1)
    const all = await admin.call('POST', '/admin/v1/clawbacks', { body: { cardholder: '2', program: 'welfare' } })
    expect(all.json.lots.every(({ balance }: { balance: number }) => balance === 0)).toBe(true)
    const none = await admin.call('POST', '/admin/v1/clawbacks', { body: { cardholder: '2', program: 'welfare' } })
    expect([none.status, none.json.reason]).toEqual([402, 'insufficient_funds'])
  })

  test('an adjustment needs a reason, and tells the balance after', async () => {
    const { json } = await admin.call('POST', '/admin/v1/loads', { body: load })
    const body = { cardholder: '1', lot: json.lot, amount: -2_000 }
    expect(fields(await admin.call('POST', '/admin/v1/adjustments', { body }))).toEqual(['/reason'])
    const answer = await admin.call('POST', '/admin/v1/adjustments', { body: { ...body, reason: 'typed wrongly' } })
    expect([answer.status, answer.json.amount, answer.json.balance]).toEqual([201, -2_000, 3_000])
    const foreign = await admin.call('POST', '/admin/v1/adjustments', {
      body: { ...body, cardholder: '3', reason: 'typed wrongly' },
    })
    expect([foreign.status, fields(foreign)]).toEqual([404, ['/lot']])
  })

  test('a transfer within the program, and none where the terms do not allow it', async () => {
    const answer = await admin.call('POST', '/admin/v1/transfers', {
      body: { cardholder: '3', program: 'credit', toCardholder: '4', amount: 1_000 },
    })
    expect([answer.status, answer.json.amount]).toEqual([201, 1_000])
    const refused = await admin.call('POST', '/admin/v1/transfers', {
      body: { cardholder: '3', program: 'credit', toProgram: 'welfare', amount: 1_000 },
    })
    expect([refused.status, refused.json.reason]).toEqual([409, 'transfer_not_allowed'])
  })

  test('the key of an organisation loads from that one only', async () => {
    await admin.call('POST', '/admin/v1/organisations', { body: { code: 'snapp', name: 'Snapp' } })
    const own = await admin.call('POST', '/admin/v1/loads', { key: 'organisation-key', body: load })
    expect(own.status).toBe(201)
    const other = await admin.call('POST', '/admin/v1/loads', {
      key: 'organisation-key',
      body: { ...load, funder: 'snapp' },
    })
    expect([other.status, other.json.reason]).toEqual([403, 'forbidden'])
    expect((await admin.call('POST', '/admin/v1/loads', { key: 'auditor-key', body: load })).status).toBe(403)
  })
})

test('an Idempotency-Key that has made something moves nothing, and the other way round', async () => {
  const organisation = { code: 'keys', name: 'Keys' }
  const make = (idempotencyKey: string) =>
    admin.call('POST', '/admin/v1/organisations', { idempotencyKey, body: organisation })
  const move = (idempotencyKey: string) => admin.call('POST', '/admin/v1/loads', { idempotencyKey, body: load })
  expect([(await make('k-made')).status, (await move('k-moved')).status]).toEqual([201, 201])
  for (const answer of [await move('k-made'), await make('k-moved')]) {
    expect([answer.status, answer.json.reason, fields(answer)]).toEqual([422, 'other_content', ['Idempotency-Key']])
  }
  expect([(await make('k-made')).status, (await move('k-moved')).status]).toEqual([201, 201])
})

test('what is made under a key that a batch has taken waits for it, and gives way', async () => {
  const { pool, catalog } = admin.ledger
  const idempotencyKey = 'k-both'
  const { rows } = await pool.query("SELECT id FROM api_keys WHERE label = 'admin-key'")
  const key = clientKey(rows[0].id, sha256Hex(idempotencyKey))
  const asked = { tenant: 1, channel: 'api', key, day: null, content: '00' } as const
  const deposit = { ...asked, kind: 'deposit', organisation: 1, amount: 1n, note: noNote } as const
  const { names } = planReads([{ command: deposit, need: {}, holder: null, hold: null }], catalog)
  const batch = await pool.connect()
  try {
    await batch.query('BEGIN')
    for (const name of names) await batch.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name])
    const body = { code: 'both', name: 'Both' }
    const making = admin.call('POST', '/admin/v1/organisations', { idempotencyKey, body })
    const waiting = `SELECT count(*)::integer FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
    await expect.poll(async () => (await pool.query(waiting)).rows[0].count, { timeout: 5_000 }).toBe(1)
    await batch.query('CREATE TEMP TABLE decided ON COMMIT DROP AS SELECT * FROM decisions ORDER BY at DESC LIMIT 1')
    await batch.query(
      'UPDATE decided SET key = $1::uuid, day = floor(extract(epoch FROM clock_timestamp()) / 86400)::integer',
      [key],
    )
    await batch.query('INSERT INTO decisions SELECT * FROM decided')
    await batch.query('COMMIT')
    const made = await making
    expect([made.status, made.json.reason]).toEqual([422, 'other_content'])
    expect((await admin.call('GET', '/admin/v1/organisations/both')).status).toBe(404)
  } finally {
    await batch.query('ROLLBACK')
    batch.release()
  }
})

describe('four eyes', () => {
  const above = 1_000_000
  beforeAll(() => admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = $1 WHERE id = 1', [above]))
  afterAll(() => admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = NULL WHERE id = 1'))
  const body = { ...load, cardholder: '5', amount: above + 1 }
  const lotsOf = async (): Promise<string> => {
    const { rows } = await admin.ledger.pool.query(
      'SELECT count(*), sum(credits_posted) AS sum FROM lots WHERE holder = 5 AND program = 1',
    )
    return `${rows[0].count} ${rows[0].sum}`
  }

  test('a load above the threshold waits; another key carries it out, once', async () => {
    const before = await lotsOf()
    const asked = await admin.call('POST', '/admin/v1/loads', { idempotencyKey: 'f-1', key: 'finance-key', body })
    expect([asked.status, asked.json.kind, asked.json.status]).toEqual([202, 'load', 'waiting'])
    const again = await admin.call('POST', '/admin/v1/loads', { idempotencyKey: 'f-1', key: 'finance-key', body })
    expect([again.status, again.text]).toEqual([202, asked.text])
    const other = await admin.call('POST', '/admin/v1/loads', {
      idempotencyKey: 'f-1',
      key: 'finance-key',
      body: { ...body, amount: 5 },
    })
    expect([other.status, fields(other)]).toEqual([422, ['/amount']])
    expect(await lotsOf()).toBe(before)

    const path = `/admin/v1/approvals/${asked.json.id}`
    const own = await admin.call('POST', `${path}/approve`, { key: 'finance-key' })
    expect([own.status, own.json.reason]).toEqual([403, 'second_person_needed'])
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        admin.call('POST', `${path}/approve`, { key: 'operator-key', body: { note: 'ok' } }),
      ),
    )
    for (const answer of answers) {
      expect([answer.status, answer.json.status, answer.json.answer.status]).toEqual([200, 'approved', 201])
      expect(answer.json.answer.body.amount).toBe(above + 1)
    }
    const after = await lotsOf()
    expect(after).not.toBe(before)
    await admin.call('POST', `${path}/approve`, { key: 'operator-key' })
    expect(await lotsOf()).toBe(after)
    const reject = await admin.call('POST', `${path}/reject`, { key: 'operator-key' })
    expect([reject.status, reject.json.reason]).toEqual([409, 'state_unsuitable'])
    const listed = await admin.call('GET', '/admin/v1/approvals?status=approved')
    expect(listed.json.items.map(({ id }: { id: string }) => id)).toContain(asked.json.id)
    const trail = await admin.audit('approval', asked.json.id)
    expect(trail.map(({ action, actor }) => [action, actor])).toEqual([
      ['create', 'finance-key'],
      ['approve', 'operator-key'],
    ])
  })

  test('what is below, or adds up to less, does not wait', async () => {
    const answer = await admin.call('POST', '/admin/v1/loads', { body: { ...body, amount: above } })
    expect(answer.status).toBe(201)
  })

  test('one that is rejected has no effect', async () => {
    const before = await lotsOf()
    const asked = await admin.call('POST', '/admin/v1/loads', { body })
    const path = `/admin/v1/approvals/${asked.json.id}`
    expect((await admin.call('POST', `${path}/reject`, { key: 'second-admin-key' })).json.status).toBe('rejected')
    expect((await admin.call('POST', `${path}/approve`, { key: 'second-admin-key' })).status).toBe(409)
    expect(await lotsOf()).toBe(before)
  })

  test('one that was carried out before the threshold was there is answered again, after midnight too', async () => {
    const { pool } = admin.ledger
    const options = { idempotencyKey: 'f-lost', key: 'finance-key', body }
    await pool.query('UPDATE tenants SET four_eyes_above = NULL WHERE id = 1')
    const first = await admin.call('POST', '/admin/v1/loads', options)
    await pool.query('UPDATE tenants SET four_eyes_above = $1 WHERE id = 1', [above])
    // As if it had been yesterday.
    const [batch, index] = first.json.id.split('-')
    await pool.query('UPDATE decisions SET day = day - 1 WHERE batch_seq = $1 AND idx = $2', [batch, index])
    const before = await lotsOf()
    const again = await admin.call('POST', '/admin/v1/loads', options)
    expect([first.status, again.status, again.json]).toEqual([201, 201, first.json])
    const other = await admin.call('POST', '/admin/v1/loads', { ...options, body: { ...body, amount: above + 2 } })
    expect([other.status, fields(other)]).toEqual([422, ['/amount']])
    expect(await lotsOf()).toBe(before)
  })

  test('what the engine may forget before a repeat gets there is refused, not done again', async () => {
    const { pool } = admin.ledger
    const options = { idempotencyKey: 'f-late', key: 'finance-key', body }
    await pool.query('UPDATE tenants SET four_eyes_above = NULL WHERE id = 1')
    const first = await admin.call('POST', '/admin/v1/loads', options)
    await pool.query('UPDATE tenants SET four_eyes_above = $1 WHERE id = 1', [above])
    const [batch, index] = first.json.id.split('-')
    await pool.query(
      `UPDATE decisions SET day = day - 1, at = at - interval '23 hours 30 minutes' WHERE batch_seq = $1 AND idx = $2`,
      [batch, index],
    )
    const before = await lotsOf()
    const again = await admin.call('POST', '/admin/v1/loads', options)
    expect([first.status, again.status, again.json.reason]).toEqual([201, 422, 'other_content'])
    expect(await lotsOf()).toBe(before)
  })

  test('one that nobody has decided for seven days is not carried out any more', async () => {
    const asked = await admin.call('POST', '/admin/v1/loads', { body })
    await admin.ledger.pool.query("UPDATE approvals SET made_at = made_at - interval '8 days' WHERE id = $1", [
      asked.json.id,
    ])
    const path = `/admin/v1/approvals/${asked.json.id}`
    expect((await admin.call('GET', path)).json.status).toBe('expired')
    expect((await admin.call('POST', `${path}/approve`, { key: 'second-admin-key' })).status).toBe(409)
  })

  test('one that was approved and not carried out for seven days is not carried out any more', async () => {
    const before = await lotsOf()
    const asked = await admin.call('POST', '/admin/v1/loads', { body })
    const path = `/admin/v1/approvals/${asked.json.id}`
    const approve = () => admin.call('POST', `${path}/approve`, { key: 'second-admin-key' })
    // As if the switch had been busy when it was approved.
    await admin.approvedAgo(asked.json.id, 8)
    expect((await admin.call('GET', path)).json).toMatchObject({ status: 'expired', decidedBy: 'somebody' })
    const late = await approve()
    expect([late.status, late.json.reason, fields(late)]).toEqual([409, 'state_unsuitable', ['id']])
    expect((await admin.call('POST', `${path}/reject`, { key: 'second-admin-key' })).status).toBe(409)
    expect(await lotsOf()).toBe(before)
    await admin.approvedAgo(asked.json.id, 6)
    const inTime = await approve()
    expect([inTime.status, inTime.json.answer.status]).toEqual([200, 201])
    const after = await lotsOf()
    expect(after).not.toBe(before)
    // As if the switch had ended before it stored the answer: what was done is told, however late.
    await admin.approvedAgo(asked.json.id, 8)
    const told = await approve()
    expect([told.json.status, told.json.answer]).toEqual(['approved', inTime.json.answer])
    expect(await lotsOf()).toBe(after)
  })

  test('taking back everything waits if it comes to more than the threshold', async () => {
    const answer = await admin.call('POST', '/admin/v1/clawbacks', { body: { cardholder: '5', program: 'credit' } })
    expect([answer.status, answer.json.kind]).toEqual([202, 'clawback'])
  })
})
