import { describe, expect, test } from 'vitest'
import {
  authorize,
  card,
  catalogWith,
  inquire,
  limitOf,
  lot,
  program,
  programIds,
  purchaseRule,
  startOfTime,
} from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import type { Lot } from './ledger.ts'
import type { Terms } from './terms.ts'

const { credit, welfare } = programIds
const nowhere = { merchants: [], groups: [], categories: [] }

/** What could be spent of credit at M1 with these terms, after a purchase of 10 there. */
const spendable = (terms: Partial<Terms>, lots: readonly Lot[] = [lot(1, 1, 110n)]): bigint | undefined => {
  const ledger = new MemoryLedger({
    cards: [card(1)],
    lots: [...lots, lot(9, 1, 50n, { program: welfare })],
    catalog: catalogWith({
      programs: [program(credit, 'credit', terms), program(welfare, 'welfare', { priority: 9 })],
    }),
  })
  ledger.do(authorize(10n))
  return ledger.do(inquire()).decision.balances?.find(one => one.program === 'credit')?.spendable
}

describe('what could be spent now, here', () => {
  test.each([
    // terms,                                                        spendable of the 100 that are left
    [{}, 100n],
    [{ limits: [limitOf('account', { amount: 30n })] }, 20n],
    [{ limits: [limitOf('account', { count: 1 })] }, 0n],
    [{ limits: [limitOf('organisation', { amount: 30n })] }, 20n],
    [{ limits: [limitOf('holder', { amount: 30n })] }, 20n],
    [{ limits: [limitOf('merchant', { amount: 30n })] }, 20n],
    [purchaseRule({ maximum: 40n }), 40n],
    [purchaseRule({ minimum: 10n }), 100n],
    // A large enough purchase, and one with enough eligible goods.
    [purchaseRule({ sharePercent: 50 }), 105n],
    // It pays alone only: there it is alone.
    [{ fallback: 'none' }, 100n],
  ] as [Partial<Terms>, bigint][])('%o: %s', (terms, amount) => {
    expect(spendable(terms)).toBe(amount)
  })

  test.each([
    ['not here', { where: { allow: nowhere, deny: { ...nowhere, merchants: ['M1'] } } }, [lot(1, 1, 100n)]],
    ['frozen', {}, [lot(1, 1, 100n, { isFrozen: true })]],
    ['expired', {}, [lot(1, 1, 100n, { expiresAt: startOfTime })]],
  ] as [string, Partial<Terms>, Lot[]][])('%s: nothing, though it is there', (_name, terms, lots) => {
    expect(spendable(terms, lots)).toBe(0n)
  })
})
