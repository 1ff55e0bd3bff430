import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseTransactionId } from '../src/core/ids.ts'
import { inMs, type Person, type Stage, startBehaviourStage, until } from './support/stage.ts'
import { originalElements } from './support/terminal.ts'

// What people of ledgers, gift cards and benefit platforms complain about, each proved on whole switches: HTTP and
// ISO 8583 on real PostgreSQL. Numbers 8 to 14 are in behaviours-rules.test.ts.

let stage: Stage
beforeAll(async () => {
  stage = await startBehaviourStage()
})
afterAll(() => stage.close())

const hourMs = 3_600_000
const twelve = (amount: number): string => String(amount).padStart(12, '0')

describe('1. N parallel spends of one balance, by any channel, never take it below its limit', () => {
  test.each([
    ['one lot', [500_000]],
    ['three lots of two programs', [100_000, 150_000, 250_000]],
  ])('%s', async (name, amounts) => {
    const code = `spent-${amounts.length}`
    await stage.program(code, 'credit')
    const person = await stage.person(
      ...amounts.map((amount, index) => ({ program: index % 2 === 0 ? code : 'credit', amount, funder: 'bazaar' })),
    )
    // The other switch reads within a second what is new here; on a busy machine that takes longer.
    const inquire = () => stage.iso('0200', stage.elements(person.pan, { 3: '310000', 4: undefined }), 1)
    await expect.poll(async () => (await inquire())[39], { interval: 100, timeout: 20_000 }).toBe('00')
    const byHttp = Array.from({ length: 60 }, (_, index) =>
      stage.purchase(person, 10_000, { capture: index % 2 === 0 }).then(({ json }) => json.reason),
    )
    const byTerminal = Array.from({ length: 60 }, (_, index) => {
      const elements = stage.elements(person.pan, { 4: twelve(10_000) })
      return stage.iso('0200', elements, index % 2 === 0 ? 0 : 1).then(reply => reply[39])
    })
    const [http, iso] = await Promise.all([Promise.all(byHttp), Promise.all(byTerminal)])
    const approved = http.filter(one => one === 'approved').length + iso.filter(one => one === '00').length
    expect([name, approved]).toEqual([name, 50])
    const refused = http.filter(reason => reason !== 'approved')
    expect(refused.every(reason => reason.startsWith('insufficient_funds'))).toBe(true)
    expect(iso.every(code => code === '00' || code === '51')).toBe(true)
    for (const { spendable } of Object.values(await stage.balances(person))) expect(spendable).toBe(0)
  })
})

describe('2. a repeated refund or reverse has one effect and the same answer, also across an expiry boundary', () => {
  test('over HTTP, before its credit expires and after', async () => {
    await stage.program('repeats', 'gift')
    const expiresAt = inMs(hourMs)
    const person = await stage.person({ program: 'repeats', amount: 1_000, expiresAt })
    const bought = (await stage.paid(person, 400, { capture: true })).json.id
    const held = (await stage.paid(person, 300)).json.id
    const given = { idempotencyKey: randomUUID() }
    const other = { idempotencyKey: randomUUID() }
    const first = [
      await stage.follow(bought, 'refund', { amount: 150 }, given),
      await stage.follow(held, 'reverse', {}, other),
    ]
    expect(first.map(({ status }) => status)).toEqual([201, 200])
    expect(await stage.lots(person)).toEqual(['750'])
    await stage.expire(person)
    for (let round = 0; round < 2; round++) {
      const again = await Promise.all([
        stage.follow(bought, 'refund', { amount: 150 }, given),
        stage.follow(held, 'reverse', {}, other),
      ])
      expect(again.map(({ text, isReplayed }) => [text, isReplayed])).toEqual(first.map(({ text }) => [text, true]))
      // The first round before the sweep, the second after it.
      expect(await stage.lots(person)).toEqual([round === 0 ? expect.stringMatching(/^(750|0)$/) : '0'])
      await stage.sweep()
    }
    const late = await stage.follow(held, 'reverse')
    expect([late.status, late.json.reason, late.json.transaction.phase]).toEqual([409, 'not_reversible', 'reversed'])
    expect(await stage.lots(person)).toEqual(['0'])
  })

  test('over ISO 8583: the same DE37, and one effect', async () => {
    await stage.program('repeats-iso', 'gift')
    const expiresAt = inMs(hourMs)
    const person = await stage.person({ program: 'repeats-iso', amount: 1_000, expiresAt })
    const purchase = stage.elements(person.pan, { 4: twelve(600) })
    expect((await stage.iso('0200', purchase))[39]).toBe('00')
    const original = originalElements('0200', purchase[11]!, purchase[7]!)
    const reverse = stage.elements(person.pan, { 2: undefined, 4: twelve(600), 90: original })
    const first = await stage.iso('0400', reverse)
    expect(first[39]).toBe('00')
    await stage.expire(person)
    expect(await stage.iso('0401', reverse, 1)).toEqual({ ...first, 0: '0410' })
    await stage.sweep()
    const another = stage.elements(person.pan, { 2: undefined, 4: twelve(600), 90: original })
    const told = await stage.iso('0400', another)
    expect([told[39], told[37]]).toEqual(['00', first[37]])
    expect(await stage.lots(person)).toEqual(['0'])
  })
})

