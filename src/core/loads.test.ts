import { describe, expect, test } from 'vitest'
import {
  adjust,
  authorize,
  card,
  catalogWith,
  clawback,
  clearing,
  day,
  deposit,
  funding,
  load,
  lot,
  program,
  programIds,
  second,
  startOfTime,
  transfer,
} from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import type { Funder } from './catalog.ts'
import type { Load } from './commands.ts'
import type { Lot } from './ledger.ts'
import { accountMax, filledMax, largeLoadMin } from './money.ts'

const { credit, welfare } = programIds
const soon = startOfTime + 60 * second
const later = startOfTime + 90 * second
const note = { reason: 'bonus', reference: 'file-7', actor: 'key:3' }

/** Funder 1 with this contract, and so much paid in. */
const open = (funder: Partial<Funder> = {}, balance = 0n, lots: readonly Lot[] = []): MemoryLedger =>
  new MemoryLedger({
    cards: [card(1)],
    lots,
    balances: [[1, balance]],
    catalog: catalogWith({ funders: [{ id: 1, ...funder }] }),
  })
const balanceOf = (ledger: MemoryLedger, organisation = 1): bigint | undefined =>
  ledger.organisations.get(organisation)?.balance

/** The local day of `startOfTime`, in Tehran. */
const today = Math.floor((startOfTime + 12_600 * second) / day)

describe('a load', () => {
  test('is a lot of its own, from the account of its funder', () => {
    const ledger = open()
    const { decision } = ledger.do(load(1, 100n, { note }))
    const [one] = ledger.lots.values()
    expect(decision).toMatchObject({ reason: 'approved', transaction: null, phase: null, amounts: null })
    expect(decision.postings).toEqual([
      { debit: funding.bazaar, credit: one?.id, pending: 0n, posted: 100n, remaining: 0n },
    ])
    expect(one).toEqual(lot(one?.id ?? 0, 1, 100n))
    expect(balanceOf(ledger)).toBe(-100n)
    expect(ledger.movements).toEqual([
      { index: 0, kind: 'load', lot: one?.id, holder: 1, amount: 100n, balance: 100n, note },
    ])
    expect(ledger.do(authorize(100n)).decision.reason).toBe('approved')
  })

  test('several in one batch, and a purchase of all of them', () => {
    const ledger = open()
    ledger.submit([load(1, 10n), load(1, 20n), load(1, 30n, { program: welfare, funder: 2 })])
    expect(ledger.lots.size).toBe(3)
    expect(ledger.do(authorize(60n)).transaction?.legs.length).toBe(3)
    expect([balanceOf(ledger), balanceOf(ledger, 2)]).toEqual([-30n, -30n])
    const both = ledger.submit([load(1, 5n), authorize(5n)])
    expect(both.map(outcome => outcome.kind === 'decided' && outcome.decision.reason)).toEqual(['approved', 'approved'])
  })

  test.each([
    ['as the terms have it', 'terms', startOfTime + 16 * 3_600 * second],
    ['on a date of its own', later, later],
    ['never', null, null],
  ] as const)('expires %s', (_name, expiresAt, expected) => {
    const daily = program(credit, 'credit', { expiry: { kind: 'end_of_period', per: 'day' } })
    const ledger = new MemoryLedger({ cards: [card(1)], catalog: catalogWith({ programs: [daily] }) })
    ledger.do(load(1, 100n, { expiresAt }))
    expect([...ledger.lots.values()]).toMatchObject([{ expiresAt: expected, sweepDue: expected }])
  })

  test.each([
    // name,                     load,                           funder,                reason
    ['an unknown program', { program: 99 }, {}, 'program_closed'],
    ['an unknown organisation', { funder: 99 }, {}, 'organisation_unknown'],
    ['a suspended organisation', {}, { isSuspended: true }, 'organisation_suspended'],
    ['a contract from tomorrow', {}, { contractFrom: today + 1 }, 'contract_not_in_force'],
    ['a contract until yesterday', {}, { contractUntil: today - 1 }, 'contract_not_in_force'],
    ['nothing', { amount: 0n }, {}, 'amount_invalid'],
    ['less than nothing', { amount: -1n }, {}, 'amount_invalid'],
    ['value that is over already', { expiresAt: startOfTime }, {}, 'credit_expired'],
  ] as [string, Partial<Load>, Partial<Funder>, string][])('is refused: %s', (_name, over, funder, reason) => {
    const ledger = open(funder)
    expect(ledger.do(load(1, 100n, over)).decision).toMatchObject({ reason, postings: [] })
    expect([ledger.lots.size, ledger.movements, balanceOf(ledger)]).toEqual([0, [], 0n])
  })

  test('is refused for a closed program', () => {
    const closed = { ...program(credit, 'credit', {}), isClosed: true }
    const ledger = new MemoryLedger({ cards: [card(1)], catalog: catalogWith({ programs: [closed] }) })
    expect(ledger.do(load(1, 1n)).decision.reason).toBe('program_closed')
  })
})

