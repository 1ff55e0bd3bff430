import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lineReasons } from '../src/core/load-rows.ts'
import { type ReasonRow, reasons } from '../src/core/reasons.ts'
import { type Stage, startBehaviourStage } from './support/stage.ts'
import { merchantOne, terminalOne } from './support/terminal.ts'

// The behaviours after those of behaviours-rules.test.ts: files of loads, refusals, and what a gift card went through.

let stage: Stage
beforeAll(async () => {
  stage = await startBehaviourStage()
})
afterAll(() => stage.close())

describe('11. loads are files too: a dry run, idempotent, a report per line; claw-back of unspent value only', () => {
  interface Line {
    readonly line: number
    readonly state: string
    readonly field: string | null
    readonly reason: string | null
    readonly message: string | null
    readonly lot: string | null
  }
  const people: string[] = []
  const csvOf = (rows: readonly string[]) => ['employee,amount', ...rows].join('\n')
  const send = (query: string, body: string) =>
    stage.call('POST', `/admin/v1/load-files?${query}`, {
      key: 'demo-admin-key',
      headers: { 'content-type': 'text/csv' },
      body,
    })
  const linesOf = async (id: string): Promise<Line[]> =>
    (await stage.admin('GET', `/load-files/${id}/lines`)).json.items
  const done = (id: string) =>
    expect
      .poll(async () => (await stage.admin('GET', `/load-files/${id}`)).json.state, { timeout: 20_000 })
      .toBe('done')
  const loaded = async (): Promise<string[]> =>
    (await stage.rows("SELECT lot::text FROM lots l JOIN programs p ON p.id = l.program WHERE p.code = 'filed'")).map(
      ({ lot }) => lot ?? '',
    )
  beforeAll(async () => {
    await stage.program('filed', 'welfare', {}, 'saffron')
    for (let n = 1; n <= 3; n++) {
      people.push((await stage.admin('POST', '/cardholders', { reference: `filed-${n}` })).json.id)
    }
  })

  test('checked without effect, then run once however often', async () => {
    const file = csvOf(['filed-1,1000', 'filed-2,2000', 'nobody,3000', 'filed-3,-5', 'filed-1,1000'])
    const checked = await send('program=filed&reference=azar', file)
    expect(checked.status).toBe(201)
    expect(checked.json).toMatchObject({ state: 'checked', lines: 5, accepted: 2, rejected: 3, total: 3_000, done: 0 })
    const { id } = checked.json
    const told = (await linesOf(id)).map(({ line, state, field, reason, message }) => {
      if (reason !== null) expect(message).toBe(lineReasons[reason as keyof typeof lineReasons])
      return [line, state, field, reason]
    })
    expect(told).toEqual([
      [2, 'accepted', null, null],
      [3, 'accepted', null, null],
      [4, 'rejected', 'holder', 'holder_unknown'],
      [5, 'rejected', 'amount', 'amount_invalid'],
      [6, 'rejected', 'holder', 'duplicate_in_file'],
    ])
    expect(await loaded()).toEqual([])

    const runs = await Promise.all([1, 2, 3].map(() => stage.admin('POST', `/load-files/${id}/run`)))
    expect(runs.map(({ status }) => status)).toEqual([202, 202, 202])
    await done(id)
    expect(await loaded()).toHaveLength(2)
    await stage.admin('POST', `/load-files/${id}/run`)
    expect((await stage.admin('GET', `/load-files/${id}`)).json).toMatchObject({
      loaded: 2,
      loadedTotal: 3_000,
      percentage: 100,
    })
    const lots = (await linesOf(id)).flatMap(({ lot }) => lot ?? [])
    expect(lots.sort()).toEqual((await loaded()).sort())
    const again = await send('program=filed&reference=azar', file)
    expect([again.status, again.json.reason]).toEqual([409, 'file_known'])
  })

  test('an employee leaves: what is unspent goes back, what is spent or held stays', async () => {
    const [cardholder = ''] = people
    const card = (await stage.admin('POST', '/cards', { cardholder, program: 'filed', kind: 'virtual' })).json
    const person = { cardholder, card: { token: card.token } }
    await stage.paid(person, 200, { capture: true })
    const held = (await stage.paid(person, 300)).json.id
    const before = (await stage.admin('GET', '/organisations/saffron')).json.balance
    const back = await stage.admin('POST', '/clawbacks', { cardholder, program: 'filed', reason: 'has left' })
    expect(back.json).toMatchObject({ amount: 500, lots: [{ amount: -500, balance: 300 }] })
    expect((await stage.admin('GET', '/organisations/saffron')).json.balance).toBe(before + 500)
    expect((await stage.follow(held, 'confirm')).json.phase).toBe('confirmed')
    const none = await stage.call('POST', '/admin/v1/clawbacks', {
      key: 'demo-admin-key',
      body: { cardholder, program: 'filed' },
    })
    expect(none.json.reason).toBe('insufficient_funds')
    expect(await stage.lots(person)).toEqual(['0'])
  })
})

