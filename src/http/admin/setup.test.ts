import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'

let admin: TestAdmin
beforeAll(async () => {
  admin = await startAdmin()
})
afterAll(() => admin.close())

const fields = (answer: { json: { errors?: { field: string }[] } }) => answer.json.errors?.map(({ field }) => field)
const seen = (version: number) => ({ 'if-match': `"${version}"` })

describe('the tenant', () => {
  const path = '/admin/v1/tenant'

  test('is read by every role, and changed by an administrator', async () => {
    for (const key of ['operator-key', 'finance-key', 'merchant-key', 'organisation-key', 'auditor-key']) {
      expect((await admin.call('GET', path, { key })).json.code).toBe('bazaar')
      expect((await admin.call('PATCH', path, { key, headers: seen(1), body: { name: 'x' } })).status).toBe(403)
    }
    const before = (await admin.call('GET', path)).json
    const body = {
      name: 'The Bazaar',
      timeZone: 'Europe/Berlin',
      calendar: 'gregorian',
      cutOverSeconds: 3_600,
    }
    const changed = await admin.call('PATCH', path, { headers: seen(1), body })
    expect([changed.status, changed.json]).toEqual([200, { ...before, ...body, version: 2 }])
    expect((await admin.call('PATCH', path, { headers: seen(1), body })).status).toBe(412)
    expect((await admin.audit('tenant', '1')).map(({ after }) => (after as { name: string }).name)).toEqual([
      'The Bazaar',
    ])
  })

  test.each([
    [{ timeZone: 'Mars/Olympus' }, ['/timeZone']],
    [{ timeZone: '+03:30' }, ['/timeZone']],
    [{ calendar: 'mayan' }, ['/calendar']],
    [{ cutOverSeconds: 86_400 }, ['/cutOverSeconds']],
    [{ fourEyesAbove: -1 }, ['/fourEyesAbove']],
    [{ code: 'x' }, ['/code']],
  ])('refused: %o', async (body, errors) => {
    const answer = await admin.call('PATCH', path, { headers: seen(2), body })
    expect([answer.status, fields(answer)]).toEqual([400, errors])
  })
})

