import { describe, expect, test } from 'vitest'
import { clearing, fees, payables, settle } from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'

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

describe('the fee is taken out of the net', () => {
  test.each([
    // net, fee, from,       to,       how much
    [70n, 5n, payables.M1, clearing, 65n],
    [5n, 5n, payables.M1, clearing, 0n],
    // Refunds outweigh: the merchant owes the fee too.
    [3n, 5n, clearing, payables.M1, 2n],
    [-70n, 5n, clearing, payables.M1, 75n],
  ] as const)('%s less %s', (net, fee, debit, credit, posted) => {
    const { decision } = new MemoryLedger().do(settle('M1', net, fee))
    expect(decision.postings).toEqual([
      { debit, credit, pending: 0n, posted, remaining: 0n },
      { debit: payables.M1, credit: fees, pending: 0n, posted: fee, remaining: 0n },
    ])
  })
})

test('an unknown merchant is what only a bug can ask for', () => {
  expect(() => new MemoryLedger().do(settle('M9', 1n))).toThrow('merchant M9')
})
