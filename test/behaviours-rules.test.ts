import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inMs, type Person, type Stage, startBehaviourStage } from './support/stage.ts'
import { merchantOne } from './support/terminal.ts'

// The behaviours after those of behaviours.test.ts: windows, limits, statements, and which money was spent.

let stage: Stage
beforeAll(async () => {
  stage = await startBehaviourStage()
})
afterAll(() => stage.close())

const dayMs = 86_400_000
const merchantTwo = 'M00000000000002'

/** Year, month and day of the Persian calendar on the clocks of Tehran, and the weekday. */
function persian(at: number): { readonly month: string; readonly year: string; readonly weekday: string } {
  const format = new Intl.DateTimeFormat('en-u-ca-persian', {
    timeZone: 'Asia/Tehran',
    year: 'numeric',
    month: 'numeric',
    weekday: 'short',
  })
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
  return { month: `${parts.year} ${parts.month}`, year: parts.year ?? '', weekday: parts.weekday ?? '' }
}

/** Midnights in Tehran (20:30 UTC, all year round since 2022) after a moment, the next first. */
const midnightsAfter = (at: number): number[] => {
  const offset = 3.5 * 3_600_000
  const next = (Math.floor((at + offset) / dayMs) + 1) * dayMs - offset
  return Array.from({ length: 400 }, (_, index) => next + index * dayMs)
}

describe('8. windows use the time zone and calendar of the tenant: Asia/Tehran, Persian months', () => {
  const limitOf = (per: string, hours?: number) => ({ of: 'account', per, count: 1, ...(hours && { hours }) })
  /** What a purchase would come to at a moment: decided by the rules that decide real ones. */
  const wouldBe = async ({ card }: Person, at: number, over: object = {}): Promise<string> => {
    const body = { card, merchant: merchantOne, amount: 10, at: new Date(at).toISOString(), ...over }
    return (await stage.admin('POST', '/simulate', body)).json.reason
  }

  test.each([
    ['day', (midnights: number[]) => midnights[0]],
    ['week', (midnights: number[]) => midnights.find(at => persian(at).weekday === 'Sat')],
    ['persian_month', (midnights: number[]) => midnights.find(at => persian(at).month !== persian(at - 1).month)],
    ['persian_year', (midnights: number[]) => midnights.find(at => persian(at).year !== persian(at - 1).year)],
  ] as const)('a limit of one %s ends at its last midnight in Tehran, not a millisecond before', async (per, endOf) => {
    await stage.program(`window-${per}`, 'welfare', { limits: [limitOf(per)] })
    const person = await stage.person({ program: `window-${per}`, amount: 1_000 })
    const spent = Date.parse((await stage.paid(person, 10)).json.createdAt)
    const end = endOf(midnightsAfter(spent)) ?? 0
    expect(await wouldBe(person, end - 1)).toBe('count_limit')
    expect(await wouldBe(person, end)).toBe('approved')
  })

  test('rolling hours count for as long, and at most a sixtieth longer', async () => {
    await stage.program('window-hours', 'welfare', { limits: [limitOf('hours', 10)] })
    const person = await stage.person({ program: 'window-hours', amount: 1_000 })
    const spent = Date.parse((await stage.paid(person, 10)).json.createdAt)
    expect(await wouldBe(person, spent + 10 * 3_600_000)).toBe('count_limit')
    expect(await wouldBe(person, spent + (10 * 60 + 10) * 60_000)).toBe('approved')
  })

  test('weekdays, hours and holidays', async () => {
    // 20 March 2027 is a Saturday, and 1 Farvardin 1406 is the day after.
    await stage.admin('PUT', '/holidays/2027-03-21', { name: 'Nowruz' })
    await stage.program('times', 'welfare', {
      when: { weekdays: ['saturday', 'sunday'], hours: [{ from: '08:00', until: '12:30' }], holidays: 'never' },
    })
    const person = await stage.person({ program: 'times', amount: 1_000 })
    const at = (local: string) => wouldBe(person, Date.parse(`${local}+03:30`))
    expect(await at('2027-03-20T07:59:59.999')).toBe('program_not_now')
    expect(await at('2027-03-20T08:00:00')).toBe('approved')
    expect(await at('2027-03-20T12:29:59.999')).toBe('approved')
    expect(await at('2027-03-20T12:30:00')).toBe('program_not_now')
    expect(await at('2027-03-21T09:00:00')).toBe('program_not_now')
    expect(await at('2027-03-22T09:00:00')).toBe('program_not_now')
    expect(await at('2027-03-28T09:00:00')).toBe('approved')
  })
})

