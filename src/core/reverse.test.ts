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
  second,
} from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import type { Reverse } from './commands.ts'

const { welfare } = programIds
/** Card 1 with welfare 60 and credit 500. */
const open = (): MemoryLedger =>
  new MemoryLedger({ cards: [card(1)], lots: [lot(1, 1, 60n, { program: welfare }), lot(2, 1, 500n)] })
const to = (amount: bigint, over: Partial<Reverse> = {}): Partial<Reverse> => ({
  channel: 'terminal',
  extent: { by: 'to', amount },
  ...over,
})
const inForce = (ledger: MemoryLedger): (bigint | undefined)[] =>
  [ledger.lots.get(1), ledger.lots.get(2)].map(
    one => one && one.debitsPending + one.debitsPosted - one.creditsPosted + (one.id === 1 ? 60n : 500n),
  )

describe.each(['authorized', 'confirmed'] as const)('of %s 60 + 40', phase => {
  test.each([
    // extent,                reason,           in force after
    [{}, 'approved', [0n, 0n]],
    [{ extent: { by: 'off', amount: 1n } }, 'approved', [60n, 39n]],
    [{ extent: { by: 'off', amount: 40n } }, 'approved', [60n, 0n]],
    [{ extent: { by: 'off', amount: 55n } }, 'approved', [45n, 0n]],
    [{ extent: { by: 'off', amount: 100n } }, 'approved', [0n, 0n]],
    [{ extent: { by: 'off', amount: 101n } }, 'amount_beyond', [60n, 40n]],
    [{ extent: { by: 'off', amount: 0n } }, 'amount_invalid', [60n, 40n]],
    [{ extent: { by: 'off', amount: -1n } }, 'amount_invalid', [60n, 40n]],
    [to(99n), 'approved', [60n, 39n]],
    [to(45n), 'approved', [45n, 0n]],
    [to(0n), 'approved', [0n, 0n]],
    [to(100n), 'approved', [60n, 40n]],
    [to(101n), 'amount_invalid', [60n, 40n]],
    [{ originalAmount: 100n }, 'approved', [0n, 0n]],
    [{ originalAmount: 99n }, 'amount_mismatch', [60n, 40n]],
    [to(101n, { originalAmount: 99n }), 'amount_mismatch', [60n, 40n]],
  ] as [Partial<Reverse>, string, bigint[]][])('%o: %s', (over, reason, after) => {
    const ledger = open()
    const id = ledger.open(phase)
    const { decision, transaction } = ledger.do(reverse(id, null, over))
    const left = (after[0] ?? 0n) + (after[1] ?? 0n)
    expect(decision).toMatchObject({ reason, phase: left === 0n ? 'reversed' : phase, transaction: id })
    expect(decision.amounts?.reversed).toBe(100n - left)
    expect(decision.postings.map(({ remaining }) => remaining)).toEqual(after)
    expect(transaction?.legs.map(({ held, posted }) => held + posted)).toEqual(after)
    expect(inForce(ledger)).toEqual(after)
  })
})

describe('postings', () => {
  test('a hold is released, lot by lot', () => {
    const ledger = open()
    const { decision } = ledger.do(reverse(ledger.open('authorized'), 50n))
    expect(decision.postings).toEqual([
      { debit: 1, credit: payables.M1, pending: -10n, posted: 0n, remaining: 50n },
      { debit: 2, credit: payables.M1, pending: -40n, posted: 0n, remaining: 0n },
    ])
  })

  test('what was confirmed is posted back', () => {
    const ledger = open()
    const { decision } = ledger.do(reverse(ledger.open('confirmed'), 50n))
    expect(decision.postings).toEqual([
      { debit: payables.M1, credit: 1, pending: 0n, posted: 10n, remaining: 50n },
      { debit: payables.M1, credit: 2, pending: 0n, posted: 40n, remaining: 0n },
    ])
  })
})

