import { describe, expect, test } from 'vitest'
import {
  authorize,
  card,
  cardToken,
  confirm,
  lot,
  newKey,
  payables,
  programIds,
  refund,
  reverse,
} from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import type { Confirm } from './commands.ts'

const { welfare } = programIds
const open = (): MemoryLedger =>
  new MemoryLedger({ cards: [card(1), card(2)], lots: [lot(1, 1, 60n, { program: welfare }), lot(2, 1, 500n)] })

describe('a hold of 60 and 40 on two lots', () => {
  test.each([
    // amount, reason,          posted on each lot
    [null, 'approved', [60n, 40n]],
    [100n, 'approved', [60n, 40n]],
    [99n, 'approved', [60n, 39n]],
    [60n, 'approved', [60n, 0n]],
    [1n, 'approved', [1n, 0n]],
    [101n, 'amount_beyond', [60n, 40n]],
    [0n, 'amount_invalid', [60n, 40n]],
    [-1n, 'amount_invalid', [60n, 40n]],
  ] as const)('confirm of %s: %s', (amount, reason, legs) => {
    const ledger = open()
    const id = ledger.do(authorize(100n)).decision.transaction!
    const { decision } = ledger.do(confirm(id, amount))
    expect(decision.reason).toBe(reason)
    expect(decision.postings.map(({ remaining }) => remaining)).toEqual(legs)
    const isApproved = reason === 'approved'
    const lots = [ledger.lots.get(1), ledger.lots.get(2)]
    expect(lots.map(one => one?.debitsPosted)).toEqual(isApproved ? legs : [0n, 0n])
    expect(lots.map(one => one?.debitsPending)).toEqual(isApproved ? [0n, 0n] : legs)
  })

  test('what is confirmed is owed to the merchant, the rest is released', () => {
    const ledger = open()
    const id = ledger.do(authorize(100n)).decision.transaction!
    const { decision, transaction } = ledger.do(confirm(id, 70n))
    expect(decision.postings).toEqual([
      { debit: 1, credit: payables.M1, pending: -60n, posted: 60n, remaining: 60n },
      { debit: 2, credit: payables.M1, pending: -40n, posted: 10n, remaining: 10n },
    ])
    expect(transaction).toMatchObject({ confirmedIn: decision.batch, amounts: { authorized: 100n, confirmed: 70n } })
  })

  test('a hold that was shrunk is confirmed up to what is left of it', () => {
    const ledger = open()
    const id = ledger.do(authorize(100n)).decision.transaction!
    ledger.do(reverse(id, 30n))
    expect(ledger.do(confirm(id, 71n)).decision.reason).toBe('amount_beyond')
    expect(ledger.do(confirm(id)).decision.amounts).toMatchObject({ authorized: 100n, confirmed: 70n, reversed: 30n })
  })
})

describe('reached is reached', () => {
  test.each([
    // channel,   amount, reason
    ['terminal', 70n, 'approved'],
    ['terminal', null, 'approved'],
    ['terminal', 71n, 'not_confirmable'],
    ['terminal', 100n, 'not_confirmable'],
    ['api', 70n, 'not_confirmable'],
    ['api', null, 'not_confirmable'],
  ] as const)('%s, %s of a confirmed 70: %s', (channel, amount, reason) => {
    const ledger = open()
    const id = ledger.do(authorize(100n)).decision.transaction!
    ledger.do(confirm(id, 70n))
    const { decision } = ledger.do(confirm(id, amount, { channel }))
    expect(decision).toMatchObject({ reason, transaction: id, phase: 'confirmed' })
    expect(decision.postings).toEqual([
      { debit: 1, credit: payables.M1, pending: 0n, posted: 0n, remaining: 60n },
      { debit: 2, credit: payables.M1, pending: 0n, posted: 0n, remaining: 10n },
    ])
    expect(ledger.lots.get(2)?.debitsPosted).toBe(10n)
  })

  test('a refund is confirmed from the start, and never confirmed', () => {
    const ledger = open()
    const id = ledger.open('confirmed')
    const back = ledger.do(refund(id)).decision.transaction!
    expect(ledger.do(confirm(back, null, { channel: 'terminal' })).decision.reason).toBe('not_confirmable')
  })
})

describe('an approval is a guarantee', () => {
  test.each([
    // name,             what becomes of it meanwhile
    ['the card is blocked', (ledger: MemoryLedger) => ledger.cards.set(cardToken(1), card(1, { status: 'blocked' }))],
    [
      'the lots expire',
      (ledger: MemoryLedger) => {
        for (const one of ledger.lots.values()) ledger.lots.set(one.id, { ...one, expiresAt: ledger.at })
      },
    ],
    ['the rest is spent', (ledger: MemoryLedger) => ledger.do(authorize(460n, { capture: true }))],
  ] as const)('although %s', (_name, become) => {
    const ledger = open()
    const id = ledger.do(authorize(100n)).decision.transaction!
    become(ledger)
    expect(ledger.do(confirm(id)).decision.reason).toBe('approved')
  })
})

describe('it checks that the hold is open, to the microsecond', () => {
  test.each([
    // microseconds from the end of the hold, reason
    [-1, 'approved'],
    [0, 'approved'],
    [1, 'confirm_too_late'],
  ] as const)('%i: %s', (from, reason) => {
    const ledger = open()
    const { transaction } = ledger.do(authorize(100n, { confirmWithinSeconds: 5 }))
    ledger.at = transaction!.expiresAt! + from - 7
    const { decision } = ledger.do(confirm(transaction!.id))
    expect(decision.at).toBe(transaction!.expiresAt! + from)
    expect(decision).toMatchObject({ reason, phase: reason === 'approved' ? 'confirmed' : 'authorized' })
  })
})

describe('whose original it is', () => {
  const cases: [string, Partial<Confirm>, string, number | null][] = [
    // name,                         over,                                     reason, does it tell the transaction
    ['any merchant', { merchants: '*' }, 'approved', 1],
    ['its merchant', { merchants: ['M2', 'M1'] }, 'approved', 1],
    ['another, api', { merchants: ['M2'] }, 'original_unknown', null],
    ['another, terminal', { merchants: ['M2'], channel: 'terminal' }, 'original_mismatch', null],
    ['its card', { card: cardToken(1) }, 'approved', 1],
    ['another card', { card: cardToken(2) }, 'original_mismatch', null],
    ['its currency', { currency: '364' }, 'approved', 1],
    ['another currency', { currency: 'EUR' }, 'currency_unsupported', null],
    ['another merchant and card', { merchants: ['M2'], card: cardToken(2) }, 'original_unknown', null],
    ['another card and currency', { card: cardToken(2), currency: 'EUR' }, 'original_mismatch', null],
    ['no such id', { original: { by: 'id', id: 1 } }, 'original_unknown', null],
    ['no such key', { original: { by: 'key', key: newKey(), day: null } }, 'original_unknown', null],
    ['no such bill', { original: { by: 'reference', merchant: 'M1', reference: 'x' } }, 'original_unknown', null],
    ['an ambiguity', { original: { by: 'ambiguity' } }, 'original_ambiguous', null],
  ]
  test.each(cases)('%s', (_name, over, reason, told) => {
    const ledger = open()
    const id = ledger.do(authorize(100n)).decision.transaction!
    const { decision } = ledger.do(confirm(id, null, over))
    expect(decision).toMatchObject({ reason, transaction: told === null ? null : id })
    expect(ledger.lots.get(1)?.debitsPending).toBe(reason === 'approved' ? 0n : 60n)
  })
})