describe('3. expiry is enforced in the spend; the sweep only books it, and takes only from its own lot', () => {
  test('what has expired is not spent, swept or not', async () => {
    await stage.program('expires', 'welfare')
    const expiresAt = inMs(hourMs)
    const person = await stage.person({ program: 'expires', amount: 700, expiresAt })
    await stage.load(person.cardholder, { program: 'expires', amount: 300 })
    await stage.paid(person, 200)
    await stage.expire(person)

    const tooMuch = await stage.purchase(person, 301)
    expect([tooMuch.status, tooMuch.json.reason]).toEqual([402, 'insufficient_funds'])
    const { json } = await stage.paid(person, 300)
    expect(json.legs).toHaveLength(1)
    expect(json.legs[0].amount).toBe(300)
    await stage.sweep()
    // 200 of the first were held before it expired: an approval is a guarantee. 500 are swept, and nothing else.
    expect(await stage.lots(person)).toEqual(['200-200', '300-300'])
    const swept = await stage.rows(
      `SELECT posted::text, (SELECT code FROM accounts WHERE tenant = 1 AND id = credit) AS account FROM postings
       WHERE debit = (SELECT min(lot) FROM lots WHERE holder = $1) AND kind = 12`,
      [person.cardholder],
    )
    expect(swept).toEqual([{ posted: '500', account: 'breakage' }])
    await stage.sweep()
    expect(await stage.lots(person)).toEqual(['200-200', '300-300'])
  })

  test('where all of it has expired, the refusal says so', async () => {
    await stage.program('expires-all', 'welfare')
    const expiresAt = inMs(1_500)
    const person = await stage.person({ program: 'expires-all', amount: 700, expiresAt })
    await until(expiresAt)
    const refused = await stage.purchase(person, 1)
    expect([refused.json.reason, refused.json.responseCode]).toEqual(['credit_expired', '57'])
    expect((await stage.iso('0200', stage.elements(person.pan)))[39]).toBe('57')
  })
})

