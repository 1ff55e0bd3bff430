import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lot } from '../../test/support/core.ts'
import { afterPosting, availableOf, capture, hold, isLot, type Posting, release, transfer } from './ledger.ts'

const payable = -1

describe('what a posting does to its lot', () => {
  test.each([
    // name,                     posting,                        pending, debits, credits, available of 100 with 40 held
    ['a hold', hold(1, payable, 30n), 70n, 0n, 100n, 30n],
    ['a capture of all', capture(1, payable, 40n, 40n), 0n, 40n, 100n, 60n],
    ['a capture of a part', capture(1, payable, 40n, 10n), 0n, 10n, 100n, 90n],
    ['a release', release(1, payable, 15n, 25n), 25n, 0n, 100n, 75n],
    ['a transfer away', transfer(1, payable, 60n, 60n), 40n, 60n, 100n, 0n],
    ['a transfer back', transfer(payable, 1, 60n, 0n), 40n, 0n, 160n, 120n],
    ['of another lot', hold(2, payable, 30n), 40n, 0n, 100n, 60n],
  ] as const)('%s', (_name, posting, debitsPending, debitsPosted, creditsPosted, available) => {
    const after = afterPosting(lot(1, 1, 100n, { debitsPending: 40n }), posting)
    expect(after).toMatchObject({ debitsPending, debitsPosted, creditsPosted, creditsPending: 0n })
    expect(availableOf(after)).toBe(available)
  })
})

test('both sides move alike: two lots together keep what they have', () => {
  const amount = fc.bigInt(0n, 1000n)
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), amount)), moves => {
      let [one, other] = [lot(1, 1, 5000n), lot(2, 2, 5000n)]
      for (const [there, some] of moves) {
        const posting: Posting = there ? transfer(1, 2, some, 0n) : transfer(2, 1, some, 0n)
        one = afterPosting(one, posting)
        other = afterPosting(other, posting)
      }
      expect(one.debitsPosted + other.debitsPosted + 10_000n).toBe(one.creditsPosted + other.creditsPosted)
      expect(availableOf(one) + availableOf(other)).toBe(10_000n)
    }),
  )
})

test('lots are the accounts with positive ids', () => {
  expect([1, 5_000, -1, -5_000].map(isLot)).toEqual([true, true, false, false])
})