describe('12. every refusal has a code for the till and a readable sentence for the cashier', () => {
  test('in the table of reasons', () => {
    const isCode = ({ de39, http }: ReasonRow) => /^\d\d$/.test(de39) && http >= 200 && http <= 599
    const isSentence = ({ en, fa }: ReasonRow) =>
      /^[A-Z].{7,80}\.$/.test(en) && /^\p{Script=Arabic}.{7,90}\.$/u.test(fa) && !/[ي|ك]/.test(fa)
    const faults = Object.entries(reasons).filter(([, row]) => !isCode(row) || !isSentence(row))
    expect(faults).toEqual([])
    const codes = Object.values(reasons).map(({ code }) => code)
    expect(new Set(codes).size).toBe(codes.length)
  })

  const demo = { pan: '9364000000000019' }
  test.each([
    ['format_invalid', {}, { amount: -1 }],
    ['card_unknown', {}, { card: { token: 'f'.repeat(32) } }],
    ['insufficient_funds', {}, { amount: 10 ** 12 }],
    ['unauthenticated', { key: 'no-key' }, {}],
    ['merchant_unknown', {}, { merchant: 'NOBODY' }],
  ] as const)('told to a till: %s', async (reason, given, over) => {
    const body = { card: demo, amount: 10, currency: 'IRR', merchant: merchantOne, terminal: terminalOne, ...over }
    const { status, json } = await stage.call('POST', '/v1/transactions', { ...given, body })
    const { http, de39, en, fa } = reasons[reason]
    expect(status).toBe(http)
    expect(json).toMatchObject({ reason, responseCode: de39, message: en, messageFa: fa })
  })

  test('told to a terminal: DE39, and DE44 with the reason', async () => {
    const reply = await stage.iso('0200', stage.elements(demo.pan, { 4: '999999999999' }))
    expect([reply[39], reply[44]]).toEqual(['51', 'insufficient_funds'])
  })
})

describe("13. a gift card's every change has a type, a reason and the balance after", () => {
  const post = (id: string, what: string, body: object) => stage.admin('POST', `/gift-cards/${id}/${what}`, body)
  const historyOf = async (id: string) =>
    (await stage.admin('GET', `/gift-cards/${id}/history`)).json.items
      .toReversed()
      .map(({ type, amount, balance, reason }: Record<string, unknown>) => [type, amount, balance, reason])

  test('activate, load, redeem, refund, adjust, block, unblock, expire', async () => {
    await stage.program('presents', 'gift', { expiry: { kind: 'after_load', days: 30 } })
    const { items } = (await stage.admin('POST', '/gift-cards', { program: 'presents', count: 1 })).json
    const [{ id, cardholder }] = items
    const { token } = (await stage.admin('GET', `/cards/${id}`)).json
    const gift = { cardholder, card: { token } }
    expect((await stage.purchase(gift, 1)).json.reason).toBe('card_inactive')
    await post(id, 'activate', { amount: 1_000, reason: 'sold' })
    await post(id, 'load', { amount: 500, reason: 'a second time' })
    const bought = (await stage.paid(gift, 300, { capture: true })).json.id
    await stage.follow(bought, 'refund', { amount: 100 })
    await post(id, 'adjust', { amount: -50, reason: 'typed wrongly' })
    await post(id, 'block', { reason: 'lost' })
    expect((await stage.purchase(gift, 1)).json.reason).toBe('card_blocked')
    await post(id, 'unblock', { reason: 'found' })
    await stage.expire(gift)
    await stage.sweep()
    expect(await stage.lots(gift)).toEqual(['0', '0'])

    const history = await historyOf(id)
    expect(history[0]).toEqual(['issue', 0, 0, null])
    // The last two are one sweep of two loads, in either order.
    expect(history.slice(1)).toEqual([
      ...[
        ['load', 1_000, 1_000, 'sold'],
        ['activate', 0, 1_000, 'sold'],
        ['load', 500, 1_500, 'a second time'],
        ['redeem', -300, 1_200, null],
        ['refund', 100, 1_300, null],
        ['adjust', -50, 1_250, 'typed wrongly'],
        ['block', 0, 1_250, 'lost'],
        ['unblock', 0, 1_250, 'found'],
      ],
      ['expire', expect.any(Number), expect.any(Number), null],
      ['expire', expect.any(Number), 0, null],
    ])
    expect((await stage.purchase(gift, 1)).json.reason).toBe('credit_expired')
  })

  test('merged into another; nothing pays it out', async () => {
    await stage.program('merged', 'gift')
    const { items } = (await stage.admin('POST', '/gift-cards', { program: 'merged', count: 2 })).json
    const [one, other] = items.map(({ id }: { id: string }) => id)
    await post(one, 'activate', { amount: 700 })
    await post(other, 'activate', { amount: 200 })
    await post(one, 'merge', { into: other, reason: 'two presents' })
    expect((await stage.admin('GET', `/gift-cards/${one}`)).json).toMatchObject({ status: 'closed', balance: 0 })
    expect((await stage.admin('GET', `/gift-cards/${other}`)).json).toMatchObject({ status: 'active', balance: 900 })
    expect((await historyOf(one)).map(([type]: unknown[]) => type)).toContain('merge')
    expect((await historyOf(other)).at(-1)[2]).toBe(900)
    const { paths } = (await stage.call('GET', '/openapi.json')).json
    expect(Object.keys(paths).filter(path => /cash|payout|withdraw/.test(path))).toEqual([])
  })
})

test('the audit holds after all of it', async () => {
  expect(await stage.broken()).toEqual([])
})
