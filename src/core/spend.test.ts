import { describe, expect, test } from 'vitest'
import {
  authorize,
  card,
  catalogWith,
  limitOf,
  lot,
  programIds,
  program as programOf,
  purchaseRule,
  second,
  startOfTime,
} from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import type { Program } from './catalog.ts'
import type { Authorize } from './commands.ts'
import type { Lot } from './ledger.ts'
import { openTerms, type Terms } from './terms.ts'
import type { Usage } from './usage.ts'

const { credit, welfare, gift } = programIds
const nowhere = { merchants: [], groups: [], categories: [] }
const notHere: Partial<Terms> = { where: { allow: nowhere, deny: { ...nowhere, merchants: ['M1'] } } }
/** Startup is a Saturday. */
const notNow: Partial<Terms> = { when: { ...openTerms.when, weekdays: [1] } }

/** Programs of equal priority, unless their terms say otherwise. */
const programs = (terms: Partial<Record<Program['kind'], Partial<Terms>>>): Program[] => [
  programOf(credit, 'credit', { ...terms.credit }),
  programOf(welfare, 'welfare', { ...terms.welfare }),
  programOf(gift, 'gift', { ...terms.gift }),
]
const creditLot = (balance: bigint, over: Partial<Lot> = {}): Lot => lot(1, 1, balance, over)
const welfareLot = (balance: bigint, over: Partial<Lot> = {}): Lot =>
  lot(2, 1, balance, { program: welfare, funder: 2, ...over })
const giftLot = (balance: bigint, over: Partial<Lot> = {}): Lot => lot(3, 1, balance, { program: gift, ...over })

interface Shop {
  readonly terms?: Parameters<typeof programs>[0]
  readonly lots: readonly Lot[]
  /** Spent before, each in a purchase of its own at M1. */
  readonly before?: readonly bigint[]
}
const open = ({ terms = {}, lots, before = [] }: Shop): MemoryLedger => {
  const ledger = new MemoryLedger({
    cards: [card(1)],
    lots,
    catalog: catalogWith({ programs: programs(terms) }),
  })
  for (const amount of before) expect(ledger.do(authorize(amount)).decision.reason).toBe('approved')
  return ledger
}

/** The lots that paid and how much, as `3:100 1:20`; or the reason why none did. */
const told = (ledger: MemoryLedger, amount: bigint, over: Partial<Authorize> = {}): string => {
  const { decision } = ledger.do(authorize(amount, over))
  if (decision.reason !== 'approved' && decision.reason !== 'approved_partially') return decision.reason
  return decision.postings.map(({ debit, pending }) => `${debit}:${pending}`).join(' ')
}

describe('the order, over programs of equal priority', () => {
  const soon = startOfTime + 60 * second
  test.each([
    // name, lots, legs of a purchase of 120
    ['soonest expiry', [creditLot(100n), giftLot(100n, { expiresAt: soon })], '3:100 1:20'],
    ['then the oldest load', [giftLot(100n), creditLot(100n)], '1:100 3:20'],
    ['what is frozen is left out', [creditLot(100n, { isFrozen: true }), giftLot(200n)], '3:120'],
  ] as const)('%s', (_name, lots, legs) => {
    expect(told(open({ lots }), 120n)).toEqual(legs)
  })

  test('an own priority comes before', () => {
    const lots = [creditLot(100n), giftLot(100n, { expiresAt: soon }), welfareLot(100n)]
    const terms = { welfare: { priority: 0 }, credit: { priority: 1 }, gift: { priority: 2 } }
    expect(told(open({ lots, terms }), 250n)).toEqual('2:100 1:100 3:50')
  })
})