describe('9. only approvals consume a limit; a reversal gives it back; an inquiry shows what can be spent here', () => {
  let person: Person
  beforeAll(async () => {
    await stage.program('counted', 'welfare', {
      limits: [{ of: 'account', per: 'day', amount: 500, count: 3 }],
      where: { deny: { merchants: [merchantTwo] } },
    })
    person = await stage.person({ program: 'counted', amount: 10_000 })
  })
  const usedOf = async () => {
    const { items } = (await stage.admin('GET', `/cardholders/${person.cardholder}/accounts`)).json
    const [{ usedAmount, usedCount }] = items[0].limits
    return [usedAmount, usedCount]
  }

  test('refusals count nothing', async () => {
    for (let time = 0; time < 5; time++) expect((await stage.purchase(person, 501)).json.reason).toBe('amount_limit')
    expect((await stage.purchase(person, 10, { merchant: merchantTwo, terminal: 'T0000003' })).status).toBe(402)
    expect(await usedOf()).toEqual([0, 0])
  })

  test('holds count, a reversal gives back amount and count, a part of it only amount', async () => {
    const [first, second] = [(await stage.paid(person, 200)).json.id, (await stage.paid(person, 300)).json.id]
    expect(await usedOf()).toEqual([500, 2])
    expect((await stage.purchase(person, 1)).json).toMatchObject({ reason: 'amount_limit', responseCode: '61' })
    await stage.follow(second, 'reverse', { amount: 100 })
    expect(await usedOf()).toEqual([400, 2])
    await stage.follow(first, 'reverse')
    expect(await usedOf()).toEqual([200, 1])
    await stage.follow(second, 'confirm', { amount: 150 })
    expect(await usedOf()).toEqual([150, 1])
    await stage.paid(person, 10)
    await stage.paid(person, 10)
    expect((await stage.purchase(person, 10)).json).toMatchObject({ reason: 'count_limit', responseCode: '65' })
    expect(await usedOf()).toEqual([170, 3])
  })

  test('an inquiry tells the balance, and what limits and place leave of it', async () => {
    const other = await stage.person({ program: 'counted', amount: 10_000 })
    await stage.paid(other, 120)
    const line = (spendable: number) => ({ counted: { balance: 10_000, held: 120, spendable } })
    expect(await stage.balances(other)).toEqual(line(380))
    expect(await stage.balances(other, merchantTwo)).toEqual(line(0))
    const reply = await stage.iso('0200', stage.elements(other.pan, { 3: '310000', 4: undefined }))
    // Ledger balance, then what is available here.
    expect(reply[54]).toMatch(/01364C000000010000.*02364C000000000380/)
  })
})