describe('reached is reached', () => {
  const partly = (ledger: MemoryLedger): number => {
    const id = ledger.open('confirmed')
    ledger.do(reverse(id, 30n))
    return id
  }
  test.each([
    // name,              channel,    state,                               over,   reason,          reversed after
    ['as much as is left', 'terminal', partly, to(70n), 'approved', 30n],
    ['more than is left', 'terminal', partly, to(80n), 'amount_invalid', 30n],
    ['less than is left', 'terminal', partly, to(60n), 'approved', 40n],
    ['all of the reversed', 'terminal', (ledger: MemoryLedger) => ledger.open('reversed'), {}, 'approved', 100n],
    [
      'a part of the reversed',
      'terminal',
      (ledger: MemoryLedger) => ledger.open('reversed'),
      to(1n),
      'not_reversible',
      100n,
    ],
    ['all of the reversed', 'api', (ledger: MemoryLedger) => ledger.open('reversed'), {}, 'not_reversible', 100n],
  ] as const)('%s, %s', (_name, channel, state, over, reason, reversed) => {
    const ledger = open()
    const id = state(ledger)
    const before = inForce(ledger)
    const { decision } = ledger.do(reverse(id, null, { ...over, channel }))
    expect(decision).toMatchObject({ reason, transaction: id, amounts: { reversed } })
    if (reversed !== 40n) expect(inForce(ledger)).toEqual(before)
  })

  test('a purchase that was wholly refunded has nothing to reverse', () => {
    const ledger = open()
    const id = ledger.open('confirmed')
    ledger.do(refund(id))
    expect(ledger.do(reverse(id)).decision).toMatchObject({ reason: 'not_reversible', phase: 'confirmed' })
    expect(ledger.do(reverse(id, null, { channel: 'terminal' })).decision.reason).toBe('approved')
    expect(inForce(ledger)).toEqual([0n, 0n])
  })
})

describe('before its authorize', () => {
  test.each(['api', 'terminal'] as const)('by key, %s: both are told, and the hold is never made', channel => {
    const ledger = open()
    const late = authorize(100n, { channel })
    const first = ledger.do(reverse(late.key, null, { channel }))
    expect(first.decision).toMatchObject({ reason: 'approved', phase: 'reversed', transaction: null, amounts: null })
    expect(ledger.do(reverse(late.key, null, { channel })).decision.reason).toBe('approved')
    const answer = ledger.do(late)
    expect(answer).toMatchObject({ replayed: false, transaction: null })
    expect(answer.decision).toMatchObject({ reason: 'reversed_before', key: late.key, content: '' })
    expect(ledger.do({ ...late, content: 'bb' }).decision).toEqual(answer.decision)
    expect(ledger.do(confirm(late.key)).decision.reason).toBe('original_unknown')
    expect(inForce(ledger)).toEqual([0n, 0n])
  })

  test('in one batch with it, whichever is first', () => {
    const ledger = open()
    const [one, other] = [authorize(10n), authorize(20n)]
    const outcomes = ledger.submit([reverse(one.key), one, other, reverse(other.key)])
    const reasons = outcomes.map(outcome => outcome.kind === 'decided' && outcome.decision.reason)
    expect(reasons).toEqual(['approved', 'reversed_before', 'approved', 'approved'])
    expect(inForce(ledger)).toEqual([0n, 0n])
  })

  test('by bill: the next request for it is refused, and only that one', () => {
    const ledger = open()
    const first = ledger.do(reverse('bill-1'))
    expect(first.decision).toMatchObject({ reason: 'approved', phase: 'reversed', transaction: null })
    expect(ledger.do(reverse('bill-1')).decision.reason).toBe('approved')
    const bill = { reference: 'bill-1' }
    expect(ledger.do(authorize(10n, { ...bill, merchant: 'M2', terminal: 'T3' })).decision.reason).toBe('approved')
    expect(ledger.do(authorize(10n, { reference: 'bill-2' })).decision.reason).toBe('approved')
    expect(ledger.do(authorize(10n, bill)).decision).toMatchObject({ reason: 'reversed_before', phase: 'refused' })
    expect(ledger.do(authorize(10n, bill)).decision.reason).toBe('approved')
  })

  test('by bill, in one batch: each meets the one that it follows', () => {
    const ledger = open()
    const bill = { reference: 'bill-1' }
    const outcomes = ledger.submit([reverse('bill-1'), authorize(10n, bill), authorize(20n, bill), reverse('bill-1')])
    const reasons = outcomes.map(outcome => outcome.kind === 'decided' && outcome.decision.reason)
    expect(reasons).toEqual(['approved', 'reversed_before', 'approved', 'approved'])
    expect(inForce(ledger)).toEqual([0n, 0n])
  })

  test('a request that is refused before its bill is looked at leaves the memory for the next', () => {
    const ledger = open()
    ledger.do(reverse('bill-1'))
    expect(ledger.do(authorize(10n, { reference: 'bill-1', terminal: 'T9' })).decision.reason).toBe('terminal_unknown')
    const next = ledger.do(authorize(10n, { reference: 'bill-1', currency: 'EUR', card: cardToken(9) }))
    expect(next.decision.reason).toBe('reversed_before')
  })

  test.each([
    // what cannot be remembered: its request could not be told when it comes
    [{ by: 'id', id: 5 }],
    [{ by: 'rrn', merchant: 'M1', rrn: '608012345678' }],
    [{ by: 'keyRange', from: newKey(), to: newKey() }],
    [{ by: 'reference', merchant: 'M9', reference: 'x' }],
  ] as const)('%o is not remembered', original => {
    const ledger = open()
    expect(ledger.do(reverse(original)).decision).toMatchObject({ reason: 'original_unknown', phase: null })
    expect([ledger.decisions.size, ledger.bills.size]).toEqual([1, 0])
  })
})