describe('rules of one purchase', () => {
  const lots = [welfareLot(100n), welfareLot(100n, { id: 4 }), creditLot(1_000n)]
  const first = { priority: 0 }
  const open50 = (rule: Partial<Terms['purchase']>): Shop => ({
    lots,
    terms: { welfare: { ...first, ...purchaseRule(rule) }, credit: { priority: 9 } },
  })
  test.each([
    // rule,                         amount, legs
    [{}, 150n, '2:100 4:50'],
    [{ minimum: 150n }, 150n, '2:100 4:50'],
    [{ minimum: 151n }, 150n, '1:150'],
    // One maximum for all lots of the program.
    [{ maximum: 120n }, 150n, '2:100 4:20 1:30'],
    [{ maximum: 100n }, 150n, '2:100 1:50'],
    [{ maximum: 0n }, 150n, '1:150'],
    [{ sharePercent: 50 }, 150n, '2:75 1:75'],
    [{ sharePercent: 80 }, 150n, '2:100 4:20 1:30'],
    // Floor: the remainder is for others.
    [{ sharePercent: 50 }, 151n, '2:75 1:76'],
    [{ sharePercent: 1 }, 99n, '1:99'],
    [{ sharePercent: 50, maximum: 60n }, 150n, '2:60 1:90'],
  ] as [Partial<Terms['purchase']>, bigint, string][])('%o of %s', (rule, amount, legs) => {
    expect(told(open(open50(rule)), amount)).toEqual(legs)
  })
})

describe('goods', () => {
  const basket = [
    { goods: 'bread', amount: 60n },
    { goods: 'tea', amount: 30n },
    { goods: 'soap', amount: 10n },
  ]
  const shop = (goods: Partial<Record<Program['kind'], string[]>>): MemoryLedger =>
    open({
      lots: [welfareLot(100n), giftLot(100n), creditLot(100n)],
      terms: {
        welfare: { priority: 0, ...(goods.welfare ? purchaseRule({ goods: goods.welfare }) : {}) },
        gift: { priority: 1, ...(goods.gift ? purchaseRule({ goods: goods.gift }) : {}) },
        credit: { priority: 2 },
      },
    })
  test.each([
    // goods of programs,                         request,                          legs of a purchase of 100
    [{ welfare: ['bread'] }, { basket }, '2:60 3:40'],
    [{ welfare: ['bread', 'soap'] }, { basket }, '2:70 3:30'],
    [{ welfare: ['cheese'] }, { basket }, '3:100'],
    // Bread is paid for once.
    [{ welfare: ['bread'], gift: ['bread'] }, { basket }, '2:60 1:40'],
    [{ welfare: ['bread'], gift: ['tea', 'bread'] }, { basket }, '2:60 3:30 1:10'],
    // Without a basket the request says how much is for such programs, for all of them together.
    [{ welfare: ['bread'] }, { eligibleAmount: 25n }, '2:25 3:75'],
    [{ welfare: ['bread'], gift: ['tea'] }, { eligibleAmount: 25n }, '2:25 1:75'],
    [{ welfare: ['bread'] }, {}, '3:100'],
    [{}, { eligibleAmount: 25n }, '2:25 3:75'],
    [{}, { eligibleAmount: 25n, basket }, '2:25 3:75'],
    [{}, { basket }, '2:100'],
    [{ gift: ['soap'] }, { basket, eligibleAmount: 25n }, '2:25 3:10 1:65'],
  ] as [Parameters<typeof shop>[0], Partial<Authorize>, string][])('%o, %o', (goods, over, legs) => {
    expect(told(shop(goods), 100n, over)).toEqual(legs)
  })
})

