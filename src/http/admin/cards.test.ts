import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'
import type { CallOptions } from '../../../test/support/http.ts'
import { hasCheckDigit } from '../../core/card-numbers.ts'

let admin: TestAdmin
let holder: string
beforeAll(async () => {
  admin = await startAdmin()
  await admin.ledger.pool.query(`UPDATE programs SET bin = '93640012' WHERE tenant = 1 AND code = 'credit'`)
  holder = (await call('POST', holders, { body: { reference: 'e-17', name: 'Sara' } })).json.id
})
afterAll(() => admin.close())

const holders = '/admin/v1/cardholders'
const cards = '/admin/v1/cards'
const call = (method: string, path: string, options: CallOptions = {}) => admin.call(method, path, options)
const fields = (answer: { json: { errors?: { field: string }[] } }) => answer.json.errors?.map(({ field }) => field)
const issue = async (over: object = {}) =>
  call('POST', cards, { body: { cardholder: holder, program: 'credit', kind: 'virtual', ...over } })
const reveal = async (id: string): Promise<string> => (await call('POST', `${cards}/${id}/reveal`)).json.pan
const pay = (pan: string, amount = 10) =>
  call('POST', '/v1/transactions', {
    key: 'pos-key',
    body: { card: { pan }, amount, currency: 'IRR', merchant: 'M00000000000001', terminal: 'T0000001' },
  })
/** All text that the database holds, of every table. */
async function everything(): Promise<string> {
  const { rows } = await admin.ledger.pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
  )
  const texts = await Promise.all(rows.map(({ name }) => admin.ledger.pool.query(`SELECT t::text FROM ${name} t`)))
  return texts.flatMap(({ rows: lines }) => lines.map(line => line.t)).join('\n')
}

describe('cardholders', () => {
  test('one whom nobody has said anything of has no time of being set up', async () => {
    const { status, json } = await admin.call('GET', '/admin/v1/cardholders/1')
    expect([status, json.createdAt, json.version]).toEqual([200, null, 1])
  })

  test('are kept with their mobile in one form, and of a national code the hash and the last digits', async () => {
    const body = { reference: 'e-1', name: 'علی', mobile: '۰۹۱۲-۱۲۳ ۴۵۶۷', nationalCode: '0499370899' }
    const made = await call('POST', holders, { idempotencyKey: 'h-1', body })
    expect([made.status, made.headers.etag]).toEqual([201, '"1"'])
    expect(made.json).toMatchObject({
      reference: 'e-1',
      name: 'علی',
      mobile: '+989121234567',
      nationalCodeLast4: '0899',
    })
    const again = await call('POST', holders, { idempotencyKey: 'h-1', body })
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([made.text, 'true'])
    const other = await call('POST', holders, { idempotencyKey: 'h-1', body: { ...body, nationalCode: '0790419904' } })
    expect([other.status, fields(other)]).toEqual([422, ['/nationalCode']])
    expect(await everything()).not.toContain('0499370899')
    expect(admin.http.log.join('')).not.toContain('0499370899')

    expect((await call('GET', `${holders}/${made.json.id}`)).json).toEqual(made.json)
    for (const by of [{ mobile: '+98 912 123 4567' }, { nationalCode: '۰۴۹۹۳۷۰۸۹۹' }, { reference: 'e-1' }]) {
      const found = await call('POST', `${holders}/search`, { body: by })
      expect(found.json.items).toEqual([made.json])
    }
    expect(
      (await call('POST', `${holders}/search`, { body: { reference: 'e-1', mobile: '09120000000' } })).json.items,
    ).toEqual([])
    expect(
      (await call('POST', `${holders}/search`, { key: 'other-key', body: { reference: 'e-1' } })).json.items,
    ).toEqual([])
  })

  test('two have not the same number or national code', async () => {
    const first = { reference: 'twice', nationalCode: '0084575948' }
    expect((await call('POST', holders, { body: first })).status).toBe(201)
    const byReference = await call('POST', holders, { body: { reference: 'twice' } })
    expect([byReference.status, fields(byReference)]).toEqual([409, ['/reference']])
    const byCode = await call('POST', holders, { body: { nationalCode: '84575948' } })
    expect([byCode.status, fields(byCode)]).toEqual([409, ['/nationalCode']])
  })

  test.each([
    [{ mobile: '02188776655' }, ['/mobile']],
    [{ nationalCode: '0499370898' }, ['/nationalCode']],
    [{ mobile: 'x', nationalCode: '1' }, ['/mobile', '/nationalCode']],
    [{ name: '' }, ['/name']],
    [{ age: 3 }, ['/age']],
  ])('refused: %o', async (body, wrong) => {
    const answer = await call('POST', holders, { body })
    expect([answer.status, fields(answer)]).toEqual([400, wrong])
  })

  test('are changed in what is given, under their version; also those without a profile', async () => {
    const path = `${holders}/${holder}`
    const seen = { headers: { 'if-match': '"1"' } }
    const changed = await call('PATCH', path, { ...seen, body: { mobile: '09350000001' } })
    expect([changed.status, changed.json.name, changed.json.mobile]).toEqual([200, 'Sara', '+989350000001'])
    expect((await call('PATCH', path, { ...seen, body: { name: 'x' } })).status).toBe(412)
    expect((await call('PATCH', path, { body: { name: 'x' } })).status).toBe(428)
    const seeded = await call('PATCH', `${holders}/1`, { ...seen, body: { reference: 'e-seeded' } })
    expect([seeded.status, seeded.json.version]).toEqual([200, 2])
    expect((await call('GET', `${holders}?reference=e-seeded`)).json.items.map(({ id }: { id: string }) => id)).toEqual(
      ['1'],
    )
    expect((await call('PATCH', `${holders}/999999`, { ...seen, body: { name: 'x' } })).status).toBe(404)
  })

  test('an organisation sees those who have its credit', async () => {
    expect((await call('GET', `${holders}/1`, { key: 'organisation-key' })).status).toBe(200)
    expect((await call('GET', `${holders}/${holder}`, { key: 'organisation-key' })).status).toBe(404)
    const { items } = (await call('GET', `${holders}?limit=500`, { key: 'organisation-key' })).json
    expect(items.map(({ id }: { id: string }) => id)).toEqual(['1', '2', '3', '4', '5'])
  })
})

