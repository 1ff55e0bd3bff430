import { describe, expect, test } from 'vitest'
import {
  authorize,
  card,
  cardToken,
  catalog,
  lot,
  payables,
  programIds,
  second,
  startOfTime,
} from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import type { Authorize } from './commands.ts'
import { dayOfMicros, shardOf, shardOfToken } from './ids.ts'
import type { Lot } from './ledger.ts'

const { credit, welfare, gift } = programIds
const expired = startOfTime - 1

/** Card 1 with 100 of credit; 2 blocked, 3 expired, 4 both, 5 without lots. */
const cards = [
  card(1),
  card(2, { status: 'blocked' }),
  card(3, { expiresAt: expired }),
  card(4, { status: 'blocked', expiresAt: expired }),
  card(5),
]
const open = (lots: readonly Lot[] = [lot(1, 1, 100n)]): MemoryLedger => new MemoryLedger({ cards, lots })

describe('refusals, the first fault in the fixed order', () => {
  const cases: [string, bigint, Partial<Authorize>, string][] = [
    // faults,                        amount, over,                                                 reason
    ['merchant', 10n, { merchant: 'M9' }, 'merchant_unknown'],
    ['merchant, terminal', 10n, { merchant: 'M9', terminal: 'T9' }, 'merchant_unknown'],
    ['terminal', 10n, { terminal: 'T9' }, 'terminal_unknown'],
    ['terminal, currency', 10n, { terminal: 'T9', currency: 'EUR' }, 'terminal_unknown'],
    ['terminal of another', 10n, { terminal: 'T3' }, 'terminal_not_of_merchant'],
    ['terminal of another, currency', 10n, { terminal: 'T3', currency: 'EUR' }, 'terminal_not_of_merchant'],
    ['currency', 10n, { currency: 'EUR' }, 'currency_unsupported'],
    ['an asset that is no currency', 10n, { currency: 'PTS' }, 'currency_unsupported'],
    ['currency, amount', 0n, { currency: 'EUR' }, 'currency_unsupported'],
    ['amount zero', 0n, {}, 'amount_invalid'],
    ['amount negative', -1n, {}, 'amount_invalid'],
    ['amount, card', 0n, { card: cardToken(9) }, 'amount_invalid'],
    ['card unknown', 10n, { card: cardToken(9) }, 'card_unknown'],
    ['card blocked', 10n, { card: cardToken(2) }, 'card_blocked'],
    ['card expired', 10n, { card: cardToken(3) }, 'card_expired'],
    ['card blocked and expired', 10n, { card: cardToken(4) }, 'card_blocked'],
    ['no lots', 10n, { card: cardToken(5) }, 'program_not_allowed'],
    ['funds', 101n, {}, 'insufficient_funds'],
  ]
  test.each(cases)('%s', (_faults, amount, over, reason) => {
    const ledger = open()
    const { decision, transaction } = ledger.do(authorize(amount, over))
    expect(decision).toMatchObject({ reason, phase: 'refused', postings: [], amounts: { requested: amount } })
    expect(transaction).toMatchObject({ phase: 'refused', legs: [], expiresAt: null, confirmedIn: null })
    expect(transaction?.amounts).toEqual({
      requested: amount,
      authorized: 0n,
      confirmed: 0n,
      reversed: 0n,
      refunded: 0n,
    })
    expect(ledger.lots.get(1)).toEqual(lot(1, 1, 100n))
  })

  test('a card may pay until the microsecond before it expires', () => {
    const at = open().do(authorize(1n)).decision.at
    const reasons = [at, at + 1].map(expiresAt => {
      const ledger = new MemoryLedger({ cards: [card(1, { expiresAt })], lots: [lot(1, 1, 100n)] })
      return ledger.do(authorize(1n)).decision.reason
    })
    expect(reasons).toEqual(['card_expired', 'approved'])
  })

  test('a refusal keeps what is known of the parties', () => {
    const { transaction } = open().do(authorize(10n, { terminal: 'T9', card: cardToken(9) }))
    expect(transaction).toMatchObject({ merchant: 1, terminal: null, holder: null, card: cardToken(9) })
  })
})

