import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'

let admin: TestAdmin
beforeAll(async () => {
  admin = await startAdmin()
})
afterAll(() => admin.close())

const routes = () => admin.http.app.known.filter(({ method, url }) => url.startsWith('/admin/v1/') && method !== 'HEAD')

/** The calls of the admin API that a key may make, by method and address; what is named in them is not there. */
async function allowed(key: string): Promise<string[]> {
  const calls: string[] = []
  for (const { method, url } of routes()) {
    const path = url.replaceAll(/:date/g, '2026-02-30').replaceAll(/:\w+/g, '999999')
    const { status } = await admin.call(method, path, { key })
    if (status !== 403) calls.push(`${method} ${url.slice('/admin/v1/'.length)}`)
  }
  return calls
}

const writes = (calls: readonly string[]) => calls.filter(call => !call.startsWith('GET '))

test('without a key there is nothing; a till sees its own purchases', async () => {
  for (const { method, url } of routes()) {
    expect((await admin.call(method, url, { key: null })).status, `${method} ${url}`).toBe(401)
  }
  expect(await allowed('pos-key')).toEqual(['GET transactions', 'GET merchants/:code/statement'])
})

test('an administrator may call everything', async () => {
  expect((await allowed('admin-key')).length).toBe(routes().length)
})

describe('roles', () => {
  test('an auditor reads, and changes nothing', async () => {
    const calls = await allowed('auditor-key')
    expect(writes(calls)).toEqual(['POST cardholders/search', 'POST simulate'])
    expect(calls).toEqual(
      expect.arrayContaining(['GET audit-log', 'GET merchants', 'GET organisations', 'GET load-files']),
    )
  })

  test('a merchant sees its own shops, and nobody’s credit', async () => {
    const calls = await allowed('merchant-key')
    expect(writes(calls)).toEqual([])
    const seen = calls.map(call => call.split(/[ /]/)[1])
    expect([...new Set(seen)].sort()).toEqual(['holidays', 'merchants', 'tenant', 'terminals', 'transactions'])
  })

  test.each([
    ['organisation-key', ['loads', 'clawbacks'], ['organisations', 'merchants', 'programs', 'terminals', 'cards']],
    [
      'finance-key',
      ['loads', 'clawbacks', 'adjustments', 'transfers'],
      ['organisations', 'merchants', 'programs', 'cards'],
    ],
    [
      'operator-key',
      ['organisations', 'merchants', 'terminals', 'programs', 'cards'],
      ['loads', 'clawbacks', 'transfers'],
    ],
  ])('%s', async (key, may, mayNot) => {
    const calls = await allowed(key)
    for (const one of may) expect(calls).toContain(`POST ${one}`)
    for (const one of mayNot) expect(calls).not.toContain(`POST ${one}`)
    for (const call of [
      'POST api-keys',
      'POST api-keys/:id/disable',
      'GET api-keys',
      'PATCH tenant',
      'GET audit-log',
    ]) {
      expect(calls).not.toContain(call)
    }
  })
})

test('a key that sees one organisation sets up nothing of another, whatever its scopes', async () => {
  const scopes = ['organisations:read', 'organisations:write', 'programs:read', 'programs:write']
  const made = await admin.call('POST', '/admin/v1/api-keys', {
    body: { label: 'own', scopes, organisation: 'bazaar' },
  })
  const key = made.json.secret
  await admin.call('POST', '/admin/v1/organisations', { body: { code: 'snapp', name: 'Snapp' } })
  const program = { name: 'P', kind: 'welfare' }
  await admin.call('POST', '/admin/v1/programs', { body: { ...program, code: 'theirs', funder: 'snapp' } })
  const own = await admin.call('POST', '/admin/v1/programs', {
    key,
    body: { ...program, code: 'own', funder: 'bazaar' },
  })
  expect(own.status).toBe(201)
  const headers = { 'if-match': '"1"' }
  for (const [method, path, body, status] of [
    ['POST', 'organisations', { code: 'x', name: 'X' }, 403],
    ['PATCH', 'organisations/snapp', { name: 'X' }, 404],
    ['PATCH', 'organisations/bazaar', { name: 'Ours' }, 200],
    ['POST', 'programs', { ...program, code: 'x', funder: 'snapp' }, 403],
    ['POST', 'programs', { ...program, code: 'x' }, 403],
    ['PATCH', 'programs/theirs', { name: 'X' }, 404],
    ['PATCH', 'programs/credit', { name: 'X' }, 403],
    ['PATCH', 'programs/own', { funder: 'snapp' }, 403],
    ['PATCH', 'programs/own', { name: 'X' }, 200],
    ['POST', 'programs/theirs/terms', { terms: {} }, 404],
    ['POST', 'programs/credit/terms', { terms: {} }, 403],
    ['POST', 'programs/own/terms', { terms: {} }, 201],
  ] as const) {
    const answer = await admin.call(method, `/admin/v1/${path}`, { key, body, headers })
    expect([method, path, answer.status]).toEqual([method, path, status])
  }
})

test.each([
  [{ scopes: ['cards:write', 'loads:read'] }, '/scopes'],
  [{ scopes: ['audit:read'] }, '/scopes'],
  [{ scopes: ['transactions:read'] }, '/scopes'],
  [{ role: 'operator' }, '/role'],
])('no key of one organisation may do what looks at no organisation: %o', async (body, field) => {
  const made = await admin.call('POST', '/admin/v1/api-keys', { body: { label: 'x', organisation: 'bazaar', ...body } })
  expect([made.status, made.json.errors[0].field]).toEqual([400, field])
})

test('the key of an organisation names people whom it has not paid for by what it knows of them', async () => {
  const reference = 'stranger'
  const { json } = await admin.call('POST', '/admin/v1/cardholders', { body: { reference, name: 'Sara' } })
  const load = { program: 'welfare', funder: 'bazaar', amount: 1 }
  const key = 'organisation-key'
  const guessed = await admin.call('POST', '/admin/v1/loads', { key, body: { ...load, cardholder: json.id } })
  expect([guessed.status, guessed.json.errors[0].field]).toEqual([404, '/cardholder'])
  const known = { ...load, cardholderReference: reference }
  expect((await admin.call('POST', '/admin/v1/loads', { key, body: known })).status).toBe(201)
  const again = await admin.call('POST', '/admin/v1/loads', { key, body: { ...load, cardholder: json.id } })
  expect(again.status).toBe(201)
})

test.each([
  'api-keys/999999999999999',
  'api-keys?cursor=OTk5OTk5OTk5OTk5OTk5',
  'holidays?cursor=OTk5OTk5OTk5OTk5OTk5',
  'audit-log?actor=999999999999999',
])('an id longer than any there is finds nothing: %s', async path => {
  expect([200, 404]).toContain((await admin.call('GET', `/admin/v1/${path}`)).status)
})
