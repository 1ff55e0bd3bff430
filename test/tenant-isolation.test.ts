import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from './support/admin.ts'
import { attempts, fillFirstTenant, secrets, type Values } from './support/two-tenants.ts'

let admin: TestAdmin
let values: Values
beforeAll(async () => {
  admin = await startAdmin()
  values = await fillFirstTenant(admin)
})
afterAll(() => admin.close())

/** What is the same for everybody, or about no tenant. */
const open = ['/livez', '/readyz', '/metrics', '/openapi.json']
/** What acts on the asker's own tenant, though its address is that of something in the first. */
const ownByNature = ['PUT /admin/v1/holidays/:date', 'DELETE /admin/v1/holidays/:date']

const routes = () =>
  admin.http.app.known.filter(({ method, url }) => method !== 'HEAD' && !open.includes(url) && !url.startsWith('/docs'))

/** The address of something in the first tenant. */
function pathOf(url: string): string {
  const known =
    values[
      url
        .split('/')
        .slice(0, url.startsWith('/admin/') ? 4 : 3)
        .join('/')
    ]
  return url.replaceAll(/:(\w+)/g, (_parameter, name: string) => {
    const value = known?.[name]
    if (value === undefined) throw new Error(`${url}: give it a value in test/support/two-tenants.ts`)
    return encodeURIComponent(value)
  })
}

/** Everything that the first tenant has in the database, as one number. */
async function state(): Promise<string> {
  const { pool } = admin.ledger
  const { rows } = await pool.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant'
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace ORDER BY 1`,
  )
  expect(rows.length).toBeGreaterThan(20)
  const parts = rows.map(
    ({ name }) => `SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) AS part FROM ${name} t WHERE tenant = 1`,
  )
  parts.push('SELECT md5(t::text) FROM tenants t WHERE id = 1')
  const all = await pool.query<{ all: string }>(
    `SELECT string_agg(coalesce(part, '-'), ',') AS all FROM (${parts.join(' UNION ALL ')}) AS p`,
  )
  return all.rows[0]?.all ?? ''
}

describe('the key of another tenant', () => {
  test('tries every route: it learns nothing and changes nothing', async () => {
    const wrong: string[] = []
    const before = await state()
    expect(routes().length).toBeGreaterThan(40)
    for (const { method, url } of routes()) {
      const name = `${method} ${url}`
      const needsAttempt = method !== 'GET' && method !== 'DELETE' && !url.includes(':id/')
      if (needsAttempt && attempts[name] === undefined) wrong.push(`${name}: try it with something`)
      const answer = await admin.call(method, pathOf(url), { key: 'other-key', ...attempts[name] })
      if (answer.status >= 500) wrong.push(`${name}: ${answer.status}`)
      if (url.includes(':') && answer.status !== 404 && !ownByNature.includes(name)) {
        wrong.push(`${name}: ${answer.status} ${answer.text}`)
      }
      for (const secret of secrets) if (answer.text.includes(secret)) wrong.push(`${name} tells ${secret}`)
      if ((await state()) !== before) wrong.push(`${name} changed something`)
    }
    expect(wrong).toEqual([])
  }, 120_000)

  test('tried what is there: keys of the first tenant read every address', async () => {
    const wrong: string[] = []
    for (const { method, url } of routes()) {
      if (method !== 'GET') continue
      const key = url.startsWith('/admin/') ? 'admin-key' : 'pos-key'
      const answer = await admin.call('GET', pathOf(url), { key })
      if (answer.status !== 200) wrong.push(`GET ${url}: ${answer.status} ${answer.text}`)
    }
    expect(wrong).toEqual([])
  }, 60_000)

  test('sees empty lists, but for what is its own', async () => {
    for (const list of ['/v1/transactions', '/admin/v1/approvals', '/admin/v1/load-files']) {
      const { items } = (await admin.call('GET', list, { key: 'other-key' })).json
      expect(items.filter((item: { id: string }) => item.id === values[list]?.id)).toEqual([])
    }
  })
})

test('idempotency keys of one tenant are nothing to another', async () => {
  const body = { code: 'twins', name: 'Twins' }
  const first = await admin.call('POST', '/admin/v1/organisations', { idempotencyKey: 'same', body })
  const second = await admin.call('POST', '/admin/v1/organisations', { idempotencyKey: 'same', key: 'other-key', body })
  expect([first.status, second.status, second.headers['idempotent-replayed']]).toEqual([201, 201, undefined])
})
