import { describe, expect, test } from 'vitest'
import { authorize, card, confirm, expire, lot, newKey, payables, reverse, second } from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'

const open = (): MemoryLedger => new MemoryLedger({ cards: [card(1)], lots: [lot(1, 1, 60n), lot(2, 1, 500n)] })

describe('only after the last microsecond of the hold', () => {
  test.each([
    // microseconds from the end of the hold, reason
    [-1, 'not_expirable'],
    [0, 'not_expirable'],
    [1, 'approved'],
  ] as const)('%i: %s', (from, reason) => {
    const ledger = open()
    const { transaction } = ledger.do(authorize(100n, { confirmWithinSeconds: 5 }))
    ledger.at = transaction!.expiresAt! + from - 7
    const { decision } = ledger.do(expire(transaction!.id))
    expect(decision).toMatchObject({ reason, phase: reason === 'approved' ? 'expired' : 'authorized' })
    expect(ledger.lots.get(2)?.debitsPending).toBe(reason === 'approved' ? 0n : 40n)
  })
})

test('what is left of the hold is released, lot by lot', () => {
  const ledger = open()
  const id = ledger.open('authorized')
  ledger.do(reverse(id, 30n))
  ledger.at += 900 * second
  const { decision, transaction } = ledger.do(expire(id))
  expect(decision.postings).toEqual([
    { debit: 1, credit: payables.M1, pending: -60n, posted: 0n, remaining: 0n },
    { debit: 2, credit: payables.M1, pending: -10n, posted: 0n, remaining: 0n },
  ])
  expect(transaction?.legs.map(({ held }) => held)).toEqual([0n, 0n])
  expect(transaction?.amounts).toMatchObject({ authorized: 100n, confirmed: 0n, reversed: 30n })
})

test('confirm and expire of one hold in one batch: the first has it', () => {
  const ledger = open()
  const id = ledger.open('authorized')
  ledger.at += 900 * second
  const outcomes = ledger.submit([expire(id), confirm(id), expire(id, { key: newKey() })])
  const reasons = outcomes.map(outcome => outcome.kind === 'decided' && outcome.decision.reason)
  expect(reasons).toEqual(['approved', 'confirm_too_late', 'not_expirable'])
})

test('an id that nothing has', () => {
  expect(open().do(expire(1)).decision).toMatchObject({ reason: 'original_unknown', transaction: null })
})
