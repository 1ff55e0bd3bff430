import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'
import { lanesThatWait } from '../../../test/support/rigging.ts'

let admin: TestAdmin
beforeAll(async () => {
  admin = await startAdmin()
  const body = { code: 'gift', name: 'Gift', kind: 'gift', funder: 'bazaar', bin: '936401' }
  expect((await admin.call('POST', '/admin/v1/programs', { body })).status).toBe(201)
})
afterAll(() => admin.close())

const path = '/admin/v1/gift-cards'
const issue = async (count = 1): Promise<string[]> => {
  const { json } = await admin.call('POST', path, { body: { program: 'gift', count } })
  return json.items.map(({ id }: { id: string }) => id)
}
const act = (id: string, action: string, body: object = {}, options: object = {}) =>
  admin.call('POST', `${path}/${id}/${action}`, { body, ...options })
const statusOf = async (id: string) => {
  const { json } = await admin.call('GET', `${path}/${id}`)
  return [json.status, json.balance]
}
const pay = async (id: string, amount: number, capture = true) => {
  const { rows } = await admin.ledger.pool.query(
    'SELECT replace(token::text, $1, $2) AS token FROM cards WHERE id = $3',
    ['-', '', id],
  )
  return admin.call('POST', '/v1/transactions', {
    key: 'pos-key',
    body: {
      card: { token: rows[0].token },
      amount,
      currency: 'IRR',
      merchant: 'M00000000000001',
      terminal: 'T0000001',
      capture,
    },
  })
}

test('the whole life of a card: each change with its type, its reason and the balance after', async () => {
  const [id = '', other = ''] = await issue(2)
  expect(await statusOf(id)).toEqual(['inactive', 0])
  expect((await pay(id, 1)).json.reason).toBe('card_inactive')
  expect((await act(id, 'load', { amount: 5 })).json.reason).toBe('card_status_wrong')

  const sold = await act(id, 'activate', { amount: 1_000, reason: 'sold' })
  expect([sold.status, sold.json.amount]).toEqual([201, 1_000])
  expect(await statusOf(id)).toEqual(['active', 1_000])
  await act(id, 'load', { amount: 500, reason: 'topped up' })
  const bought = await pay(id, 1_200)
  expect(bought.status).toBe(201)
  await admin.call('POST', `/v1/transactions/${bought.json.id}/refund`, { key: 'pos-key', body: { amount: 200 } })
  expect((await act(id, 'adjust', { amount: -50 })).status).toBe(400)
  expect((await act(id, 'adjust', { amount: -50, reason: 'typed wrongly' })).status).toBe(201)
  expect((await act(id, 'block', {})).status).toBe(400)
  await act(id, 'block', { reason: 'lost' })
  expect((await pay(id, 1)).json.reason).toBe('card_blocked')
  await act(id, 'unblock', { reason: 'found' })
  await act(other, 'activate', { amount: 100 })
  const merged = await act(id, 'merge', { into: other, reason: 'one card is enough' })
  expect([merged.status, merged.json.amount]).toEqual([201, 450])
  expect(await statusOf(id)).toEqual(['closed', 0])
  expect(await statusOf(other)).toEqual(['active', 550])
  expect((await act(id, 'unblock')).json.reason).toBe('card_status_wrong')

  const { json } = await admin.call('GET', `${path}/${id}/history`)
  const told = json.items.map(({ type, amount, balance, reason }: Record<string, unknown>) => [
    type,
    amount,
    balance,
    reason,
  ])
  expect(told.reverse()).toEqual([
    ['issue', 0, 0, null],
    ['load', 1_000, 1_000, 'sold'],
    ['activate', 0, 1_000, 'sold'],
    ['load', 500, 1_500, 'topped up'],
    ['redeem', -1_200, 300, null],
    ['refund', 200, 500, null],
    ['adjust', -50, 450, 'typed wrongly'],
    ['block', 0, 450, 'lost'],
    ['unblock', 0, 450, 'found'],
    ['merge', -450, 0, 'one card is enough'],
    ['close', 0, 0, 'one card is enough'],
  ])
})

test('a card is activated once: by one request, however often that is sent', async () => {
  const [id = ''] = await issue()
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, index) => act(id, 'activate', { amount: 100 }, { idempotencyKey: `a-${index % 2}` })),
  )
  expect(new Set(answers.map(({ status }) => status))).toContain(201)
  expect(await statusOf(id)).toEqual(['active', 100])
  const again = await Promise.all(
    ['a-0', 'a-1'].map(idempotencyKey => act(id, 'activate', { amount: 100 }, { idempotencyKey })),
  )
  expect(again.map(({ status }) => status).sort()).toEqual([201, 409])
  expect(await statusOf(id)).toEqual(['active', 100])
})

