import { describe, expect, test } from 'vitest'
import {
  authorize,
  card,
  catalogWith,
  lot,
  program,
  programIds,
  second,
  startOfTime,
  transfer,
} from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import type { Lot } from './ledger.ts'
import type { Terms } from './terms.ts'

const { credit, welfare, gift } = programIds
const soon = startOfTime + 60 * second
const later = startOfTime + 90 * second

const open = (lots: readonly Lot[], terms: Partial<Terms> = { transfersTo: ['credit'] }): MemoryLedger =>
  new MemoryLedger({
    cards: [card(1), card(2)],
    lots,
    catalog: catalogWith({
      programs: [
        program(gift, 'gift', terms),
        program(credit, 'credit', { expiry: { kind: 'end_of_period', per: 'day' } }),
      ],
    }),
  })
const opened = (ledger: MemoryLedger): Lot[] => [...ledger.lots.values()].filter(({ id }) => id > 10_000)
const giftLot = (id: number, balance: bigint, over: Partial<Lot> = {}): Lot =>
  lot(id, 1, balance, { program: gift, ...over })

describe('merging: value of a program moves to another holder, each part keeps its funder and its expiry', () => {
  test('all there is', () => {
    const ledger = open([giftLot(1, 100n, { expiresAt: soon, funder: 2 }), giftLot(2, 50n, { debitsPosted: 20n })])
    const { decision } = ledger.do(transfer([1, gift], [2, gift], null))
    expect(decision).toMatchObject({ reason: 'approved', transaction: null })
    expect(decision.postings).toMatchObject([
      { debit: 2, posted: 30n, pending: 0n },
      { debit: 1, posted: 100n, pending: 0n },
    ])
    expect(opened(ledger)).toMatchObject([
      { holder: 2, program: gift, funder: 1, creditsPosted: 30n, expiresAt: null, sweepDue: null },
      { holder: 2, program: gift, funder: 2, creditsPosted: 100n, expiresAt: soon, sweepDue: soon },
    ])
    expect(ledger.movements).toMatchObject([
      { lot: 2, holder: 1, amount: -30n, balance: 0n },
      { holder: 2, amount: 30n, balance: 30n },
      { lot: 1, holder: 1, amount: -100n, balance: 0n },
      { holder: 2, amount: 100n, balance: 100n },
    ])
    expect([...ledger.organisations.values()].map(({ balance }) => balance)).toEqual([0n, 0n])
    expect(ledger.do(authorize(130n, { card: card(2).token })).decision.reason).toBe('approved')
    expect(ledger.do(authorize(1n)).decision.reason).toBe('insufficient_funds')
  })

  test('never what is held, frozen, expired, or a credit line', () => {
    const ledger = open([
      giftLot(1, 100n, { debitsPending: 60n }),
      giftLot(2, 100n, { isFrozen: true }),
      giftLot(3, 100n, { expiresAt: startOfTime }),
      giftLot(4, 0n, { limit: 100n }),
    ])
    expect(ledger.do(transfer([1, gift], [2, gift], 41n)).decision.reason).toBe('insufficient_funds')
    expect(ledger.do(transfer([1, gift], [2, gift], null)).decision.postings.map(({ posted }) => posted)).toEqual([40n])
    expect(ledger.do(transfer([1, gift], [2, gift], null)).decision.reason).toBe('insufficient_funds')
  })

  test('two in one batch do not move the same value twice', () => {
    const ledger = open([giftLot(1, 100n)])
    const outcomes = ledger.submit([transfer([1, gift], [2, gift], 60n), transfer([1, gift], [2, gift], 60n)])
    const reasons = outcomes.map(outcome => outcome.kind === 'decided' && outcome.decision.reason)
    expect(reasons).toEqual(['approved', 'insufficient_funds'])
  })
})

describe('into another program, where the terms say so', () => {
  const endOfDay = startOfTime + 16 * 3_600 * second
  test.each([
    // expiry of the lot, of the new one
    [null, endOfDay],
    [soon, soon],
    [later, later],
    [endOfDay + 1, endOfDay],
  ])('the sooner expiry counts: %s', (expiresAt, expected) => {
    const ledger = open([giftLot(1, 100n, { expiresAt })])
    expect(ledger.do(transfer([1, gift], [1, credit], 40n)).decision.reason).toBe('approved')
    expect(opened(ledger)).toMatchObject([{ holder: 1, program: credit, creditsPosted: 40n, expiresAt: expected }])
    expect(opened(ledger)[0]?.sweepDue).toBe(expected)
  })

  test.each([
    // name, from, to, amount, reason
    ['an allowed one', [1, gift], [1, credit], 1n, 'approved'],
    ['an allowed one of another holder', [1, gift], [2, credit], 1n, 'approved'],
    ['one that is not named', [1, gift], [1, welfare], 1n, 'transfer_not_allowed'],
    ['the other way', [1, credit], [1, gift], 1n, 'transfer_not_allowed'],
    ['itself', [1, gift], [1, gift], 1n, 'transfer_not_allowed'],
    ['an unknown one', [1, gift], [1, 99], 1n, 'program_closed'],
    ['nothing', [1, gift], [1, credit], 0n, 'amount_invalid'],
    ['less than nothing', [1, gift], [1, credit], -5n, 'amount_invalid'],
  ] as const)('%s', (_name, from, to, amount, reason) => {
    const ledger = open([giftLot(1, 100n), lot(2, 1, 100n)])
    expect(ledger.do(transfer(from, to, amount)).decision.reason).toBe(reason)
    expect(opened(ledger).length).toBe(reason === 'approved' ? 1 : 0)
  })

  test('nothing moves to where it would have expired already', () => {
    const over = { expiry: { kind: 'date', day: Math.floor(startOfTime / (86_400 * second)) - 2 } } as const
    const programs = [program(gift, 'gift', { transfersTo: ['credit'] }), program(credit, 'credit', over)]
    const ledger = new MemoryLedger({ cards: [card(1)], lots: [giftLot(1, 9n)], catalog: catalogWith({ programs }) })
    expect(ledger.do(transfer([1, gift], [1, credit], 1n)).decision.reason).toBe('credit_expired')
    expect(opened(ledger)).toEqual([])
  })

  test('another asset is no place to move value to', () => {
    const points = { ...program(credit, 'credit', {}), asset: 2 }
    const programs = [program(gift, 'gift', { transfersTo: ['credit'] }), points]
    const ledger = new MemoryLedger({ cards: [card(1)], lots: [giftLot(1, 9n)], catalog: catalogWith({ programs }) })
    expect(ledger.do(transfer([1, gift], [1, credit], 1n)).decision.reason).toBe('transfer_not_allowed')
  })

  test('value leaves a closed program, and enters none', () => {
    const closed = { ...program(gift, 'gift', { transfersTo: ['credit'] }), isClosed: true }
    const programs = [closed, program(credit, 'credit', { transfersTo: ['gift'] })]
    const lots = [giftLot(1, 9n), lot(2, 1, 9n)]
    const ledger = new MemoryLedger({ cards: [card(1)], lots, catalog: catalogWith({ programs }) })
    expect(ledger.do(transfer([1, gift], [1, credit], 1n)).decision.reason).toBe('approved')
    expect(ledger.do(transfer([1, credit], [1, gift], 1n)).decision.reason).toBe('program_closed')
  })
})