describe('enough or not', () => {
  test.each([
    // name,                            loaded, spent, held, limit, amount, reason
    ['exactly enough', 100n, 0n, 0n, 0n, 100n, 'approved'],
    ['one minor unit short', 100n, 0n, 0n, 0n, 101n, 'insufficient_funds'],
    ['spent counts', 100n, 60n, 0n, 0n, 41n, 'insufficient_funds'],
    ['what is left of the spent', 100n, 60n, 0n, 0n, 40n, 'approved'],
    ['holds count', 100n, 0n, 60n, 0n, 41n, 'insufficient_funds_held'],
    ['just what the holds leave', 100n, 0n, 60n, 0n, 40n, 'approved'],
    ['more than the holds explain', 100n, 0n, 60n, 0n, 101n, 'insufficient_funds'],
    ['a credit line', 0n, 0n, 0n, 50n, 50n, 'approved'],
    ['beyond the credit line', 0n, 0n, 0n, 50n, 51n, 'insufficient_funds'],
    ['a credit line that is used', 0n, 30n, 0n, 50n, 21n, 'insufficient_funds'],
    ['a credit line that is held', 0n, 0n, 30n, 50n, 21n, 'insufficient_funds_held'],
    ['beyond 2^53', 2n ** 60n, 0n, 0n, 0n, 2n ** 60n, 'approved'],
    ['beyond 2^53, one short', 2n ** 60n, 0n, 0n, 0n, 2n ** 60n + 1n, 'insufficient_funds'],
  ] as const)('%s', (_name, creditsPosted, debitsPosted, debitsPending, limit, amount, reason) => {
    const before = lot(1, 1, creditsPosted, { debitsPosted, debitsPending, limit })
    const ledger = open([before])
    expect(ledger.do(authorize(amount)).decision.reason).toBe(reason)
    const held = reason === 'approved' ? amount : 0n
    expect(ledger.lots.get(1)).toEqual({ ...before, debitsPending: debitsPending + held })
  })

  test('money that is only pending in cannot be spent', () => {
    const ledger = open([lot(1, 1, 0n, { creditsPending: 100n })])
    expect(ledger.do(authorize(1n)).decision.reason).toBe('insufficient_funds')
  })

  test.each([
    // name,                                               eligible, amount, reason
    ['a hold on welfare that could not pay anyway', 0n, 50n, 'insufficient_funds'],
    ['a hold on welfare that could pay a part', 9n, 50n, 'insufficient_funds'],
    ['a hold on welfare that could have paid', 10n, 50n, 'insufficient_funds_held'],
  ] as const)('%s', (_name, eligibleAmount, amount, reason) => {
    const ledger = open([lot(1, 1, 40n), lot(2, 1, 100n, { program: welfare, debitsPending: 100n })])
    expect(ledger.do(authorize(amount, { eligibleAmount })).decision.reason).toBe(reason)
  })
})