describe('contracts: what an organisation may load', () => {
  test.each([
    // contract, credit limit, paid in, amount, reason
    ['unlimited', 0n, 0n, 10n ** 15n, 'approved'],
    ['unlimited', 0n, -(10n ** 15n), 1n, 'approved'],
    ['unlimited', 0n, 1n - accountMax, 1n, 'approved'],
    ['unlimited', 0n, 1n - accountMax, 2n, 'amount_too_large'],
    ['unlimited', 0n, -accountMax, 1n, 'amount_too_large'],
    ['credit_line', accountMax, accountMax, filledMax, 'approved'],
    ['credit_line', accountMax, accountMax, filledMax + 1n, 'amount_too_large'],
    ['prepaid', 0n, 100n, 100n, 'approved'],
    ['prepaid', 0n, 100n, 101n, 'funding_insufficient'],
    ['prepaid', 50n, 100n, 101n, 'funding_insufficient'],
    ['prepaid', 0n, 0n, 1n, 'funding_insufficient'],
    ['credit_line', 50n, 100n, 150n, 'approved'],
    ['credit_line', 50n, 100n, 151n, 'funding_insufficient'],
    ['credit_line', 50n, -50n, 1n, 'funding_insufficient'],
  ] as const)('%s (%s), %s paid in: %s', (contract, creditLimit, paidIn, amount, reason) => {
    const ledger = open({ contract, creditLimit }, paidIn)
    expect(ledger.do(load(1, amount)).decision.reason).toBe(reason)
    expect(balanceOf(ledger)).toBe(reason === 'approved' ? paidIn - amount : paidIn)
  })

  test('many loads against what was paid in load exactly that', () => {
    const ledger = open({ contract: 'prepaid' }, 1_000n)
    const loads = Array.from({ length: 300 }, () => load(1, 7n))
    const outcomes = ledger.submit(loads, [64, 1, 100])
    const reasons = outcomes.map(outcome => outcome.kind === 'decided' && outcome.decision.reason)
    expect(reasons.filter(reason => reason === 'approved').length).toBe(142)
    expect(balanceOf(ledger)).toBe(6n)
  })
})

describe('a deposit', () => {
  test.each([
    // paid in, amount, reason,                balance after
    [0n, 100n, 'approved', 100n],
    [-70n, 100n, 'approved', 30n],
    [1n, 2n ** 53n - 2n, 'approved', 2n ** 53n - 1n],
    [1n, 2n ** 53n - 1n, 'amount_too_large', 1n],
    [2n ** 53n - 1n, 2n ** 53n - 1n, 'amount_too_large', 2n ** 53n - 1n],
    [100n, -100n, 'approved', 0n],
    [100n, -101n, 'funding_insufficient', 100n],
    [-70n, -1n, 'funding_insufficient', -70n],
    [0n, 0n, 'amount_invalid', 0n],
  ] as const)('%s and %s: %s', (paidIn, amount, reason, after) => {
    const ledger = open({ contract: 'prepaid' }, paidIn)
    const { decision } = ledger.do(deposit(1, amount))
    const postings = [
      amount > 0n
        ? { debit: clearing, credit: funding.bazaar, pending: 0n, posted: amount, remaining: 0n }
        : { debit: funding.bazaar, credit: clearing, pending: 0n, posted: -amount, remaining: 0n },
    ]
    expect(decision).toMatchObject({ reason, postings: reason === 'approved' ? postings : [] })
    expect(balanceOf(ledger)).toBe(after)
  })

  test('of an unknown organisation', () => {
    expect(open().do(deposit(99, 1n)).decision.reason).toBe('organisation_unknown')
  })
})

