import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'

let admin: TestAdmin
beforeAll(async () => {
  admin = await startAdmin()
})
afterAll(() => admin.close())

const programs = '/admin/v1/programs'
const welfare = { code: 'staff', name: 'Staff welfare', kind: 'welfare', funder: 'bazaar', bin: '936401' }
const whole = { ...welfare, asset: 'IRR', status: 'active', version: 1 }
const fields = (answer: { json: { errors?: { field: string }[] } }) => answer.json.errors?.map(({ field }) => field)
const seen = (version: number) => ({ 'if-match': `"${version}"` })
const versions = async () =>
  (await admin.call('GET', `${programs}/staff/terms`)).json.items.map(({ version }: { version: number }) => version)

describe('programs', () => {
  test('are set up once for a key, with their first terms', async () => {
    const body = {
      ...welfare,
      terms: { purchase: { maximum: 5_000 }, where: { deny: { merchants: ['M00000000000002'] } } },
    }
    const options = { key: 'operator-key', idempotencyKey: 'p-1', body }
    const first = await admin.call('POST', programs, options)
    expect([first.status, first.json, first.headers.etag]).toEqual([201, whole, '"1"'])
    expect((await admin.call('POST', programs, options)).text).toBe(first.text)
    const { items } = (await admin.call('GET', `${programs}/staff/terms`)).json
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({ program: 'staff', version: 1, madeBy: 'operator-key' })
    expect(items[0].terms.purchase.maximum).toBe('5000')
  })

  test.each([
    ['other content', { idempotencyKey: 'p-1', key: 'operator-key', body: welfare }, 422, ['/terms']],
    ['a taken code', { body: welfare }, 409, ['/code']],
    ['no such kind', { body: { ...welfare, code: 'x', kind: 'loan' } }, 400, ['/kind']],
    ['no such funder', { body: { ...welfare, code: 'x', funder: 'other' } }, 400, ['/funder']],
    ['no such asset', { body: { ...welfare, code: 'x', asset: 'EUR' } }, 400, ['/asset']],
    ['a short BIN', { body: { ...welfare, code: 'x', bin: '12345' } }, 400, ['/bin']],
    ['wrong terms', { body: { ...welfare, code: 'x', terms: { priority: -1 } } }, 400, ['/terms/priority']],
    [
      'a merchant of another tenant in its terms',
      { body: { ...welfare, code: 'x', terms: { where: { allow: { merchants: ['X1'] } } } } },
      400,
      ['/terms/where/allow/merchants/0'],
    ],
    ['a key that may not', { key: 'finance-key', body: { ...welfare, code: 'x' } }, 403, undefined],
  ])('refused: %s', async (_name, options, status, errors) => {
    const answer = await admin.call('POST', programs, options)
    expect([answer.status, fields(answer)]).toEqual([status, errors])
    expect((await admin.call('GET', `${programs}/x`)).status).toBe(404)
  })

  test('change under the version that was seen; what they are never changes', async () => {
    const one = `${programs}/staff`
    const changed = await admin.call('PATCH', one, { headers: seen(1), body: { funder: null, name: 'Staff' } })
    expect([changed.status, changed.json]).toEqual([200, { ...whole, funder: null, name: 'Staff', version: 2 }])
    expect((await admin.call('PATCH', one, { headers: seen(1), body: { name: 'x' } })).status).toBe(412)
    expect(fields(await admin.call('PATCH', one, { headers: seen(2), body: { kind: 'gift' } }))).toEqual(['/kind'])
    const unknown = await admin.call('PATCH', one, { headers: seen(2), body: { funder: 'other' } })
    expect(fields(unknown)).toEqual(['/funder'])
    const [, line] = await admin.audit('program', 'staff')
    expect(line).toMatchObject({ action: 'update', before: { name: 'Staff welfare' }, after: { name: 'Staff' } })
  })

  test('the key of an organisation sees no program that another one funds', async () => {
    await admin.call('POST', '/admin/v1/organisations', { body: { code: 'snapp', name: 'Snapp' } })
    await admin.call('POST', programs, { body: { ...welfare, code: 'snapp-staff', funder: 'snapp' } })
    const key = 'organisation-key'
    const { items } = (await admin.call('GET', programs, { key })).json
    expect(items.map(({ code }: { code: string }) => code)).toEqual(['credit', 'staff', 'welfare'])
    expect((await admin.call('GET', `${programs}/snapp-staff`, { key })).status).toBe(404)
    expect((await admin.call('GET', `${programs}/snapp-staff/terms`, { key })).status).toBe(404)
    const gift = await admin.call('GET', `${programs}?kind=gift`)
    expect(gift.json.items).toEqual([])
  })
})