describe('the order of spending', () => {
  const soon = startOfTime + 60 * second
  const later = startOfTime + 90 * second
  test.each([
    // name,                                 lots,                                            the legs: lot and amount
    [
      'priority of the program',
      [lot(1, 1, 50n), lot(2, 1, 50n, { program: gift }), lot(3, 1, 50n, { program: welfare })],
      [
        [3, 50n],
        [2, 50n],
        [1, 20n],
      ],
    ],
    [
      'then the soonest expiry',
      [lot(1, 1, 50n, { expiresAt: later }), lot(2, 1, 50n, { expiresAt: soon }), lot(3, 1, 50n)],
      [
        [2, 50n],
        [1, 50n],
        [3, 20n],
      ],
    ],
    [
      'no expiry is last',
      [lot(1, 1, 100n), lot(2, 1, 100n, { expiresAt: later })],
      [
        [2, 100n],
        [1, 20n],
      ],
    ],
    [
      'then the oldest load',
      [lot(3, 1, 50n), lot(1, 1, 50n), lot(2, 1, 50n)],
      [
        [1, 50n],
        [2, 50n],
        [3, 20n],
      ],
    ],
    [
      'priority before expiry',
      [lot(1, 1, 100n, { expiresAt: soon }), lot(2, 1, 100n, { program: welfare })],
      [
        [2, 100n],
        [1, 20n],
      ],
    ],
    ['an empty lot has no leg', [lot(1, 1, 0n, { program: welfare }), lot(2, 1, 200n)], [[2, 120n]]],
    ['an expired lot has none', [lot(1, 1, 200n, { expiresAt: startOfTime }), lot(2, 1, 200n)], [[2, 120n]]],
    ['another asset has none', [lot(1, 1, 200n, { asset: 2 }), lot(2, 1, 200n)], [[2, 120n]]],
    ['another holder has none', [lot(1, 5, 200n), lot(2, 1, 200n)], [[2, 120n]]],
  ] as const)('%s', (_name, lots, legs) => {
    const { decision, transaction } = open(lots).do(authorize(120n))
    expect(decision.postings).toEqual(
      legs.map(([debit, amount]) => ({ debit, credit: payables.M1, pending: amount, posted: 0n, remaining: amount })),
    )
    expect(transaction?.legs.map(leg => [leg.lot, leg.held, leg.posted])).toEqual(legs.map(leg => [...leg, 0n]))
  })

  test('a lot may pay until the microsecond before it expires', () => {
    const reasonAt = (expiresAt: number): string =>
      open([lot(1, 1, 100n, { expiresAt })]).do(authorize(1n)).decision.reason
    const at = open().do(authorize(1n)).decision.at
    expect([reasonAt(at), reasonAt(at + 1)]).toEqual(['credit_expired', 'approved'])
  })
})

describe('what welfare may pay for', () => {
  test.each([
    // eligible, legs of a purchase of 100 on welfare 60 + 30 and credit 80
    [
      null,
      [
        [1, 60n],
        [2, 30n],
        [3, 10n],
      ],
    ],
    [
      100n,
      [
        [1, 60n],
        [2, 30n],
        [3, 10n],
      ],
    ],
    [
      500n,
      [
        [1, 60n],
        [2, 30n],
        [3, 10n],
      ],
    ],
    [
      70n,
      [
        [1, 60n],
        [2, 10n],
        [3, 30n],
      ],
    ],
    [
      40n,
      [
        [1, 40n],
        [3, 60n],
      ],
    ],
    [
      20n,
      [
        [1, 20n],
        [3, 80n],
      ],
    ],
    [19n, null],
    [0n, null],
  ] as const)('eligible %s', (eligibleAmount, legs) => {
    const lots = [lot(1, 1, 60n, { program: welfare }), lot(2, 1, 30n, { program: welfare }), lot(3, 1, 80n)]
    const { decision } = open(lots).do(authorize(100n, { eligibleAmount }))
    expect(decision.reason).toBe(legs === null ? 'goods_not_eligible' : 'approved')
    expect(decision.postings.map(({ debit, pending }) => [debit, pending])).toEqual(legs ?? [])
  })
})

describe('partial approval, only where it was asked for', () => {
  test.each([
    // partial,   terminal, amount, reason,               authorized
    [true, 'T1', 150n, 'approved_partially', 100n],
    [true, 'T1', 100n, 'approved', 100n],
    [true, 'T1', 99n, 'approved', 99n],
    [false, 'T1', 150n, 'insufficient_funds', 0n],
    [false, 'T2', 150n, 'insufficient_funds', 0n],
    ['terminal', 'T1', 150n, 'insufficient_funds', 0n],
    ['terminal', 'T2', 150n, 'approved_partially', 100n],
  ] as const)('%s at %s, %s', (partial, terminal, amount, reason, authorized) => {
    const { decision } = open().do(authorize(amount, { partial, terminal }))
    expect(decision).toMatchObject({ reason, amounts: { requested: amount, authorized } })
  })

  test('nothing is no part', () => {
    expect(open([lot(1, 1, 0n)]).do(authorize(1n, { partial: true })).decision.reason).toBe('insufficient_funds')
  })
})