describe('claw-back: unspent value only, from the lots that expire last', () => {
  /** 100 that expire soon, 100 later, 100 never, twice; 30 held and 20 spent of the last. */
  const lots = [
    lot(1, 1, 100n, { expiresAt: soon }),
    lot(2, 1, 100n, { expiresAt: later }),
    lot(3, 1, 100n),
    lot(4, 1, 100n, { debitsPending: 30n, debitsPosted: 20n }),
    lot(5, 1, 100n, { funder: 2 }),
    lot(6, 1, 100n, { program: welfare }),
    lot(7, 1, 100n, { expiresAt: startOfTime }),
    lot(8, 2, 100n),
    lot(9, 1, 0n, { limit: 500n }),
  ]
  test.each([
    // amount, funder, what is taken of which lot
    [10n, null, [[5, 10n]]],
    [
      120n,
      null,
      [
        [5, 100n],
        [4, 20n],
      ],
    ],
    [
      151n,
      null,
      [
        [5, 100n],
        [4, 50n],
        [3, 1n],
      ],
    ],
    [
      120n,
      1,
      [
        [4, 50n],
        [3, 70n],
      ],
    ],
    [
      350n,
      1,
      [
        [4, 50n],
        [3, 100n],
        [2, 100n],
        [1, 100n],
      ],
    ],
    [351n, 1, 'insufficient_funds'],
    [
      null,
      1,
      [
        [4, 50n],
        [3, 100n],
        [2, 100n],
        [1, 100n],
      ],
    ],
    [null, 2, [[5, 100n]]],
    [null, 9, 'insufficient_funds'],
    [0n, null, 'amount_invalid'],
    [-1n, null, 'amount_invalid'],
  ] as [bigint | null, number | null, string | [number, bigint][]][])('%s of funder %s', (amount, funder, expected) => {
    const ledger = open({}, 0n, lots)
    const { decision } = ledger.do(clawback(1, amount, { funder, note }))
    if (typeof expected === 'string') {
      expect(decision).toMatchObject({ reason: expected, postings: [] })
      expect([balanceOf(ledger), balanceOf(ledger, 2)]).toEqual([0n, 0n])
      return
    }
    expect(decision.postings.map(({ debit, posted }) => [debit, posted])).toEqual(expected)
    const back = (of: number) =>
      expected.reduce((sum, [id, taken]) => ((id === 5 ? 2 : 1) === of ? sum + taken : sum), 0n)
    expect([balanceOf(ledger), balanceOf(ledger, 2)]).toEqual([back(1), back(2)])
    expect(ledger.movements.map(one => [one.lot, -one.amount])).toEqual(expected)
    expect(ledger.movements.every(one => one.note === note && one.kind === 'clawback')).toBe(true)
    const taken = ledger.movements.find(one => one.lot === 4)
    if (taken !== undefined) expect(taken.balance).toBe(80n + taken.amount)
  })

  test('takes back what is frozen, and works for a suspended organisation', () => {
    const ledger = open({ isSuspended: true }, 0n, [lot(1, 1, 100n, { isFrozen: true })])
    expect(ledger.do(clawback(1, null)).decision.reason).toBe('approved')
  })

  test('what is held may still be confirmed', () => {
    const ledger = open({}, 0n, [lot(1, 1, 100n)])
    const id = ledger.do(authorize(60n)).decision.transaction as number
    ledger.do(clawback(1, null))
    expect(ledger.lots.get(1)).toMatchObject({ debitsPending: 60n, debitsPosted: 40n })
    expect(id).toBeGreaterThan(0)
  })
})

describe('an adjustment corrects one lot', () => {
  const lots = [
    lot(1, 1, 100n, { debitsPending: 30n, debitsPosted: 20n }),
    lot(2, 1, 100n, { expiresAt: startOfTime }),
    lot(3, 1, 0n, { limit: 500n }),
    lot(4, 1, 2n ** 62n - 1n, { debitsPosted: 2n ** 62n - 9n }),
    lot(8, 2, 100n),
  ]
  test.each([
    // lot, amount, paid in, reason, balance after
    [1, 25n, 25n, 'approved', 105n],
    [1, 26n, 25n, 'funding_insufficient', 80n],
    [1, -50n, 0n, 'approved', 30n],
    [1, -51n, 0n, 'insufficient_funds', 80n],
    [1, 0n, 0n, 'amount_invalid', 80n],
    [2, -100n, 0n, 'approved', 0n],
    [2, 1n, 9n, 'credit_expired', 100n],
    [3, -1n, 0n, 'insufficient_funds', 0n],
    [4, 1n, 9n, 'approved', 9n],
    [4, 2n, 9n, 'amount_too_large', 8n],
    [8, 1n, 9n, 'account_unknown', 100n],
    [9, 1n, 9n, 'account_unknown', null],
  ] as const)('lot %i by %s: %s', (id, amount, paidIn, reason, after) => {
    const ledger = open({ contract: 'prepaid' }, paidIn, lots)
    const { decision } = ledger.do(adjust(1, id, amount, { note }))
    expect(decision.reason).toBe(reason)
    const { creditsPosted = 0n, debitsPosted = 0n } = ledger.lots.get(id) ?? {}
    if (after !== null) expect(creditsPosted - debitsPosted).toBe(after)
    const isDone = reason === 'approved'
    expect(balanceOf(ledger)).toBe(isDone ? paidIn - amount : paidIn)
    const movement = { index: 0, kind: 'adjust', lot: id, holder: 1, amount, balance: after, note }
    expect(ledger.movements).toEqual(isDone ? [movement] : [])
  })
})

