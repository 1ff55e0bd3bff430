import { describe, expect, test } from 'vitest'
import { authorize, card, cardToken, inquire, lot, programIds, startOfTime } from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import type { Inquire } from './commands.ts'

const { welfare } = programIds
const cards = [card(1), card(2, { status: 'blocked' }), card(3, { expiresAt: startOfTime }), card(4)]

test('one line a program: what is there, what is held, what could be spent now', () => {
  const lots = [
    lot(1, 1, 100n, { debitsPosted: 10n, debitsPending: 20n }),
    lot(2, 1, 50n, { expiresAt: startOfTime, debitsPending: 5n }),
    lot(3, 1, 0n, { program: welfare, limit: 30n }),
    lot(4, 1, 500n, { asset: 2 }),
    lot(5, 4, 500n),
  ]
  const ledger = new MemoryLedger({ cards, lots })
  const { decision, transaction } = ledger.do(inquire())
  expect(decision).toMatchObject({ reason: 'approved', transaction: null, phase: null, postings: [], amounts: null })
  expect(decision.balances).toEqual([
    { program: 'credit', balance: 140n, held: 25n, spendable: 70n },
    { program: 'welfare', balance: 0n, held: 0n, spendable: 30n },
  ])
  expect([transaction, ledger.transactions.size]).toEqual([null, 0])
})

test('it sees what the commands before it in the batch have done', () => {
  const ledger = new MemoryLedger({ cards, lots: [lot(1, 1, 100n)] })
  const [before, , after] = ledger.submit([inquire(), authorize(30n), inquire()])
  expect(before).toMatchObject({ decision: { balances: [{ balance: 100n, held: 0n, spendable: 100n }] } })
  expect(after).toMatchObject({ decision: { balances: [{ balance: 100n, held: 30n, spendable: 70n }] } })
})

describe('refusals, the first fault in the fixed order', () => {
  const cases: [string, Partial<Inquire>, string][] = [
    // faults,                over,                                              reason
    ['merchant, terminal', { merchant: 'M9', terminal: 'T9' }, 'merchant_unknown'],
    ['terminal, currency', { terminal: 'T9', currency: 'EUR' }, 'terminal_unknown'],
    ['terminal of another, currency', { terminal: 'T3', currency: 'EUR' }, 'terminal_not_of_merchant'],
    ['currency, card', { currency: 'EUR', card: cardToken(9) }, 'currency_unsupported'],
    ['card unknown', { card: cardToken(9) }, 'card_unknown'],
    ['card blocked', { card: cardToken(2) }, 'card_blocked'],
    ['card expired', { card: cardToken(3) }, 'card_expired'],
  ]
  test.each(cases)('%s', (_faults, over, reason) => {
    const { decision } = new MemoryLedger({ cards }).do(inquire(over))
    expect(decision).toMatchObject({ reason, balances: null, transaction: null })
  })

  test('a card without lots has no lines', () => {
    expect(new MemoryLedger({ cards }).do(inquire({ card: cardToken(4) })).decision.balances).toEqual([])
  })
})