describe('10. every lot knows its funder: statements come from the ledger, and all positions sum to zero', () => {
  test('of an organisation and a merchant, through all that can happen', async () => {
    await stage.admin('POST', '/organisations', { code: 'acme', name: 'Acme', contract: 'prepaid' })
    await stage.admin('POST', '/organisations/acme/deposits', { amount: 10_000, reference: 'bank 17' })
    await stage.admin('POST', '/merchants', { code: 'ACMESHOP', name: 'Shop', fee: { percent: '1' } })
    await stage.admin('POST', '/terminals', { code: 'ACME0001', merchant: 'ACMESHOP' })
    await stage.program('acme', 'welfare', {}, 'acme')
    const expiresAt = inMs(dayMs)
    const person = await stage.person(
      { program: 'acme', amount: 3_000, expiresAt },
      { program: 'acme', amount: 4_000 },
      { program: 'credit', amount: 1_000, funder: 'bazaar' },
    )
    const tooMuch = await stage.call('POST', '/admin/v1/loads', {
      key: 'demo-admin-key',
      body: { cardholder: person.cardholder, program: 'acme', amount: 3_001 },
    })
    expect(tooMuch.json.reason).toBe('funding_insufficient')
    const here = { merchant: 'ACMESHOP', terminal: 'ACME0001', capture: true }
    const first = (await stage.paid(person, 2_500, here)).json
    const second = (await stage.paid(person, 2_000, here)).json
    expect(second.legs.map(({ amount }: { amount: number }) => amount)).toEqual([500, 1_500])
    await stage.follow(first.id, 'reverse', { amount: 500 })
    const third = (await stage.paid(person, 4_000, here)).json
    expect(third.legs.map(({ funder }: { funder: string }) => funder)).toEqual(['acme', 'acme', 'bazaar'])
    await stage.follow(second.id, 'refund', { amount: 700 })
    await stage.call('POST', '/v1/settlements', { body: { merchant: 'ACMESHOP' } })
    const clawback = { cardholder: person.cardholder, program: 'acme', amount: 400 }
    await stage.admin('POST', '/clawbacks', clawback)
    await stage.expire(person)
    await stage.sweep()

    const organisation = (await stage.admin('GET', '/organisations/acme/statement')).json
    const merchant = (await stage.admin('GET', '/merchants/ACMESHOP/statement')).json
    const sum = (items: { type: string; amount: number }[], ...types: string[]): number =>
      items.filter(({ type }) => types.includes(type)).reduce((all, { amount }) => all + amount, 0)
    const { opening, closing, items } = organisation
    expect(closing - opening).toBe(items.reduce((all: number, { amount }: { amount: number }) => all + amount, 0))
    expect(sum(items, 'load')).toBe(7_000)
    expect(sum(items, 'clawback')).toBe(-400)
    expect(items.filter(({ type }: { type: string }) => type === 'purchase')).toMatchObject([{ merchant: 'ACMESHOP' }])

    // What the organisation's loads paid here, and the leg of the other funder, is what the merchant was owed.
    const byOthers = third.legs[2].amount
    const [spentHere, owed] = [
      -sum(items, 'purchase', 'reversal', 'refund') + byOthers,
      sum(merchant.items, 'purchase', 'reversal', 'refund'),
    ]
    expect(spentHere).toBe(owed)
    expect(merchant.net).toBe(0)

    // Paid in = left to load + on its loads + spent + expired.
    const { balance } = (await stage.admin('GET', '/organisations/acme')).json
    expect(balance).toBe(10_000 - 7_000 + 400)
    const spent = -sum(items, 'purchase', 'reversal', 'refund')
    expect(balance + closing + spent - sum(items, 'breakage')).toBe(10_000)
    const [{ total } = {}] = await stage.rows(
      `SELECT sum(change)::text AS total FROM (
         SELECT debit AS account, -posted AS change FROM postings UNION ALL SELECT credit, posted FROM postings) AS s`,
    )
    expect(total).toBe('0')
    expect(await stage.broken()).toEqual([])
  })
})

test('14. which money was spent is always answerable: legs name program, lot and funder', async () => {
  await stage.program('money-one', 'gift', { priority: 1 })
  await stage.program('money-two', 'welfare', { priority: 2 }, 'saffron')
  const person = await stage.person({ program: 'money-two', amount: 500 }, { program: 'money-one', amount: 300 })
  const lots = await stage.rows('SELECT lot::text FROM lots WHERE holder = $1 ORDER BY lot', [person.cardholder])
  const [two, one] = lots.map(({ lot }) => lot)
  const legs = [
    { program: 'money-one', lot: one, funder: 'bazaar', account: one, amount: 300 },
    { program: 'money-two', lot: two, funder: 'saffron', account: two, amount: 400 },
  ]
  const { json } = await stage.paid(person, 700)
  expect(json.legs).toEqual(legs)
  // The terms of today decide nothing of yesterday.
  await stage.admin('POST', '/programs/money-two/terms', { terms: { priority: 0 } })
  expect((await stage.follow(json.id, 'confirm')).json.legs).toEqual(legs)
  const refund = await stage.follow(json.id, 'refund', { amount: 500 })
  expect(refund.json.legs).toEqual([{ ...legs[0], amount: 100 }, legs[1]])
  expect((await stage.call('GET', `/v1/transactions/${json.id}`)).json.legs).toEqual([
    { ...legs[0], amount: 200 },
    { ...legs[1], amount: 0 },
  ])
})