describe('by bill, where there are several requests for it', () => {
  const bill = { reference: 'bill-1' }
  test.each([
    // phases of the requests,              what is reversed, reason
    [['refused', 'authorized'], 1, 'approved'],
    [['authorized', 'refused'], 0, 'approved'],
    [['reversed', 'authorized', 'refused'], 1, 'approved'],
    [['authorized', 'authorized'], null, 'original_ambiguous'],
    [['refused', 'refused'], null, 'approved'],
    [['reversed', 'refused'], 0, 'not_reversible'],
    [['reversed', 'reversed'], 1, 'not_reversible'],
  ] as const)('%o', (phases, reversed, reason) => {
    const ledger = open()
    const ids = phases.map(phase => {
      const command = authorize(10n, { ...bill, ...(phase === 'refused' ? { currency: 'EUR' } : {}) })
      const id = ledger.do(command).decision.transaction!
      if (phase === 'reversed') ledger.do(reverse(id))
      return id
    })
    const { decision } = ledger.do(reverse('bill-1'))
    expect(decision).toMatchObject({ reason, transaction: reversed === null ? null : ids[reversed] })
  })

  test('what another command of the batch has undone is not in force', () => {
    const ledger = open()
    const ids = [10n, 20n].map(amount => ledger.do(authorize(amount, bill)).decision.transaction!)
    const [, outcome] = ledger.submit([reverse(ids[1]!), reverse('bill-1')])
    expect(outcome).toMatchObject({ decision: { reason: 'approved', transaction: ids[0] } })
  })
})

