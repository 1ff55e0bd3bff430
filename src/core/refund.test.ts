import { describe, expect, test } from 'vitest'
import {
  authorize,
  card,
  cardToken,
  lot,
  payables,
  programIds,
  refund,
  reverse,
  startOfTime,
} from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import type { Refund } from './commands.ts'
import { shardOf } from './ids.ts'

const { welfare } = programIds
/** Card 1 with welfare 60 and credit 500: a purchase of 100 takes 60 and 40. */
const open = (): MemoryLedger =>
  new MemoryLedger({ cards: [card(1), card(2)], lots: [lot(1, 1, 60n, { program: welfare }), lot(2, 1, 500n)] })
const givenBack = (ledger: MemoryLedger): (bigint | undefined)[] =>
  [ledger.lots.get(1), ledger.lots.get(2)].map(one => one && one.creditsPosted - (one.id === 1 ? 60n : 500n))

describe.each(['confirmed', 'settled'] as const)('of a %s purchase of 60 + 40', phase => {
  test.each([
    // amounts,          reasons,                                        given back on each lot
    [[null], ['approved'], [60n, 40n]],
    [[100n], ['approved'], [60n, 40n]],
    [[1n], ['approved'], [0n, 1n]],
    [[40n], ['approved'], [0n, 40n]],
    [[41n], ['approved'], [1n, 40n]],
    [[101n], ['amount_beyond'], [0n, 0n]],
    [[0n], ['amount_invalid'], [0n, 0n]],
    [[-1n], ['amount_invalid'], [0n, 0n]],
    [
      [30n, 30n, 40n],
      ['approved', 'approved', 'approved'],
      [60n, 40n],
    ],
    [
      [30n, 71n, 70n],
      ['approved', 'amount_beyond', 'approved'],
      [60n, 40n],
    ],
    [
      [30n, null],
      ['approved', 'approved'],
      [60n, 40n],
    ],
    [
      [100n, 1n],
      ['approved', 'not_refundable'],
      [60n, 40n],
    ],
    [
      [null, null],
      ['approved', 'not_refundable'],
      [60n, 40n],
    ],
  ] as const)('%o: %o', (amounts, reasons, back) => {
    const ledger = open()
    const id = ledger.open(phase)
    const decisions = amounts.map(amount => ledger.do(refund(id, amount)).decision)
    expect(decisions.map(({ reason }) => reason)).toEqual(reasons)
    expect(givenBack(ledger)).toEqual(back)
    const purchase = ledger.transactions.get(id)
    expect(purchase).toMatchObject({ phase: 'confirmed', amounts: { refunded: (back[0] ?? 0n) + (back[1] ?? 0n) } })
    expect(purchase?.legs.map(({ posted }) => posted)).toEqual([60n - (back[0] ?? 0n), 40n - (back[1] ?? 0n)])
  })
})

test('the refund is a transaction of its own, linked', () => {
  const ledger = open()
  const id = ledger.open('confirmed')
  const { decision, transaction } = ledger.do(refund(id, 70n, { terminal: 'T4', rrn: 'R9', stan: 4 }))
  expect(decision.postings).toEqual([
    { debit: payables.M1, credit: 1, pending: 0n, posted: 30n, remaining: 30n },
    { debit: payables.M1, credit: 2, pending: 0n, posted: 40n, remaining: 40n },
  ])
  expect(transaction).toMatchObject({
    kind: 'refund',
    phase: 'confirmed',
    original: id,
    holder: 1,
    card: cardToken(1),
    merchant: 1,
    terminal: 4,
    amounts: { requested: 70n, authorized: 70n, confirmed: 70n, reversed: 0n, refunded: 0n },
    confirmedIn: decision.batch,
    expiresAt: null,
    rrn: 'R9',
    stan: 4,
  })
  expect(transaction?.id).not.toBe(id)
  expect(shardOf(transaction!.id)).toBe(shardOf(id))
})

test('only what is left in force after a partial reverse', () => {
  const ledger = open()
  const id = ledger.open('confirmed')
  ledger.do(reverse(id, 30n))
  expect(ledger.do(refund(id, 71n)).decision.reason).toBe('amount_beyond')
  expect(ledger.do(refund(id)).decision).toMatchObject({ reason: 'approved', amounts: { confirmed: 70n } })
})

test('a refund of a refund is refused', () => {
  const ledger = open()
  const back = ledger.do(refund(ledger.open('confirmed'))).decision.transaction!
  expect(ledger.do(refund(back)).decision).toMatchObject({ reason: 'not_refundable', transaction: back })
})

test('back to the same lots, though they have expired since', () => {
  const ledger = open()
  const id = ledger.open('confirmed')
  for (const one of ledger.lots.values()) ledger.lots.set(one.id, { ...one, expiresAt: startOfTime })
  expect(ledger.do(refund(id)).decision.reason).toBe('approved')
  expect(givenBack(ledger)).toEqual([60n, 40n])
})

test('of a bill: its refund does not make the bill ambiguous', () => {
  const ledger = open()
  ledger.do(authorize(100n, { capture: true, reference: 'bill-1' }))
  expect(ledger.do(refund('bill-1', 10n)).decision.reason).toBe('approved')
  expect(ledger.do(refund('bill-1', 10n)).decision.reason).toBe('approved')
})

describe('refusals, the first fault in the fixed order', () => {
  const cases: [string, Partial<Refund>, string][] = [
    // faults,                          over,                                                     reason
    ['card', { card: cardToken(2) }, 'original_mismatch'],
    ['card, currency', { card: cardToken(2), currency: 'EUR' }, 'original_mismatch'],
    ['currency', { currency: 'EUR' }, 'currency_unsupported'],
    ['currency, terminal', { currency: 'EUR', terminal: 'T9' }, 'currency_unsupported'],
    ['terminal', { terminal: 'T9' }, 'terminal_unknown'],
    ['terminal, amount', { terminal: 'T9', amount: 0n }, 'terminal_unknown'],
    ['terminal of another', { terminal: 'T3' }, 'terminal_not_of_merchant'],
    ['terminal of another, amount', { terminal: 'T3', amount: 0n }, 'terminal_not_of_merchant'],
    ['amount', { amount: 0n }, 'amount_invalid'],
  ]
  test.each(cases)('%s', (_faults, over, reason) => {
    const ledger = open()
    const id = ledger.open('confirmed')
    expect(ledger.do(refund(id, null, over)).decision.reason).toBe(reason)
    expect(givenBack(ledger)).toEqual([0n, 0n])
  })

  test('the phase comes before the amount', () => {
    const ledger = open()
    expect(ledger.do(refund(ledger.open('authorized'), 0n)).decision.reason).toBe('not_refundable')
  })
})
