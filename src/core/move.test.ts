import { describe, expect, test } from 'vitest'
import { card, clearing, funding, load, lot, payables, settle } from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'

test('a load comes from the account of the funder of its lot', () => {
  const ledger = new MemoryLedger({ cards: [card(1)], lots: [lot(1, 1, 0n, { funder: 2 })] })
  const { decision } = ledger.do(load(1, 1, 100n))
  expect(decision).toMatchObject({ reason: 'approved', transaction: null, phase: null, amounts: null })
  const posting = { debit: funding.union, credit: 1, pending: 0n, posted: 100n, remaining: 0n }
  expect(decision.postings).toEqual([posting])
  expect(ledger.lots.get(1)?.creditsPosted).toBe(100n)
})

describe('a settlement moves its net', () => {
  test.each([
    // net, from,       to,       how much
    [70n, payables.M1, clearing, 70n],
    [-70n, clearing, payables.M1, 70n],
    [0n, payables.M1, clearing, 0n],
  ] as const)('%s', (net, debit, credit, posted) => {
    const { decision } = new MemoryLedger().do(settle('M1', net))
    expect(decision.postings).toEqual([{ debit, credit, pending: 0n, posted, remaining: 0n }])
  })
})

describe('what only a bug can ask for', () => {
  test.each([
    // name,               command,           message
    ['a lot of nobody', load(1, 9, 1n), 'lot 9 of holder 1'],
    ['an unknown merchant', settle('M9', 1n), 'merchant M9'],
  ] as const)('%s', (_name, command, message) => {
    expect(() => new MemoryLedger({ cards: [card(1)], lots: [lot(1, 1, 0n)] }).do(command)).toThrow(message)
  })
})