describe('issuing', () => {
  test('gives a random number with a check digit, sealed in the vault and in no answer', async () => {
    const made = await call('POST', cards, {
      idempotencyKey: 'c-1',
      body: { cardholder: holder, program: 'credit', kind: 'virtual', expiresAt: '2031-03-20T20:30:00Z' },
    })
    expect(made.status).toBe(201)
    expect(made.json).toMatchObject({
      cardholder: holder,
      kind: 'virtual',
      status: 'active',
      program: 'credit',
      expiresAt: '2031-03-20T20:30:00.000000Z',
      pinTries: 0,
    })
    const again = await call('POST', cards, {
      idempotencyKey: 'c-1',
      body: { cardholder: holder, program: 'credit', kind: 'virtual', expiresAt: '2031-03-20T20:30:00Z' },
    })
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([made.text, 'true'])
    const pan = await reveal(made.json.id)
    expect(pan).toMatch(/^93640012[0-9]{8}$/)
    expect([hasCheckDigit(pan), pan.slice(-4)]).toEqual([true, made.json.last4])
    expect(made.text).not.toContain(pan)
    expect(await everything()).not.toContain(pan)
    expect(admin.http.log.join('')).not.toContain(pan)
    const audit = await admin.audit('card', made.json.id)
    expect(audit.map(({ action }) => action)).toEqual(['create', 'reveal'])
  })

  test('only who may reveal sees a number', async () => {
    const { id } = (await issue()).json
    for (const key of ['operator-key', 'finance-key', 'auditor-key', 'organisation-key']) {
      expect((await call('POST', `${cards}/${id}/reveal`, { key })).status).toBe(403)
    }
    expect((await call('POST', `${cards}/${id}/reveal`, { key: 'other-key' })).status).toBe(404)
  })

  test.each([
    [{ program: 'welfare' }, 400, ['/program']],
    [{ program: 'none' }, 400, ['/program']],
    [{ expiresAt: 'soon' }, 400, ['/expiresAt']],
    [{ kind: 'voucher' }, 400, ['/kind']],
    [{ cardholder: '999999' }, 404, ['/cardholder']],
  ])('refused: %o', async (over, status, wrong) => {
    const answer = await issue(over)
    expect([answer.status, fields(answer)]).toEqual([status, wrong])
  })

  test('many at once have numbers of their own, even in a small range', async () => {
    await admin.ledger.pool.query(`UPDATE programs SET bin = '936400777777' WHERE tenant = 1 AND code = 'welfare'`)
    const made = await Promise.all(Array.from({ length: 40 }, () => issue({ program: 'welfare' })))
    expect(new Set(made.map(({ status }) => status))).toEqual(new Set([201]))
    expect(new Set(made.map(({ json }) => json.token)).size).toBe(40)
  })
})