describe('4. hold, confirm, reverse and expire are different postings; held and insufficient are told apart', () => {
  /** The postings of a transaction: the command, and what it did to `pending` and `posted`, seen from the lot. */
  const postingsOf = (id: string) =>
    stage.rows(
      `SELECT kind::int, (CASE WHEN debit > 0 THEN pending ELSE -pending END)::int AS pending,
         (CASE WHEN debit > 0 THEN posted ELSE -posted END)::int AS posted
       FROM postings WHERE tenant = 1 AND txn = $1 ORDER BY batch_seq, idx, leg`,
      [parseTransactionId(id)],
    )

  test('four kinds of postings', async () => {
    await stage.program('postings', 'credit')
    const person = await stage.person({ program: 'postings', amount: 10_000 })
    const confirmed = (await stage.paid(person, 1_001)).json.id
    await stage.follow(confirmed, 'confirm', { amount: 900 })
    const reversed = (await stage.paid(person, 1_002)).json.id
    await stage.follow(reversed, 'reverse')
    const expired = (await stage.paid(person, 1_003, { confirmWithin: 1 })).json
    await until(expired.expiresAt)
    await expect
      .poll(async () => (await stage.call('GET', `/v1/transactions/${expired.id}`)).json.phase, { timeout: 10_000 })
      .toBe('expired')

    const hold = (amount: number) => ({ kind: 0, pending: amount, posted: 0 })
    expect(await postingsOf(confirmed)).toEqual([hold(1_001), { kind: 1, pending: -1_001, posted: 900 }])
    expect(await postingsOf(reversed)).toEqual([hold(1_002), { kind: 2, pending: -1_002, posted: 0 }])
    expect(await postingsOf(expired.id)).toEqual([hold(1_003), { kind: 4, pending: -1_003, posted: 0 }])
    expect(await stage.lots(person)).toEqual(['9100'])
  })

  test('to the till both are 51; the operator sees which', async () => {
    await stage.program('held', 'credit')
    const person = await stage.person({ program: 'held', amount: 1_000 })
    const hold = (await stage.paid(person, 800)).json.id
    const held = await stage.purchase(person, 300)
    const never = await stage.purchase(person, 1_001)
    expect([held.json.reason, held.json.responseCode]).toEqual(['insufficient_funds_held', '51'])
    expect([never.json.reason, never.json.responseCode]).toEqual(['insufficient_funds', '51'])
    expect(held.json.messageFa).not.toBe(never.json.messageFa)
    const found = (reason: string) =>
      stage
        .admin('GET', `/transactions?cardholder=${person.cardholder}&reason=${reason}`)
        .then(({ json }) => json.items)
    expect(await found('insufficient_funds_held')).toMatchObject([{ id: held.json.transactionId, phase: 'refused' }])
    expect(await found('insufficient_funds')).toMatchObject([{ id: never.json.transactionId }])
    await stage.follow(hold, 'reverse')
    await stage.paid(person, 300)
  })
})

describe('5. reverse wins over its authorize in either order of arrival', () => {
  let person: Person
  beforeAll(async () => {
    await stage.program('orders', 'credit')
    person = await stage.person({ program: 'orders', amount: 5_000 })
  })

  test.each(['before', 'after'])('over HTTP, %s it', async order => {
    const idempotencyKey = randomUUID()
    const authorize = () => stage.purchase(person, 1_000, {}, { idempotencyKey })
    const reverse = () => stage.call('POST', '/v1/reversals', { body: { original: { idempotencyKey } } })
    const before = order === 'before' ? await reverse() : await authorize()
    const after = order === 'before' ? await authorize() : await reverse()
    if (order === 'before') {
      expect(before.json).toMatchObject({ phase: 'reversed', id: null })
      expect([after.status, after.json.reason]).toEqual([409, 'reversed_before'])
    } else expect(after.json).toMatchObject({ phase: 'reversed', id: before.json.id })
    expect(await stage.lots(person)).toEqual(['5000'])
  })

  test.each(['before', 'after', 'at once'])('over ISO 8583, %s', async order => {
    const purchase = stage.elements(person.pan)
    const original = originalElements('0200', purchase[11]!, purchase[7]!)
    const authorize = () => stage.iso('0200', purchase)
    const reverse = () => stage.iso('0400', stage.elements(person.pan, { 2: undefined, 90: original }), 1)
    let codes: (string | undefined)[]
    if (order === 'before') codes = [(await reverse())[39], (await authorize())[39]]
    else if (order === 'after') codes = [(await authorize())[39], (await reverse())[39]]
    else codes = await Promise.all([authorize(), reverse()]).then(replies => replies.map(reply => reply[39]))
    const allowed = { before: [['00', '12']], after: [['00', '00']] }[order] ?? [
      ['00', '00'],
      ['12', '00'],
    ]
    expect(allowed).toContainEqual(codes)
    expect(await stage.lots(person)).toEqual(['5000'])
  })
})