test('one whose first load was refused can be activated later', async () => {
  const [id = ''] = await issue()
  await admin.call('POST', '/admin/v1/organisations', { body: { code: 'poor', name: 'Poor', contract: 'prepaid' } })
  const refused = await act(id, 'activate', { amount: 100, funder: 'poor' })
  expect([refused.status, refused.json.reason]).toEqual([409, 'funding_insufficient'])
  expect(await statusOf(id)).toEqual(['inactive', 0])
  expect((await act(id, 'activate', { amount: 100 })).status).toBe(201)
})

describe('above the threshold a second person is waited for', () => {
  beforeAll(() => admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = 1000 WHERE id = 1'))
  afterAll(() => admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = NULL WHERE id = 1'))
  const approve = ({ json }: { json: { id: string } }) =>
    admin.call('POST', `/admin/v1/approvals/${json.id}/approve`, { key: 'second-admin-key' })

  test('by an activation', async () => {
    const [id = ''] = await issue()
    const asked = await act(id, 'activate', { amount: 1_001 })
    expect([asked.status, asked.json.kind]).toEqual([202, 'activation'])
    expect(await statusOf(id)).toEqual(['inactive', 0])
    expect((await approve(asked)).json.answer.status).toBe(201)
    expect((await approve(asked)).json.answer.status).toBe(201)
    expect(await statusOf(id)).toEqual(['active', 1_001])
  })

  test('by a load and an adjustment, which are not made meanwhile', async () => {
    const [id = ''] = await issue()
    await act(id, 'activate', { amount: 10 })
    const load = await act(id, 'load', { amount: 1_001 })
    const adjust = await act(id, 'adjust', { amount: 1_002, reason: 'a mistake' })
    expect([load.status, adjust.status]).toEqual([202, 202])
    // One that is made at once, after whatever the others may have begun.
    await act(id, 'load', { amount: 1 })
    expect(await statusOf(id)).toEqual(['active', 11])
    expect((await approve(load)).json.answer.status).toBe(201)
    expect((await approve(adjust)).json.answer.status).toBe(201)
    expect(await statusOf(id)).toEqual(['active', 2_014])
  })

  test('by a load, whose card is looked at again', async () => {
    const [id = '', other = ''] = await issue(2)
    await act(id, 'activate', { amount: 10 })
    await act(other, 'activate', { amount: 10 })
    const asked = await act(id, 'load', { amount: 1_001 })
    expect([asked.status, asked.json.kind, asked.json.request.card]).toEqual([202, 'gift-load', id])
    expect((await act(id, 'merge', { into: other })).status).toBe(201)
    const { answer } = (await approve(asked)).json
    expect([answer.status, answer.body.reason]).toEqual([409, 'card_status_wrong'])
    expect(await statusOf(id)).toEqual(['closed', 0])
  })

  test('by a load, which is answered as it was decided, whatever has become of the card', async () => {
    const [id = ''] = await issue()
    await act(id, 'activate', { amount: 10 })
    const asked = await act(id, 'load', { amount: 1_001 })
    const { answer } = (await approve(asked)).json
    expect(answer.status).toBe(201)
    // As if the process had ended before it was kept.
    await admin.ledger.pool.query('UPDATE approvals SET answer = NULL WHERE id = $1', [asked.json.id])
    await act(id, 'block', { reason: 'lost' })
    expect((await approve(asked)).json.answer).toEqual(answer)
    expect(await statusOf(id)).toEqual(['blocked', 1_011])
  })

  test('an activation that was never carried out gives the card back when its time is over', async () => {
    const { pool } = admin.ledger
    const [id = ''] = await issue()
    const asked = await act(id, 'activate', { amount: 1_001 })
    await pool.query(
      'INSERT INTO gift_activations (tenant, card, key) SELECT 1, $1, key FROM approvals WHERE id = $2',
      [id, asked.json.id],
    )
    await admin.approvedAgo(asked.json.id, 6)
    expect((await act(id, 'activate', { amount: 10 })).json.reason).toBe('card_status_wrong')
    await admin.approvedAgo(asked.json.id, 8)
    expect((await act(id, 'activate', { amount: 10 })).status).toBe(201)
    expect((await approve(asked)).json.reason).toBe('state_unsuitable')
    expect(await statusOf(id)).toEqual(['active', 10])
  })

  test('by a merge, whose cards are looked at again', async () => {
    const [id = '', other = '', small = ''] = await issue(3)
    await act(id, 'activate', { amount: 1_000 })
    await act(id, 'load', { amount: 1 })
    await act(other, 'activate', { amount: 10 })
    await act(small, 'activate', { amount: 5 })
    expect((await act(small, 'merge', { into: other })).status).toBe(201)
    const merge = () => act(id, 'merge', { into: other, reason: 'asked for' }, { idempotencyKey: 'merge-1' })
    const asked = await merge()
    expect([asked.status, asked.json.kind, asked.json.request]).toEqual([
      202,
      'merge',
      expect.objectContaining({ card: id, into: other, reason: 'asked for' }),
    ])
    expect(await statusOf(id)).toEqual(['active', 1_001])
    await act(other, 'block', { reason: 'lost' })
    const tooSoon = await approve(asked)
    expect([tooSoon.status, tooSoon.json]).toEqual([409, expect.objectContaining({ reason: 'card_status_wrong' })])
    await act(other, 'unblock')
    const approved = await approve(asked)
    expect([approved.json.answer.status, approved.json.answer.body.amount]).toEqual([201, 1_001])
    expect((await approve(asked)).json).toEqual(approved.json)
    expect((await merge()).status).toBe(202)
    expect(await statusOf(id)).toEqual(['closed', 0])
    expect(await statusOf(other)).toEqual(['active', 1_016])
  })
})

describe('a repeat is answered as the first was, whatever has become of the cards since', () => {
  const approve = ({ json }: { json: { id: string } }) =>
    admin.call('POST', `/admin/v1/approvals/${json.id}/approve`, { key: 'second-admin-key' })
  const fourEyes = (above: number | null) =>
    admin.ledger.pool.query('UPDATE tenants SET four_eyes_above = $1 WHERE id = 1', [above])
  /** As if the process had ended before the merged card was closed. */
  const reopen = (id: string) => admin.ledger.pool.query('UPDATE cards SET status = 0 WHERE id = $1', [id])
  const sold = async (amounts: readonly number[]): Promise<string[]> => {
    const ids = await issue(amounts.length)
    for (const [index, amount] of amounts.entries()) await act(ids[index] ?? '', 'activate', { amount })
    return ids
  }

  test('a load', async () => {
    const [id = ''] = await sold([10])
    const load = (amount = 5) => act(id, 'load', { amount }, { idempotencyKey: 'repeated-load' })
    const first = await load()
    await act(id, 'block', { reason: 'lost' })
    const again = await load()
    expect([first.status, again.status, again.json]).toEqual([201, 201, first.json])
    expect((await load(6)).json.reason).toBe('other_content')
    expect((await act(id, 'load', { amount: 5 })).json.reason).toBe('card_status_wrong')
    expect(await statusOf(id)).toEqual(['blocked', 15])
  })

  test('a load that waits, or was rejected', async () => {
    const [id = ''] = await sold([10])
    await fourEyes(1_000)
    const load = () => act(id, 'load', { amount: 1_001 }, { idempotencyKey: 'repeated-wait' })
    const first = await load()
    await act(id, 'block', { reason: 'lost' })
    await fourEyes(null)
    const again = await load()
    expect([first.status, again.status, again.json.id]).toEqual([202, 202, first.json.id])
    await admin.call('POST', `/admin/v1/approvals/${first.json.id}/reject`, { key: 'second-admin-key' })
    expect((await load()).status).toBe(202)
    expect(await statusOf(id)).toEqual(['blocked', 10])
  })

  test('a merge, whose card is then closed', async () => {
    const [id = '', other = ''] = await sold([30, 10])
    const merge = () => act(id, 'merge', { into: other }, { idempotencyKey: 'repeated-merge' })
    const first = await merge()
    await reopen(id)
    await act(other, 'block', { reason: 'lost' })
    expect((await act(id, 'merge', { into: other })).json.reason).toBe('card_status_wrong')
    await fourEyes(0)
    const again = await merge()
    await fourEyes(null)
    expect([first.status, again.status, again.json]).toEqual([201, 201, first.json])
    expect([await statusOf(id), await statusOf(other)]).toEqual([
      ['closed', 0],
      ['blocked', 40],
    ])
  })

  test('an approved merge, whose card is then closed', async () => {
    const [id = '', other = ''] = await sold([30, 10])
    await fourEyes(0)
    const asked = await act(id, 'merge', { into: other })
    await fourEyes(null)
    const { answer } = (await approve(asked)).json
    expect([asked.status, answer.status]).toEqual([202, 201])
    await reopen(id)
    await admin.ledger.pool.query('UPDATE approvals SET answer = NULL WHERE id = $1', [asked.json.id])
    await act(other, 'block', { reason: 'lost' })
    expect((await approve(asked)).json.answer).toEqual(answer)
    expect([await statusOf(id), await statusOf(other)]).toEqual([
      ['closed', 0],
      ['blocked', 40],
    ])
  })

  test('an activation that was refused, once another has activated the card', async () => {
    const [id = ''] = await issue()
    await admin.call('POST', '/admin/v1/organisations', { body: { code: 'bare', name: 'Bare', contract: 'prepaid' } })
    const activate = () => act(id, 'activate', { amount: 5, funder: 'bare' }, { idempotencyKey: 'repeated-refusal' })
    const first = await activate()
    await act(id, 'activate', { amount: 10 })
    const again = await activate()
    expect([first.json.reason, again.json.reason]).toEqual(['funding_insufficient', 'funding_insufficient'])
    expect(await statusOf(id)).toEqual(['active', 10])
  })
})

test('a merge that meets a purchase moves all or nothing, and closes no card with value on it', async () => {
  const [id = '', other = ''] = await issue(2)
  await act(id, 'activate', { amount: 1_000 })
  await act(other, 'activate', { amount: 10 })
  const { rows } = await admin.ledger.pool.query('SELECT holder FROM cards WHERE id = $1', [id])
  const rival = await admin.ledger.pool.connect()
  await rival.query('BEGIN')
  await rival.query('SELECT FROM cardholders WHERE id = $1 FOR UPDATE', [rows[0].holder])
  // Both wait for the holder, the purchase first; the merge has seen no hold.
  const soon = { interval: 5, timeout: 20_000 }
  const bought = pay(id, 400, false)
  await expect.poll(() => lanesThatWait(admin.ledger.pool), soon).toBe(1)
  const merged = act(id, 'merge', { into: other })
  await expect.poll(() => admin.http.commands.at(-1)?.kind, soon).toBe('transfer')
  await rival.query('COMMIT')
  rival.release()
  expect((await bought).status).toBe(201)
  expect((await merged).json.reason).toBe('insufficient_funds')
  expect([await statusOf(id), await statusOf(other)]).toEqual([
    ['active', 1_000],
    ['active', 10],
  ])
  expect((await act(id, 'merge', { into: other })).json.reason).toBe('insufficient_funds_held')
  const { id: purchase } = (await bought).json
  await admin.call('POST', `/v1/transactions/${purchase}/reverse`, { key: 'pos-key', body: { amount: 100 } })
  await admin.call('POST', `/v1/transactions/${purchase}/confirm`, { key: 'pos-key', body: {} })
  expect((await act(id, 'merge', { into: other })).status).toBe(201)
  expect([await statusOf(id), await statusOf(other)]).toEqual([
    ['closed', 0],
    ['active', 710],
  ])
})

test('what comes onto a closed card goes to an active one only', async () => {
  const [id = '', other = '', inactive = ''] = await issue(3)
  await act(id, 'activate', { amount: 1_000 })
  await act(other, 'activate', { amount: 10 })
  const bought = await pay(id, 400)
  expect((await act(id, 'merge', { into: other })).status).toBe(201)
  const refund = { key: 'pos-key', body: { amount: 100 } }
  expect((await admin.call('POST', `/v1/transactions/${bought.json.id}/refund`, refund)).status).toBe(201)
  expect(await statusOf(id)).toEqual(['closed', 100])
  expect((await act(id, 'merge', { into: inactive })).json.reason).toBe('card_status_wrong')
  expect(await statusOf(inactive)).toEqual(['inactive', 0])
  await act(inactive, 'activate', { amount: 5 })
  expect((await act(id, 'merge', { into: inactive })).status).toBe(201)
  expect([await statusOf(id), await statusOf(inactive)]).toEqual([
    ['closed', 0],
    ['active', 105],
  ])
})

test('an adjustment is made on the fullest load that has not expired', async () => {
  const [id = ''] = await issue()
  const first = await act(id, 'activate', { amount: 1_000 })
  const second = await act(id, 'load', { amount: 300 })
  await admin.ledger.pool.query(
    `UPDATE lots SET expires_at = clock_timestamp() - interval '1 minute' WHERE tenant = 1 AND lot = $1`,
    [first.json.lot],
  )
  const adjusted = await act(id, 'adjust', { amount: 50, reason: 'for the trouble' })
  expect([adjusted.status, adjusted.json.lot, adjusted.json.balance]).toEqual([201, second.json.lot, 350])
})

test('no way leads to cash, and no other card is a gift card', async () => {
  const [id = ''] = await issue()
  expect((await act(id, 'cash-out', { amount: 1 })).status).toBe(404)
  const { rows } = await admin.ledger.pool.query('SELECT id FROM cards WHERE tenant = 1 AND holder = 1')
  expect((await admin.call('GET', `${path}/${rows[0].id}`)).status).toBe(404)
  expect((await admin.call('GET', `${path}/${id}`, { key: 'other-key' })).status).toBe(404)
  const welfare = await admin.call('POST', path, { body: { program: 'welfare', count: 1 } })
  expect(welfare.json.errors[0].field).toBe('/program')
})