describe('while four eyes are asked for', () => {
  const path = '/admin/v1/tenant'
  const version = async (): Promise<number> => (await admin.call('GET', path)).json.version
  const patch = async (body: object, idempotencyKey?: string) =>
    admin.call('PATCH', path, {
      headers: seen(await version()),
      body,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    })
  const approve = (id: string, key = 'second-admin-key') =>
    admin.call('POST', `/admin/v1/approvals/${id}/approve`, { key, body: {} })
  beforeAll(async () => {
    expect((await patch({ fourEyesAbove: 1_000 })).status).toBe(200)
  })
  afterAll(() => admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = NULL, version = 2 WHERE id = 1'))

  test.each([
    ['none', { fourEyesAbove: null }, 202],
    ['a higher threshold', { fourEyesAbove: 1_001 }, 202],
    ['another time zone', { timeZone: 'Asia/Tehran' }, 202],
    ['another calendar', { calendar: 'persian' }, 202],
    ['a lower threshold', { fourEyesAbove: 999 }, 200],
    ['another name', { name: 'Bazaar' }, 200],
    ['the same time zone', { timeZone: 'Europe/Berlin' }, 200],
  ] as const)('%s', async (what, body, status) => {
    const before = (await admin.call('GET', path)).json
    const answer = await patch(body, `tenant-${what.replaceAll(' ', '-')}`)
    expect(answer.status).toBe(status)
    const after = (await admin.call('GET', path)).json
    if (status === 200) expect(after).toEqual({ ...before, ...body, version: before.version + 1 })
    else expect([after, answer.json.kind, answer.json.request]).toEqual([before, 'tenant', body])
  })

  test('what waits needs a key, is done once approved by another, and answers its repeat', async () => {
    expect((await patch({ fourEyesAbove: null })).json.reason).toBe('key_missing')
    const options = { headers: seen(await version()), body: { calendar: 'persian' }, idempotencyKey: 'calendar' }
    const asked = await admin.call('PATCH', path, options)
    expect((await approve(asked.json.id, 'admin-key')).json.reason).toBe('second_person_needed')
    const approved = await approve(asked.json.id)
    expect([approved.json.answer.status, approved.json.answer.body.calendar]).toEqual([200, 'persian'])
    expect((await admin.call('GET', path)).json.calendar).toBe('persian')
    expect((await admin.call('PATCH', path, options)).json.id).toBe(asked.json.id)
  })

  test('holidays wait too', async () => {
    const day = '/admin/v1/holidays/2026-05-01'
    const read = async () => (await admin.call('GET', '/admin/v1/holidays?from=2026-05-01&to=2026-05-02')).json.items
    expect((await admin.call('PUT', day, { body: { name: 'May' } })).json.reason).toBe('key_missing')
    const put = await admin.call('PUT', day, { body: { name: 'May' }, idempotencyKey: 'may' })
    expect([put.status, put.json.kind, put.json.request, await read()]).toEqual([
      202,
      'holiday',
      { date: '2026-05-01', name: 'May' },
      [],
    ])
    expect((await approve(put.json.id)).json.answer.status).toBe(201)
    expect(await read()).toEqual([{ date: '2026-05-01', name: 'May' }])
    const gone = await admin.call('DELETE', day, { idempotencyKey: 'no-may' })
    expect([gone.status, (await read()).length]).toEqual([202, 1])
    expect((await approve(gone.json.id)).json.answer.status).toBe(204)
    expect(await read()).toEqual([])
  })

  test('what is approved twice at once is carried out once', async () => {
    const { id } = (await patch({ fourEyesAbove: 3_000 }, 'tenant-once')).json
    const before = await version()
    const rival = await admin.ledger.pool.connect()
    await rival.query('BEGIN')
    await rival.query('SELECT FROM tenants WHERE id = 1 FOR NO KEY UPDATE')
    const answers = [approve(id), approve(id)]
    // Both have found that it is not carried out yet, and wait for the tenant.
    await new Promise(resolve => setTimeout(resolve, 300))
    await rival.query('COMMIT')
    rival.release()
    for (const { json } of await Promise.all(answers)) {
      expect([json.answer.status, json.answer.body.version]).toEqual([200, before + 1])
    }
    expect(await version()).toBe(before + 1)
  })

  test('a change is there only with its answer, so that no later approval makes it again', async () => {
    const { pool } = admin.ledger
    const day = '/admin/v1/holidays/2026-06-01'
    const read = async () => [
      (await admin.call('GET', path)).json,
      (await admin.call('GET', '/admin/v1/holidays?from=2026-06-01&to=2026-06-02')).json.items,
    ]
    const higher = (await patch({ fourEyesAbove: 4_000 }, 'tenant-torn')).json
    const june = (await admin.call('PUT', day, { body: { name: 'June' }, idempotencyKey: 'june-torn' })).json
    const before = await read()
    await pool.query(`CREATE FUNCTION torn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'torn'; END $$;
      CREATE TRIGGER torn BEFORE UPDATE OF answer ON approvals FOR EACH ROW EXECUTE FUNCTION torn()`)
    const torn = [await approve(higher.id), await approve(june.id)]
    await pool.query('DROP TRIGGER torn ON approvals; DROP FUNCTION torn')
    expect(torn.map(({ status }) => status >= 500)).toEqual([true, true])
    expect(await read()).toEqual(before)
    expect((await approve(higher.id)).json.answer.body.fourEyesAbove).toBe(4_000)
    expect((await approve(june.id)).json.answer.status).toBe(201)
    expect((await read())[1]).toEqual([{ date: '2026-06-01', name: 'June' }])
    await pool.query('DELETE FROM holidays WHERE tenant = 1')
  })

  test('a key decides nothing that a key of the same hand has asked for', async () => {
    const makeKey = async (key: string, body: object): Promise<string> =>
      (await admin.call('POST', '/admin/v1/api-keys', { key, body })).json.secret
    const first = await makeKey('admin-key', { label: 'first', scopes: ['admin'] })
    const child = await makeKey(first, { label: 'child', role: 'operator' })
    const sibling = await makeKey('admin-key', { label: 'sibling', role: 'operator' })
    const ask = async (key: string): Promise<string> => {
      const body = { cardholder: '1', program: 'credit', amount: 5_000, funder: 'bazaar' }
      return (await admin.call('POST', '/admin/v1/loads', { key, body })).json.id
    }
    const reasonOf = async (asker: string, decider: string) => {
      const { status, json } = await approve(await ask(asker), decider)
      return status === 200 ? json.status : `${json.reason} ${json.errors?.[0]?.field ?? ''}`
    }
    for (const [asker, decider] of [
      ['admin-key', child],
      ['admin-key', first],
      [first, child],
      [first, 'admin-key'],
    ] as const) {
      expect(await reasonOf(asker, decider)).toBe('second_person_needed Authorization')
    }
    expect(await reasonOf(first, sibling)).toBe('approved')
    expect(await reasonOf(first, 'second-admin-key')).toBe('approved')
  })
})

describe('holidays', () => {
  const path = '/admin/v1/holidays'

  test('are put, renamed, listed and taken away', async () => {
    const put = (date: string, name: string) =>
      admin.call('PUT', `${path}/${date}`, { key: 'operator-key', body: { name } })
    expect((await put('2026-03-21', 'Nowruz')).status).toBe(201)
    expect((await put('2026-03-21', 'Nowruz')).status).toBe(200)
    expect((await put('2026-03-21', 'New year')).json).toEqual({ date: '2026-03-21', name: 'New year' })
    expect((await put('2026-04-01', 'Nature')).status).toBe(201)
    const listed = await admin.call('GET', `${path}?from=2026-03-01&to=2026-04-01`)
    expect(listed.json).toEqual({ items: [{ date: '2026-03-21', name: 'New year' }], nextCursor: null })
    const page = await admin.call('GET', `${path}?limit=1`)
    const next = await admin.call('GET', `${path}?limit=1&cursor=${page.json.nextCursor}`)
    expect([next.json.items[0].name, next.json.nextCursor]).toEqual(['Nature', null])
    expect((await admin.call('DELETE', `${path}/2026-03-21`)).status).toBe(204)
    expect((await admin.call('DELETE', `${path}/2026-03-21`)).status).toBe(404)
    expect((await admin.audit('holiday', '2026-03-21')).map(({ action }) => action)).toEqual([
      'create',
      'update',
      'delete',
    ])
  })

  test('are those of the whole tenant: no key of one organisation changes them', async () => {
    const body = { label: 'of one', scopes: ['programs:read', 'programs:write'], organisation: 'bazaar' }
    const { secret } = (await admin.call('POST', '/admin/v1/api-keys', { body })).json
    await admin.call('PUT', `${path}/2026-07-01`, { body: { name: 'July' } })
    const read = async () => (await admin.call('GET', `${path}?from=2026-07-01&to=2026-07-03`, { key: secret })).json
    const before = await read()
    for (const [method, date] of [
      ['PUT', '2026-07-01'],
      ['PUT', '2026-07-02'],
      ['DELETE', '2026-07-01'],
    ] as const) {
      const answer = await admin.call(method, `${path}/${date}`, {
        key: secret,
        ...(method === 'PUT' && { body: { name: 'Other' } }),
      })
      expect([answer.status, answer.json.reason]).toEqual([403, 'forbidden'])
    }
    expect([before.items.length, await read()]).toEqual([1, before])
    const gone = await admin.call('DELETE', `${path}/2026-07-01`)
    expect([gone.status, gone.text]).toEqual([204, ''])
  })

  test('refused: no such day, no name, a key that may not', async () => {
    expect(fields(await admin.call('PUT', `${path}/2026-02-30`, { body: { name: 'x' } }))).toEqual(['/date'])
    expect(fields(await admin.call('PUT', `${path}/2026-02-20`, { body: {} }))).toEqual(['/name'])
    expect((await admin.call('PUT', `${path}/2026-02-20`, { key: 'auditor-key', body: { name: 'x' } })).status).toBe(
      403,
    )
    expect(fields(await admin.call('GET', `${path}?from=soon`))).toEqual(['from'])
  })
})

describe('API keys', () => {
  const path = '/admin/v1/api-keys'

  test('the secret is told once; only its hash is kept; a disabled one is not taken', async () => {
    const body = { label: 'till 7', scopes: ['transactions:read'], merchants: ['M00000000000001'] }
    const first = await admin.call('POST', path, { idempotencyKey: 'k-1', body })
    expect(first.status).toBe(201)
    const { secret, ...rest } = first.json
    expect(secret).toMatch(/^ck_[\w-]{43}$/)
    const again = await admin.call('POST', path, { idempotencyKey: 'k-1', body })
    expect([again.json, again.headers['idempotent-replayed']]).toEqual([rest, 'true'])
    expect((await admin.call('GET', `${path}/${rest.id}`)).json).toEqual(rest)

    const { rows } = await admin.ledger.pool.query(`SELECT encode(hash, 'hex') AS hash FROM api_keys WHERE id = $1`, [
      rest.id,
    ])
    expect(rows[0].hash).toBe(createHash('sha256').update(secret).digest('hex'))
    const dump = await admin.ledger.pool.query(
      `SELECT (SELECT json_agg(a) FROM audit_log a)::text || (SELECT json_agg(r) FROM admin_requests r)::text AS all`,
    )
    expect(dump.rows[0].all).not.toContain(secret)
    expect(admin.http.log.join('')).not.toContain(secret)

    expect((await admin.call('GET', '/v1/transactions', { key: secret })).status).toBe(200)
    const disabled = await admin.call('POST', `${path}/${rest.id}/disable`)
    expect([disabled.status, typeof disabled.json.disabledAt]).toEqual([200, 'string'])
    expect((await admin.call('GET', '/v1/transactions', { key: secret })).status).toBe(401)
    expect((await admin.call('POST', `${path}/${rest.id}/disable`)).text).toBe(disabled.text)
    expect((await admin.audit('api-key', rest.id)).map(({ action }) => action)).toEqual(['create', 'disable'])
  })

  test('a role stands for its scopes', async () => {
    const body = { label: 'auditor', role: 'auditor' }
    const { secret } = (await admin.call('POST', path, { body })).json
    expect((await admin.call('GET', '/admin/v1/audit-log', { key: secret })).status).toBe(200)
    expect((await admin.call('POST', '/admin/v1/merchants', { key: secret, body: {} })).status).toBe(403)
  })

  test.each([
    ['neither role nor scope', { label: 'x' }, ['/scopes']],
    ['no such scope', { label: 'x', scopes: ['everything'] }, ['/scopes/0']],
    ['a merchant without merchants', { label: 'x', role: 'merchant' }, ['/merchants']],
    ['a merchant with all', { label: 'x', role: 'merchant', merchants: ['*'] }, ['/merchants']],
    ['an administrator of one organisation', { label: 'x', scopes: ['admin'], organisation: 'bazaar' }, ['/scopes']],
    ['all and one', { label: 'x', role: 'auditor', merchants: ['*', 'M00000000000001'] }, ['/merchants']],
    ['a merchant of another tenant', { label: 'x', role: 'merchant', merchants: ['X1'] }, ['/merchants/0']],
    ['an organisation without one', { label: 'x', role: 'organisation' }, ['/organisation']],
    ['of another tenant', { label: 'x', role: 'organisation', organisation: 'other' }, ['/organisation']],
  ])('refused: %s', async (_name, body, errors) => {
    const answer = await admin.call('POST', path, { body })
    expect([answer.status, fields(answer)]).toEqual([400, errors])
  })

  test('are for administrators; none disables itself', async () => {
    for (const key of ['operator-key', 'finance-key', 'auditor-key']) {
      expect((await admin.call('GET', path, { key })).status).toBe(403)
      expect((await admin.call('POST', path, { key, body: { label: 'x', scopes: ['admin'] } })).status).toBe(403)
    }
    const { items } = (await admin.call('GET', path)).json
    const own = items.find(({ label }: { label: string }) => label === 'admin-key')
    expect((await admin.call('POST', `${path}/${own.id}/disable`)).status).toBe(403)
    expect(items.map(({ label }: { label: string }) => label)).not.toContain('other-key')
  })
})

describe('the audit log', () => {
  const path = '/admin/v1/audit-log'

  test('tells who changed what, the newest first, by entity, actor and time', async () => {
    const before = (await admin.call('GET', `${path}?limit=1`)).json.items[0].at
    await admin.call('POST', '/admin/v1/organisations', { key: 'operator-key', body: { code: 'a', name: 'A' } })
    await admin.call('PATCH', '/admin/v1/organisations/a', { headers: seen(1), body: { name: 'B' } })
    const query = `?entity=organisation&entityId=a&from=${before}`
    const { items } = (await admin.call('GET', `${path}${query}`, { key: 'auditor-key' })).json
    expect(items.map(({ actor, action }: { actor: string; action: string }) => [actor, action])).toEqual([
      ['admin-key', 'update'],
      ['operator-key', 'create'],
    ])
    expect([items[0].before.name, items[0].after.name, items[1].before]).toEqual(['A', 'B', null])
    const own = await admin.call('GET', `${path}${query}&actor=${items[1].apiKey}`)
    expect(own.json.items).toEqual([items[1]])
    expect((await admin.call('GET', `${path}?to=${before}&from=${before}`)).json.items).toEqual([])
    expect(fields(await admin.call('GET', `${path}?actor=me&from=soon`))).toEqual(['actor', 'from'])
    expect((await admin.call('GET', path, { key: 'operator-key' })).status).toBe(403)
  })

  test('as CSV, with what was there before and after in words', async () => {
    const { text } = await admin.call('GET', `${path}?entity=organisation&format=csv`)
    const [header, newest] = text.split('\r\n')
    expect(header).toBe('id,at,apiKey,actor,action,entity,entityId,before,after')
    expect(newest).toMatch(/,organisation,a,code: a; name: A; contract: unlimited; .*,code: a; name: B; /)
  })
})