describe('a correction that goes back to the funder is no use of its contract', () => {
  test.each([
    // name, funder, what it has left
    ['a credit limit lowered under what is used', { contract: 'credit_line', creditLimit: 300n }, -500n],
    ['credit that has become paid in advance', { contract: 'prepaid' }, -500n],
    ['a suspended organisation', { isSuspended: true }, 0n],
    ['a contract until yesterday', { contractUntil: today - 1 }, 0n],
  ] as const)('%s', (_name, funder, balance) => {
    const adjusted = open(funder, balance, [lot(1, 1, 500n)])
    expect(adjusted.do(adjust(1, 1, -100n)).decision.reason).toBe('approved')
    expect(balanceOf(adjusted)).toBe(balance + 100n)
    const clawed = open(funder, balance, [lot(1, 1, 500n)])
    expect(clawed.do(clawback(1, 100n)).decision.reason).toBe('approved')
    expect(balanceOf(clawed)).toBe(balance + 100n)
  })
})

describe('nothing becomes more than can be told', () => {
  const full = lot(1, 1, accountMax - 9n)
  const filled = lot(1, 1, filledMax - largeLoadMin)
  const beyond = lot(1, 1, accountMax + 1_000n)
  test.each([
    // name, what is there, paid in, command, reason
    ['a load on what is there', full, 0n, load(1, largeLoadMin), 'amount_too_large'],
    ['a load beside what is there', full, 0n, load(1, largeLoadMin, { program: welfare }), 'approved'],
    ['a load up to half', filled, 0n, load(1, largeLoadMin), 'approved'],
    ['a load beyond half', filled, 0n, load(1, largeLoadMin + 1n), 'amount_too_large'],
    ['an adjustment up to half', filled, 0n, adjust(1, 1, largeLoadMin), 'approved'],
    ['an adjustment beyond half', filled, 0n, adjust(1, 1, largeLoadMin + 1n), 'amount_too_large'],
    ['a small adjustment up to the most', full, 0n, adjust(1, 1, 9n), 'approved'],
    ['a small adjustment beyond it', full, 0n, adjust(1, 1, 10n), 'amount_too_large'],
    ['an adjustment of what is beyond it', beyond, 0n, adjust(1, 1, -500n), 'approved'],
    ['an adjustment back to the organisation', full, accountMax - 9n, adjust(1, 1, -9n), 'approved'],
    ['one that is too much for it', full, accountMax - 9n, adjust(1, 1, -10n), 'amount_too_large'],
    ['a claw-back', full, accountMax - 9n, clawback(1, 9n), 'approved'],
    ['one that is too much for the organisation', full, accountMax - 9n, clawback(1, 10n), 'amount_too_large'],
    ['a small transfer', full, 0n, transfer([2, credit], [1, credit], 9n), 'approved'],
    ['one that is too much for the other', full, 0n, transfer([2, credit], [1, credit], 10n), 'amount_too_large'],
    ['a transfer up to half', filled, 0n, transfer([2, credit], [1, credit], largeLoadMin), 'approved'],
    ['a transfer beyond half', filled, 0n, transfer([2, credit], [1, credit], largeLoadMin + 1n), 'amount_too_large'],
  ] as const)('%s', (_name, there, paidIn, command, reason) => {
    const ledger = new MemoryLedger({
      cards: [card(1), card(2)],
      lots: [there, lot(2, 2, 2n * largeLoadMin)],
      balances: [[1, paidIn]],
      catalog: catalogWith({ funders: [{ id: 1 }] }),
    })
    expect(ledger.do(command).decision.reason).toBe(reason)
    expect(balanceOf(ledger)).toBeLessThanOrEqual(accountMax)
    if (reason !== 'approved') expect([ledger.movements, balanceOf(ledger)]).toEqual([[], paidIn])
  })

  test('by a large load and half a million of those that are not looked at with what is there', () => {
    const ledger = open()
    expect(ledger.do(load(1, accountMax)).decision.reason).toBe('amount_too_large')
    expect(ledger.do(load(1, filledMax)).decision.reason).toBe('approved')
    expect(ledger.do(load(1, 1_000n)).decision.reason).toBe('approved')
    expect(filledMax + 524_288n * (largeLoadMin - 1n)).toBeLessThanOrEqual(accountMax)
  })
})

test('what only a bug can ask for: a lot of an organisation that is not in the catalog', () => {
  const ledger = open({}, 0n, [lot(1, 1, 100n, { funder: 9 })])
  ledger.organisations.set(9, { id: 9, balance: 0n, usage: [] })
  expect(() => ledger.do(clawback(1, 1n))).toThrow('organisation 9 is not in the catalog')
})