describe('authorize and confirm in one decision', () => {
  test.each([
    // capture,    terminal, purpose,          phase
    [true, 'T1', 'purchase', 'confirmed'],
    [true, 'T1', 'preauthorization', 'confirmed'],
    [false, 'T2', 'purchase', 'authorized'],
    ['terminal', 'T1', 'purchase', 'authorized'],
    ['terminal', 'T2', 'purchase', 'confirmed'],
    ['terminal', 'T2', 'preauthorization', 'authorized'],
  ] as const)('capture %s at %s, %s: %s', (capture, terminal, purpose, phase) => {
    const ledger = open()
    const { decision, transaction } = ledger.do(authorize(70n, { capture, terminal, purpose }))
    const isDone = phase === 'confirmed'
    expect(decision).toMatchObject({
      reason: 'approved',
      phase,
      amounts: { authorized: 70n, confirmed: isDone ? 70n : 0n },
    })
    expect(transaction).toMatchObject({ kind: purpose, confirmedIn: isDone ? decision.batch : null })
    expect(transaction?.expiresAt === null).toBe(isDone)
    const used = isDone ? { debitsPosted: 70n, debitsPending: 0n } : { debitsPosted: 0n, debitsPending: 70n }
    expect(ledger.lots.get(1)).toMatchObject(used)
  })
})

describe('how long a hold stays open, in seconds', () => {
  test.each([
    // within, channel,    purpose,            terminal, program, seconds
    [null, 'api', 'purchase', 'T1', credit, 900],
    [null, 'terminal', 'purchase', 'T1', credit, 86_400],
    [null, 'api', 'preauthorization', 'T1', credit, 604_800],
    [null, 'terminal', 'preauthorization', 'T4', gift, 604_800],
    [null, 'terminal', 'purchase', 'T4', credit, 60],
    [null, 'api', 'purchase', 'T4', gift, 60],
    [null, 'api', 'purchase', 'T1', gift, 120],
    [5, 'terminal', 'preauthorization', 'T4', gift, 5],
  ] as const)(
    '%s, %s %s at %s, program %i: %i',
    (confirmWithinSeconds, channel, purpose, terminal, program, seconds) => {
      const command = authorize(10n, { confirmWithinSeconds, channel, purpose, terminal })
      const { decision, transaction } = open([lot(1, 1, 100n, { program })]).do(command)
      expect(transaction?.expiresAt).toBe(decision.at + seconds * second)
    },
  )

  test('the shortest of the programs that pay', () => {
    const lots = [lot(1, 1, 10n), lot(2, 1, 10n, { program: gift })]
    const { decision, transaction } = open(lots).do(authorize(20n))
    expect(transaction?.expiresAt).toBe(decision.at + 120 * second)
  })
})

test('what a transaction remembers of its request', () => {
  const over = { reference: 'bill-1', rrn: 'R1', stan: 12, currency: '364', terminal: 'T2' } as const
  const { decision, transaction } = open().do(authorize(40n, over))
  expect(transaction).toMatchObject({
    kind: 'purchase',
    version: 0,
    holder: 1,
    card: cardToken(1),
    merchant: 1,
    terminal: 2,
    asset: catalog.tenant.currency.id,
    at: decision.at,
    businessDate: dayOfMicros(decision.at),
    original: null,
    reference: 'bill-1',
    rrn: 'R1',
    stan: 12,
  })
  expect(shardOf(transaction!.id)).toBe(shardOfToken(cardToken(1)))
  expect(decision).toMatchObject({ day: dayOfMicros(decision.at), index: 0, balances: null })
})

test('the key is stored under the day it was sent, where it tells that', () => {
  expect(open().do(authorize(40n, { day: 20_000 })).decision.day).toBe(20_000)
})