describe('a program that pays alone or not at all', () => {
  const shop = (balances: readonly [bigint, bigint, bigint], alone: readonly Program['kind'][]): MemoryLedger => {
    const fallback = (kind: Program['kind']) => ({ fallback: alone.includes(kind) ? 'none' : 'onward' }) as const
    const [first, next, last] = balances
    return open({
      lots: [giftLot(first), welfareLot(next), creditLot(last)],
      terms: {
        gift: { priority: 0, ...fallback('gift') },
        welfare: { priority: 1, ...fallback('welfare') },
        credit: { priority: 2, ...fallback('credit') },
      },
    })
  }
  test.each([
    // gift, welfare, credit,  who pays alone,       what becomes of a purchase of 100
    [[100n, 500n, 500n], ['gift'], '3:100'],
    [[99n, 500n, 500n], ['gift'], '2:100'],
    [[99n, 60n, 500n], ['gift'], '2:60 1:40'],
    // The others come first, as long as they suffice.
    [[60n, 500n, 40n], ['welfare'], '3:60 1:40'],
    [[60n, 500n, 39n], ['welfare'], '2:100'],
    [[60n, 99n, 39n], ['welfare'], 'pays_alone_only'],
    [[60n, 99n, 100n], ['welfare', 'credit'], '1:100'],
    [[60n, 0n, 30n], ['gift'], 'insufficient_funds'],
    [[100n, 100n, 100n], ['gift', 'welfare', 'credit'], '3:100'],
    [[99n, 100n, 100n], ['gift', 'welfare', 'credit'], '2:100'],
  ] as [readonly [bigint, bigint, bigint], Program['kind'][], string][])('%o, %o', (balances, alone, outcome) => {
    expect(told(shop(balances, alone), 100n)).toEqual(outcome)
  })

  test('it has no part in a partial approval', () => {
    expect(told(shop([60n, 20n, 10n], ['gift']), 100n, { partial: true })).toEqual('2:20 1:10')
    expect(told(shop([60n, 0n, 0n], ['gift']), 100n, { partial: true })).toBe('pays_alone_only')
  })
})

describe('limits of every scope', () => {
  const lots = [welfareLot(1_000n), welfareLot(1_000n, { id: 4, funder: 1 }), creditLot(1_000n)]
  const limited = (...limits: Terms['limits'][number][]): Shop => ({
    lots,
    before: [70n],
    terms: { welfare: { limits, priority: 0 }, credit: { priority: 9 } },
  })
  test.each([
    // limit,                                              amount, legs after a purchase of 70
    [limitOf('account', { amount: 100n }), 30n, '2:30'],
    [limitOf('account', { amount: 100n }), 31n, '2:30 1:1'],
    [limitOf('account', { count: 2 }), 31n, '2:31'],
    [limitOf('account', { count: 1 }), 31n, '1:31'],
    [limitOf('account', { count: 0, per: 'week' }), null, '1:31'],
    [limitOf('merchant', { amount: 100n }), 31n, '2:30 1:1'],
    [limitOf('holder', { amount: 100n }), 31n, '2:30 1:1'],
    // Each organisation has a budget of its own.
    [limitOf('organisation', { amount: 100n }), 31n, '2:30 4:1'],
    [limitOf('organisation', { amount: 100n }), 200n, '2:30 4:100 1:70'],
    [limitOf('organisation', { count: 1 }), 31n, '4:31'],
    [limitOf('account', { amount: 100n, per: 'lifetime' }), 31n, '2:30 1:1'],
    [limitOf('account', { amount: 100n, per: 'hours', hours: 24 }), 31n, '2:30 1:1'],
    [limitOf('account', { amount: 10n ** 18n - 1n }), 31n, '2:31'],
  ] as [Terms['limits'][number], bigint | null, string][])('%o: %s', (limit, amount, legs) => {
    if (amount !== null) expect(told(open(limited(limit)), amount)).toEqual(legs)
    else expect(told(open({ ...limited(limit), before: [] }), 31n)).toEqual(legs)
  })

  test('at another merchant its limit has counted nothing', () => {
    const ledger = open(limited(limitOf('merchant', { amount: 100n })))
    expect(told(ledger, 100n, { merchant: 'M2', terminal: 'T3' })).toEqual('2:100')
    expect(told(ledger, 31n)).toEqual('2:30 1:1')
  })

  test('a limit over all that a holder spends counts what other programs pay, in the same purchase too', () => {
    const terms = { credit: { priority: 0 }, welfare: { priority: 1, limits: [limitOf('holder', { amount: 100n })] } }
    const ledger = open({ lots: [creditLot(60n), welfareLot(500n)], terms })
    expect(told(ledger, 101n)).toBe('amount_limit')
    expect(told(ledger, 80n)).toEqual('1:60 2:20')
    expect(told(ledger, 21n)).toBe('amount_limit')
    expect(told(ledger, 20n)).toEqual('2:20')
  })

  test('several limits: the narrowest counts', () => {
    const limits = [limitOf('account', { amount: 100n }), limitOf('account', { per: 'persian_month', amount: 90n })]
    expect(told(open(limited(...limits)), 31n)).toEqual('2:20 1:11')
  })

  test('a purchase of several lots of a program is one purchase', () => {
    const ledger = open({
      lots: [creditLot(10n), creditLot(10n, { id: 5 })],
      terms: { credit: { limits: [limitOf('account', { count: 2 })] } },
    })
    expect([told(ledger, 15n), told(ledger, 1n), told(ledger, 1n)]).toEqual(['1:10 5:5', '5:1', 'count_limit'])
  })

  test('refusals and inquiries are not counted, holds are', () => {
    const ledger = open({ lots: [creditLot(100n)], terms: { credit: { limits: [limitOf('account', { count: 1 })] } } })
    expect(told(ledger, 101n)).toBe('insufficient_funds')
    const usage = (): Usage | undefined => ledger.usage.get(1)
    expect(usage()).toBeUndefined()
    expect(told(ledger, 10n)).toEqual('1:10')
    expect(usage()).toMatchObject([{ amount: 10n, count: 1 }])
  })
})