describe('of a settled purchase, by a terminal: a linked refund', () => {
  test.each([
    // extent,   reason,            given back, original amount said
    [to(0n), 'approved', 100n],
    [to(30n), 'approved', 70n],
    [to(100n), 'approved', 0n],
    [to(101n), 'amount_invalid', 0n],
    [to(0n, { originalAmount: 1n }), 'amount_mismatch', 0n],
  ] as const)('%o: %s', (over, reason, back) => {
    const ledger = open()
    const id = ledger.open('settled')
    const { decision } = ledger.do(reverse(id, null, over))
    expect(decision.reason).toBe(reason)
    expect(ledger.transactions.get(id)?.amounts).toMatchObject({ refunded: back, reversed: 0n })
    expect(inForce(ledger).reduce((sum = 0n, one = 0n) => sum + one, 0n)).toBe(100n - back)
    expect(decision.transaction === id).toBe(back === 0n)
    const again = ledger.do(reverse(id, null, { ...over, key: newKey() }))
    if (reason === 'approved') expect(again.decision).toMatchObject({ reason: 'approved', transaction: id })
  })

  test('only what was in the settlement is late', () => {
    const ledger = open()
    const early = ledger.open('settled')
    const id = ledger.open('confirmed')
    expect(ledger.do(reverse(id)).decision).toMatchObject({ reason: 'approved', transaction: id, phase: 'reversed' })
    expect(ledger.do(reverse(early)).decision).toMatchObject({ reason: 'not_reversible', phase: 'settled' })
  })
})

describe('of a refund: what it gave back is taken again', () => {
  test.each([
    // off,  reason,          refund phase, refunded of the purchase, in force after
    [null, 'approved', 'reversed', 0n, [60n, 40n]],
    [30n, 'approved', 'confirmed', 40n, [30n, 30n]],
    [70n, 'approved', 'reversed', 0n, [60n, 40n]],
    [71n, 'amount_beyond', 'confirmed', 70n, [30n, 0n]],
    [0n, 'amount_invalid', 'confirmed', 70n, [30n, 0n]],
  ] as const)('%s off a refund of 70: %s', (off, reason, phase, refunded, after) => {
    const ledger = open()
    const id = ledger.open('confirmed')
    const back = ledger.do(refund(id, 70n)).decision.transaction!
    expect(inForce(ledger)).toEqual([30n, 0n])
    const { decision } = ledger.do(reverse(back, off))
    expect(decision).toMatchObject({ reason, phase, transaction: back })
    expect(ledger.transactions.get(id)?.amounts).toMatchObject({ confirmed: 100n, refunded })
    expect(inForce(ledger)).toEqual(after)
    expect(ledger.do(refund(id, 100n - refunded)).decision.reason).toBe('approved')
  })

  test('not if it has been spent since', () => {
    const ledger = open()
    const id = ledger.open('confirmed')
    const back = ledger.do(refund(id, 70n)).decision.transaction!
    ledger.do(authorize(530n))
    expect(ledger.do(reverse(back)).decision).toMatchObject({ reason: 'insufficient_funds', phase: 'confirmed' })
    expect(ledger.transactions.get(id)?.amounts.refunded).toBe(70n)
  })

  test('not if it is settled', () => {
    const ledger = open()
    const back = ledger.do(refund(ledger.open('confirmed'))).decision.transaction!
    ledger.settle('M1')
    const { decision } = ledger.do(reverse(back, null, { channel: 'terminal' }))
    expect(decision).toMatchObject({ reason: 'not_reversible', phase: 'settled' })
  })

  test('puts a purchase in force again of which the rest was reversed', () => {
    const ledger = open()
    const id = ledger.open('confirmed')
    const back = ledger.do(refund(id, 70n)).decision.transaction!
    expect(ledger.do(reverse(id)).decision).toMatchObject({ phase: 'reversed', amounts: { reversed: 30n } })
    expect(ledger.do(reverse(back)).decision.reason).toBe('approved')
    expect(ledger.transactions.get(id)).toMatchObject({ phase: 'confirmed', amounts: { reversed: 30n, refunded: 0n } })
    expect(ledger.do(reverse(id)).decision).toMatchObject({ reason: 'approved', amounts: { reversed: 100n } })
    expect(inForce(ledger)).toEqual([0n, 0n])
  })
})

test('a hold that has run out may still be reversed, and then does not expire', () => {
  const ledger = open()
  const id = ledger.open('authorized')
  ledger.at += 1_000 * second
  expect(ledger.do(reverse(id)).decision).toMatchObject({ reason: 'approved', phase: 'reversed' })
})