describe('terms', () => {
  const path = `${programs}/staff/terms`

  test('a change is a new version, in force at once', async () => {
    const { pool } = admin.ledger
    const before = await pool.query('SELECT terms::text FROM program_terms WHERE version = 1 ORDER BY tenant, program')
    const body = { terms: { limits: [{ of: 'account', per: 'day', amount: 1_000 }], transfersTo: ['credit'] } }
    const options = { idempotencyKey: 'terms-1', body }
    const first = await admin.call('POST', path, options)
    expect([first.status, first.json.version, first.json.program]).toEqual([201, 2, 'staff'])
    expect(first.json.terms.limits[0].amount).toBe('1000')
    expect((await admin.call('POST', path, options)).text).toBe(first.text)
    expect(await versions()).toEqual([2, 1])
    const after = await pool.query('SELECT terms::text FROM program_terms WHERE version = 1 ORDER BY tenant, program')
    expect(after.rows).toEqual(before.rows)
    expect((await admin.audit('terms', 'staff/2')).map(({ action }) => action)).toEqual(['create'])
  })

  test('may start later', async () => {
    const startsAt = '2099-03-21T00:00:00+03:30'
    const answer = await admin.call('POST', path, { body: { startsAt, terms: { priority: 3 } } })
    expect([answer.status, answer.json.startsAt]).toEqual([201, '2099-03-20T20:30:00.000000Z'])
  })

  test.each([
    ['in the past', { startsAt: '2020-01-01T00:00:00Z', terms: {} }, ['/startsAt']],
    ['no time', { startsAt: 'tomorrow', terms: {} }, ['/startsAt']],
    ['no terms', {}, ['/terms']],
    ['a list', { terms: [] }, ['/terms']],
    ['a field that is not known', { terms: { colour: 'red' } }, ['/terms/colour']],
    [
      'every fault, each with its field',
      {
        terms: {
          limits: [
            { of: 'account', per: 'hours', amount: 1 },
            { of: 'nobody', per: 'day', count: 1 },
          ],
          when: { hours: [{ from: '08:00', until: '25:00' }] },
          expiry: { kind: 'after_load' },
        },
      },
      ['/terms/when/hours/0/until', '/terms/limits/0/hours', '/terms/limits/1/of', '/terms/expiry/days'],
    ],
    ['a program that is not there', { terms: { transfersTo: ['credit', 'points'] } }, ['/terms/transfersTo/1']],
  ])('refused: %s', async (_name, body, errors) => {
    const answer = await admin.call('POST', path, { body })
    expect([answer.status, fields(answer)]).toEqual([400, errors])
    expect(await versions()).toEqual([3, 2, 1])
  })

  test('of a program that is not there: 404', async () => {
    expect((await admin.call('POST', `${programs}/nobody/terms`, { body: { terms: {} } })).status).toBe(404)
    expect((await admin.call('GET', `${programs}/nobody/terms`)).status).toBe(404)
  })

  test('wait for a second person where four eyes are asked for', async () => {
    const { headers } = await admin.call('GET', '/admin/v1/tenant')
    const fourEyes = await admin.call('PATCH', '/admin/v1/tenant', {
      headers: { 'if-match': String(headers.etag) },
      body: { fourEyesAbove: 0 },
    })
    expect(fourEyes.status).toBe(200)
    const options = { key: 'operator-key', idempotencyKey: 'terms-2', body: { terms: { priority: 9 } } }
    const asked = await admin.call('POST', path, options)
    expect([asked.status, asked.json.kind, asked.json.status]).toEqual([202, 'terms', 'waiting'])
    expect((await admin.call('POST', path, options)).text).toBe(asked.text)
    expect(await versions()).toEqual([3, 2, 1])
    const approve = `/admin/v1/approvals/${asked.json.id}/approve`
    expect((await admin.call('POST', approve, { key: 'operator-key', body: {} })).json.reason).toBe(
      'second_person_needed',
    )
    const approved = await admin.call('POST', approve, { body: {} })
    expect([approved.status, approved.json.status, approved.json.answer.status]).toEqual([200, 'approved', 201])
    expect(approved.json.answer.body).toMatchObject({ version: 4, madeBy: 'operator-key' })
    await admin.call('POST', approve, { body: {} })
    expect(await versions()).toEqual([4, 3, 2, 1])
  })
})