describe('partial approval: as much as the rules leave', () => {
  test.each([
    // terms of credit, with 100 on it,              approved of 150
    [{}, '1:100'],
    [{ limits: [limitOf('account', { amount: 30n })] }, '1:30'],
    [purchaseRule({ sharePercent: 50 }), '1:75'],
    [purchaseRule({ maximum: 1n }), '1:1'],
    [purchaseRule({ minimum: 151n }), 'amount_below_minimum'],
    [{ limits: [limitOf('account', { count: 0 })] }, 'count_limit'],
    [notHere, 'program_not_allowed'],
  ] as [Partial<Terms>, string][])('%o', (terms, outcome) => {
    const ledger = open({ lots: [creditLot(100n)], terms: { credit: terms } })
    expect(told(ledger, 150n, { partial: true })).toEqual(outcome)
  })
})

describe('the reason of a refusal is the rule without which it would have been none', () => {
  const held = { debitsPending: 80n }
  const limits = (limit: Parameters<typeof limitOf>[1], of: Parameters<typeof limitOf>[0] = 'account') => ({
    limits: [limitOf(of, limit)],
  })
  const past = { expiresAt: startOfTime }
  test.each([
    // name,                            terms,                                        lots,                      reason
    ['nothing there', {}, [creditLot(99n)], 'insufficient_funds'],
    ['held elsewhere', {}, [creditLot(150n, held)], 'insufficient_funds_held'],
    ['held, and not enough without', {}, [creditLot(99n, held)], 'insufficient_funds'],
    ['an amount', { credit: limits({ amount: 50n }) }, [creditLot(100n)], 'amount_limit'],
    ['a count', { credit: limits({ count: 0 }) }, [creditLot(100n)], 'count_limit'],
    ['a budget', { credit: limits({ amount: 50n }, 'organisation') }, [creditLot(100n)], 'budget_exhausted'],
    ['a budget of purchases', { credit: limits({ count: 0 }, 'organisation') }, [creditLot(100n)], 'budget_exhausted'],
    ['a limit, and not enough without', { credit: limits({ amount: 50n }) }, [creditLot(99n)], 'insufficient_funds'],
    ['a limit of one of two', { gift: limits({ count: 0 }) }, [creditLot(60n), giftLot(60n)], 'count_limit'],
    [
      'a hold before a limit of another',
      { gift: limits({ count: 0 }) },
      [creditLot(150n, held), giftLot(1n)],
      'insufficient_funds_held',
    ],
    ['place', { credit: notHere }, [creditLot(100n)], 'program_not_allowed'],
    ['time', { credit: notNow }, [creditLot(100n)], 'program_not_now'],
    ['place of one of two', { gift: notHere }, [creditLot(60n), giftLot(60n)], 'program_not_allowed'],
    ['place of one, too little on the other', { gift: notHere }, [creditLot(60n), giftLot(20n)], 'insufficient_funds'],
    ['nothing that may be spent here, however much', { credit: notHere }, [creditLot(1n)], 'program_not_allowed'],
    ['minimum', { credit: purchaseRule({ minimum: 101n }) }, [creditLot(100n)], 'amount_below_minimum'],
    ['maximum', { credit: purchaseRule({ maximum: 99n }) }, [creditLot(100n)], 'amount_limit'],
    ['share', { credit: purchaseRule({ sharePercent: 50 }) }, [creditLot(100n)], 'share_limit'],
    ['goods', { credit: purchaseRule({ goods: ['tea'] }) }, [creditLot(100n)], 'goods_not_eligible'],
    ['frozen', {}, [creditLot(100n, { isFrozen: true })], 'account_frozen'],
    ['expired', {}, [creditLot(100n, past)], 'credit_expired'],
    ['expired and frozen', {}, [creditLot(100n, past), giftLot(1n, { isFrozen: true })], 'account_frozen'],
    ['nothing brings expired credit back', {}, [creditLot(100n, past), giftLot(50n)], 'insufficient_funds'],
    [
      'nor does another rule owe it',
      { gift: purchaseRule({ sharePercent: 50 }) },
      [creditLot(100n, past), giftLot(60n)],
      'insufficient_funds',
    ],
    [
      'not the rule of a lot with nothing on it',
      { gift: notHere },
      [creditLot(0n, { isFrozen: true }), giftLot(100n)],
      'program_not_allowed',
    ],
    [
      'nor that of its limit',
      { credit: limits({ count: 0 }), gift: limits({ amount: 50n }) },
      [creditLot(0n), giftLot(100n)],
      'amount_limit',
    ],
    [
      'nor where nothing may be spent, however much',
      { gift: notHere },
      [creditLot(0n, { isFrozen: true }), giftLot(1n)],
      'program_not_allowed',
    ],
    ['all is spent, and frozen', {}, [creditLot(0n, { isFrozen: true })], 'account_frozen'],
    ['no credit at all', {}, [], 'program_not_allowed'],
    ['credit of no currency', {}, [creditLot(100n, { asset: 2 })], 'program_not_allowed'],
    [
      'only together with what pays alone',
      { gift: { fallback: 'none' } },
      [creditLot(60n), giftLot(60n)],
      'pays_alone_only',
    ],
    [
      'held, of what pays alone',
      { gift: { fallback: 'none' } },
      [creditLot(1n), giftLot(150n, held)],
      'insufficient_funds_held',
    ],
  ] as [string, Shop['terms'], Lot[], string][])('%s', (_name, terms, lots, reason) => {
    expect(told(open({ terms: terms ?? {}, lots }), 100n)).toBe(reason)
  })

  test('a closed program pays nothing', () => {
    const closed = { ...programOf(credit, 'credit', {}), isClosed: true }
    const ledger = new MemoryLedger({
      cards: [card(1)],
      lots: [creditLot(100n)],
      catalog: catalogWith({ programs: [closed] }),
    })
    expect(told(ledger, 1n)).toBe('program_not_allowed')
  })
})