describe('6. a refund goes back to the lots it came from; into an expired lot by the stated policy', () => {
  test('wholly, and in parts from the lots spent last', async () => {
    await stage.program('returns', 'credit')
    const person = await stage.person(
      { program: 'returns', amount: 500 },
      { program: 'returns', amount: 400 },
      { program: 'returns', amount: 300 },
    )
    const { id, legs } = (await stage.paid(person, 1_000, { capture: true })).json
    expect(await stage.lots(person)).toEqual(['0', '0', '200'])
    const part = await stage.follow(id, 'refund', { amount: 250 })
    expect(part.json.legs.map(({ lot, amount }: { lot: string; amount: number }) => [lot, amount])).toEqual([
      [legs[1].lot, 150],
      [legs[2].lot, 100],
    ])
    expect(await stage.lots(person)).toEqual(['0', '150', '300'])
    await stage.follow(id, 'refund')
    expect(await stage.lots(person)).toEqual(['500', '400', '300'])
    const more = await stage.follow(id, 'refund')
    expect(more.status).toBe(409)
  })

  test.each([
    ['breakage', { intoExpired: 'breakage' }],
    ['lives again', { intoExpired: { reviveDays: 3 } }],
  ] as const)('a lot that has expired since: %s', async (name, returns) => {
    const code = `returned-${name.slice(0, 5)}`
    await stage.program(code, 'gift', { returns })
    const expiresAt = inMs(hourMs)
    const person = await stage.person({ program: code, amount: 1_000, expiresAt })
    const [refunded, reversed] = [
      (await stage.paid(person, 400, { capture: true })).json.id,
      (await stage.paid(person, 300)).json.id,
    ]
    await stage.expire(person)
    await stage.sweep()
    expect(await stage.lots(person)).toEqual(['300-300'])
    expect((await stage.follow(refunded, 'refund')).status).toBe(201)
    expect((await stage.follow(reversed, 'reverse')).status).toBe(200)
    await stage.sweep()
    if (name === 'breakage') {
      expect(await stage.lots(person)).toEqual(['0'])
      expect((await stage.purchase(person, 1)).json.reason).toBe('credit_expired')
    } else {
      expect(await stage.lots(person)).toEqual(['700'])
      await stage.paid(person, 700)
    }
  })
})

describe('7. partial approval only where the caller asked for it', () => {
  let person: Person
  beforeAll(async () => {
    await stage.program('partial', 'credit', { limits: [{ of: 'account', per: 'day', amount: 900 }] })
    person = await stage.person({ program: 'partial', amount: 1_000 })
    await stage.admin('POST', '/terminals', { code: 'PARTIAL1', merchant: 'M00000000000001', partial: true })
  })

  test('not asked for: refused, and nothing is held', async () => {
    const refused = await stage.purchase(person, 1_200)
    expect([refused.status, refused.json.reason]).toEqual([402, 'insufficient_funds'])
    expect((await stage.purchase(person, 950)).json.reason).toBe('amount_limit')
    expect((await stage.iso('0200', stage.elements(person.pan, { 4: twelve(1_200) })))[39]).toBe('51')
    expect(await stage.lots(person)).toEqual(['1000'])
  })

  test('over HTTP: what was approved of what was asked for, and what is left', async () => {
    const partly = await stage.purchase(person, 1_200, { partial: true })
    expect(partly.status).toBe(201)
    expect(partly.json).toMatchObject({
      reason: 'approved_partially',
      amount: { requested: 1_200, authorized: 900 },
      legs: [{ program: 'partial', amount: 900 }],
    })
    expect(await stage.balances(person)).toEqual({ partial: { balance: 1_000, held: 900, spendable: 0 } })
    // Nothing can be spent any more, so there is no part to approve.
    expect((await stage.purchase(person, 100, { partial: true })).json.reason).toBe('amount_limit')
    await stage.follow(partly.json.id, 'reverse')
  })

  test('over ISO 8583, at a terminal that understands it: 10, with both amounts', async () => {
    const reply = await stage.iso('0200', stage.elements(person.pan, { 4: twelve(1_200), 41: 'PARTIAL1' }))
    expect([reply[39], reply[4]]).toEqual(['10', twelve(900)])
    // Amount type 57: what was asked for.
    expect(reply[54]).toMatch(new RegExp(`57364[CD]${twelve(1_200)}`))
    expect(await stage.lots(person)).toEqual(['1000-900'])
  })
})

test('the audit holds after all of it', async () => {
  expect(await stage.broken()).toEqual([])
})
