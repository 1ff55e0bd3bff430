import { describe, expect, test } from 'vitest'
import {
  authorize,
  card,
  cardToken,
  catalogWith,
  confirm,
  inquire,
  lot,
  refund,
  reverse,
  startOfTime,
} from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import type { Lot } from './ledger.ts'
import type { Card } from './transactions.ts'

const expired = startOfTime - 1
const open = (): MemoryLedger => new MemoryLedger({ cards: [card(1)], lots: [lot(1, 1, 100n)] })

test('credit of a program that this switch has not read yet is waited for, not refused for good', () => {
  const ledger = new MemoryLedger({ cards: [card(1)], lots: [lot(1, 1, 100n), lot(2, 1, 100n, { program: 99 })] })
  for (const command of [authorize(150n), inquire()]) {
    expect(ledger.do(command).decision).toMatchObject({ reason: 'switch_unavailable', transaction: null })
    expect(ledger.decisions.has(command.key)).toBe(false)
  }
})

describe('what is set up may refuse', () => {
  const status = (over: Partial<Card>): Card => card(1, over)
  test.each([
    // card,                                          reason
    [status({ status: 'inactive' }), 'card_inactive'],
    [status({ status: 'blocked' }), 'card_blocked'],
    [status({ status: 'replaced' }), 'card_replaced'],
    [status({ status: 'closed' }), 'card_closed'],
    [status({ pinTries: 3 }), 'pin_tries_exceeded'],
    [status({ status: 'replaced', expiresAt: expired, pinTries: 3 }), 'card_replaced'],
    [status({ pinTries: 2 }), 'approved'],
  ] as const)('a card: %o', (one, reason) => {
    const ledger = new MemoryLedger({ cards: [one], lots: [lot(1, 1, 100n)] })
    expect(ledger.do(authorize(1n)).decision.reason).toBe(reason)
    expect(ledger.do(inquire()).decision.reason).toBe(reason)
  })

  test.each([
    // what is set up,                                         purchase,                preauthorization,        inquiry
    [{ merchants: [{ id: 1, isSuspended: true }] }, 'merchant_suspended', 'merchant_suspended', 'merchant_suspended'],
    [{ terminals: [{ id: 1, isSuspended: true }] }, 'terminal_suspended', 'terminal_suspended', 'terminal_suspended'],
    [
      { merchants: [{ id: 1, isSuspended: true }], terminals: [{ id: 1, isSuspended: true }] },
      'merchant_suspended',
      'merchant_suspended',
      'merchant_suspended',
    ],
    [
      { terminals: [{ id: 1, operations: ['purchase'] }] },
      'approved',
      'operation_not_allowed',
      'operation_not_allowed',
    ],
    [{ terminals: [{ id: 1, operations: ['inquiry'] }] }, 'operation_not_allowed', 'operation_not_allowed', 'approved'],
    [
      { terminals: [{ id: 1, operations: [] }] },
      'operation_not_allowed',
      'operation_not_allowed',
      'operation_not_allowed',
    ],
  ] as [Parameters<typeof catalogWith>[0], string, string, string][])(
    'a place: %o',
    (changes, purchase, hold, inquiry) => {
      const ledger = open()
      ledger.catalog = catalogWith(changes)
      const told = [authorize(1n), authorize(1n, { purpose: 'preauthorization' }), inquire()].map(
        command => ledger.do(command).decision.reason,
      )
      expect(told).toEqual([purchase, hold, inquiry])
    },
  )

  test('what was approved before is confirmed, reversed and refunded all the same', () => {
    const ledger = open()
    const [held, other, done] = [10n, 20n, 30n].map(
      amount => ledger.do(authorize(amount, { capture: amount === 30n })).decision.transaction as number,
    )
    ledger.catalog = catalogWith({
      merchants: [{ id: 1, isSuspended: true }],
      terminals: [{ id: 1, isSuspended: true }],
    })
    ledger.cards.set(cardToken(1), card(1, { status: 'closed' }))
    ledger.lots.set(1, { ...(ledger.lots.get(1) as Lot), isFrozen: true })
    const commands = [confirm(held as number), reverse(other as number), refund(done as number)]
    expect(commands.map(command => ledger.do(command).decision.reason)).toEqual(['approved', 'approved', 'approved'])
  })

  test.each([
    [{ terminals: [{ id: 2, isSuspended: true }] }, 'terminal_suspended'],
    [{ terminals: [{ id: 2, operations: ['purchase'] }] }, 'operation_not_allowed'],
    [{ terminals: [{ id: 2, operations: ['refund'] }] }, 'approved'],
  ] as [Parameters<typeof catalogWith>[0], string][])(
    'a terminal that is named for a refund: %o',
    (changes, reason) => {
      const ledger = open()
      const id = ledger.open('confirmed')
      ledger.catalog = catalogWith(changes)
      expect(ledger.do(refund(id, null, { terminal: 'T2' })).decision.reason).toBe(reason)
    },
  )
})