describe('the life of a card', () => {
  test('a physical card is activated, blocked with a reason, unblocked, closed', async () => {
    const { id } = (await issue({ kind: 'physical' })).json
    const pan = await reveal(id)
    const move = (name: string, body?: object) => call('POST', `${cards}/${id}/${name}`, { ...(body && { body }) })
    await call('POST', '/admin/v1/loads', {
      body: { cardholder: holder, program: 'credit', funder: 'bazaar', amount: 500 },
    })
    expect((await pay(pan)).json.reason).toBe('card_inactive')
    expect((await move('block', { reason: 'lost' })).json.reason).toBe('card_status_wrong')
    expect((await move('activate')).json.status).toBe('active')
    expect((await pay(pan)).status).toBe(201)
    expect(fields(await move('block', {}))).toEqual(['/reason'])
    const blocked = await move('block', { reason: 'lost' })
    expect([blocked.status, blocked.json.status, blocked.json.statusReason]).toEqual([200, 'blocked', 'lost'])
    expect((await move('block', { reason: 'again' })).json).toEqual(blocked.json)
    expect((await pay(pan)).json.reason).toBe('card_blocked')
    expect((await move('unblock')).json.status).toBe('active')
    expect((await pay(pan)).status).toBe(201)
    expect((await move('close', { reason: 'left' })).json.status).toBe('closed')
    expect((await pay(pan)).json.reason).toBe('card_closed')
    expect((await move('activate')).status).toBe(409)
    expect((await admin.audit('card', id)).map(({ action }) => action)).toEqual([
      'create',
      'reveal',
      'activate',
      'block',
      'unblock',
      'close',
    ])
  })

  test('a replacement has another number, and what the old one had', async () => {
    const old = (await issue({ expiresAt: '2031-01-01T00:00:00Z' })).json
    const oldPan = await reveal(old.id)
    const path = `${cards}/${old.id}/replace`
    const made = await call('POST', path, { idempotencyKey: 'r-1', body: { reason: 'worn' } })
    expect(made.status).toBe(201)
    expect(made.json).toMatchObject({ cardholder: holder, kind: 'virtual', status: 'active', expiresAt: old.expiresAt })
    const again = await call('POST', path, { idempotencyKey: 'r-1', body: { reason: 'worn' } })
    expect(again.text).toBe(made.text)
    expect((await call('GET', `${cards}/${old.id}`)).json).toMatchObject({
      status: 'replaced',
      statusReason: 'worn',
      replacedBy: made.json.id,
      version: 2,
    })
    expect((await pay(oldPan)).json.reason).toBe('card_replaced')
    expect((await pay(await reveal(made.json.id))).status).toBe(201)
    expect((await call('POST', path, { body: {} })).status).toBe(409)
  })

  test('it expires when it is said to', async () => {
    const { id } = (await issue()).json
    const patch = { headers: { 'if-match': '"1"' }, body: { expiresAt: '2020-01-01T00:00:00Z' } }
    expect((await call('PATCH', `${cards}/${id}`, patch)).json.expiresAt).toBe('2020-01-01T00:00:00.000000Z')
    expect((await call('PATCH', `${cards}/${id}`, patch)).status).toBe(412)
    expect((await pay(await reveal(id))).json.reason).toBe('card_expired')
  })

  test('wrong PINs are forgotten', async () => {
    const { id, token } = (await issue()).json
    await admin.ledger.pool.query('UPDATE cards SET pin_tries = 3 WHERE token = $1::uuid', [token])
    expect((await pay(await reveal(id))).json.reason).toBe('pin_tries_exceeded')
    expect((await call('POST', `${cards}/${id}/reset-pin`)).json.pinTries).toBe(0)
    expect((await pay(await reveal(id))).status).toBe(201)
  })

  test('a block waits for the batch that has the holder, and counts for the next', async () => {
    const { id } = (await issue()).json
    const pan = await reveal(id)
    const [blocked, ...paid] = await Promise.all([
      call('POST', `${cards}/${id}/block`, { body: { reason: 'stolen' } }),
      ...Array.from({ length: 10 }, () => pay(pan, 1)),
    ])
    expect(blocked?.status).toBe(200)
    expect(paid.every(({ status, json }) => status === 201 || json.reason === 'card_blocked')).toBe(true)
    expect((await pay(pan, 1)).json.reason).toBe('card_blocked')
  })
})

describe('lists', () => {
  test('by holder, last digits and state, in pages and as CSV', async () => {
    const { id, last4 } = (await issue()).json
    await call('POST', `${cards}/${id}/block`, { body: { reason: 'x' } })
    const ids = async (query: string) =>
      (await call('GET', `${cards}?${query}`)).json.items.map((item: { id: string }) => item.id)
    expect(await ids(`cardholder=${holder}&last4=${last4}&status=blocked`)).toEqual([id])
    expect(await ids('cardholder=1&status=blocked')).toEqual([])
    expect((await ids('cardholder=1')).length).toBe(1)
    const all: string[] = []
    for (let cursor = ''; ; ) {
      const page = await call('GET', `${cards}?cardholder=${holder}&limit=7${cursor}`)
      all.push(...page.json.items.map((item: { id: string }) => item.id))
      if (page.json.nextCursor === null) break
      cursor = `&cursor=${page.json.nextCursor}`
    }
    expect(all).toEqual(await ids(`cardholder=${holder}&limit=500`))
    const csv = await call('GET', `${cards}?cardholder=${holder}&limit=7`, { headers: { accept: 'text/csv' } })
    expect(csv.text.trimEnd().split('\r\n').length).toBe(all.length + 1)
    expect(fields(await call('GET', `${cards}?last4=12&colour=red`))).toEqual(['colour', 'last4'])
  })
})
