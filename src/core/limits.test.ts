import { describe, expect, test } from 'vitest'
import {
  authorize,
  card,
  catalogWith,
  confirm,
  day,
  expire,
  limitOf,
  lot,
  newKey,
  program,
  programIds,
  refund,
  reverse,
  second,
} from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import { openTerms } from './terms.ts'

const { credit, welfare } = programIds
const limits = (['account', 'holder', 'merchant', 'organisation'] as const).map(of => limitOf(of, { amount: 1_000n }))

/** Card 1 with 60 of welfare from organisation 2 and credit of organisation 1: a daily limit of each scope for both. */
const open = (): MemoryLedger =>
  new MemoryLedger({
    cards: [card(1)],
    lots: [lot(1, 1, 60n, { program: welfare, funder: 2 }), lot(2, 1, 5_000n)],
    catalog: catalogWith({
      programs: [program(welfare, 'welfare', { limits }), program(credit, 'credit', { limits, priority: 1 })],
    }),
  })

/** What all counters have: of the holder (welfare, credit, and both), and of the organisations. */
const counted = (ledger: MemoryLedger) => {
  const of = (entries: MemoryLedger['usage'] extends Map<number, infer Usage> ? Usage | undefined : never) =>
    (entries ?? []).map(({ amount, count }) => `${amount} in ${count}`)
  const [both = '', ...programs] = of(ledger.usage.get(1))
  return {
    both,
    programs,
    unions: of(ledger.organisations.get(2)?.usage),
    bazaars: of(ledger.organisations.get(1)?.usage),
  }
}
const all = (welfareCounts: string, creditCounts: string, both: string) => ({
  both,
  programs: [welfareCounts, welfareCounts, creditCounts, creditCounts],
  unions: [welfareCounts],
  bazaars: [creditCounts],
})

test('an approval is counted in every limit of the programs that pay', () => {
  const ledger = open()
  ledger.open('authorized')
  expect(counted(ledger)).toEqual(all('60 in 1', '40 in 1', '100 in 1'))
})

describe('what goes back to limits: not what was refunded', () => {
  type Steps = (ledger: MemoryLedger, id: number) => void
  const late = { channel: 'terminal', extent: { by: 'to', amount: 0n } } as const
  test.each([
    // name, phase, what is done to 60 + 40, counted
    ['a confirm of all', 'authorized', (l, id) => l.do(confirm(id)), all('60 in 1', '40 in 1', '100 in 1')],
    ['a partial confirm', 'authorized', (l, id) => l.do(confirm(id, 70n)), all('60 in 1', '10 in 1', '70 in 1')],
    ['a confirm of one program', 'authorized', (l, id) => l.do(confirm(id, 50n)), all('50 in 1', '0 in 1', '50 in 1')],
    ['a reverse of a hold', 'authorized', (l, id) => l.do(reverse(id)), all('0 in 0', '0 in 0', '0 in 0')],
    ['a reverse of what is confirmed', 'confirmed', (l, id) => l.do(reverse(id)), all('0 in 0', '0 in 0', '0 in 0')],
    ['a partial reverse', 'confirmed', (l, id) => l.do(reverse(id, 50n)), all('50 in 1', '0 in 1', '50 in 1')],
    [
      'two partial reverses',
      'confirmed',
      (l, id) => [60n, 40n].map(off => l.do(reverse(id, off))),
      all('0 in 0', '0 in 0', '0 in 0'),
    ],
    [
      'a hold that runs out',
      'authorized',
      (l, id) => {
        l.at += 901 * second
        l.do(expire(id, { key: newKey() }))
      },
      all('0 in 0', '0 in 0', '0 in 0'),
    ],
    ['a refund', 'confirmed', (l, id) => l.do(refund(id)), all('60 in 1', '40 in 1', '100 in 1')],
    [
      "a terminal's late reverse",
      'settled',
      (l, id) => l.do(reverse(id, null, late)),
      all('0 in 0', '0 in 0', '0 in 0'),
    ],
    [
      "a terminal's late reverse whose refund is reversed",
      'settled',
      (l, id) => {
        const back = l.do(reverse(id, null, late)).decision.transaction as number
        for (const off of [70n, 30n]) expect(l.do(reverse(back, off)).decision.reason).toBe('approved')
      },
      all('60 in 1', '40 in 1', '100 in 1'),
    ],
    [
      'a late reverse of a part whose refund is reversed in part',
      'settled',
      (l, id) => {
        const part = { ...late, extent: { by: 'to', amount: 30n } } as const
        const back = l.do(reverse(id, null, part)).decision.transaction as number
        expect(l.do(reverse(back, 20n)).decision.reason).toBe('approved')
      },
      all('30 in 1', '20 in 1', '50 in 1'),
    ],
    [
      'a refund of a settled purchase that is reversed',
      'settled',
      (l, id) => {
        const back = l.do(refund(id)).decision.transaction as number
        expect(l.do(reverse(back)).decision.reason).toBe('approved')
      },
      all('60 in 1', '40 in 1', '100 in 1'),
    ],
    [
      'a part refunded, the rest reversed: there was a purchase',
      'confirmed',
      (l, id) => [l.do(refund(id, 70n)), l.do(reverse(id))],
      all('30 in 1', '40 in 1', '70 in 1'),
    ],
    [
      'a refund that is reversed, then all of the purchase',
      'confirmed',
      (l, id) => {
        const back = l.do(refund(id, 70n)).decision.transaction as number
        for (const one of [id, back, id]) expect(l.do(reverse(one)).decision.reason).toBe('approved')
      },
      all('0 in 0', '0 in 0', '0 in 0'),
    ],
  ] as [string, 'authorized' | 'confirmed' | 'settled', Steps, ReturnType<typeof all>][])(
    '%s',
    (_name, phase, steps, expected) => {
      const ledger = open()
      const id = ledger.open(phase)
      steps(ledger, id)
      expect(counted(ledger)).toEqual(expected)
    },
  )
})

test('what goes back of yesterday does not free anything today', () => {
  const ledger = open()
  const id = ledger.do(authorize(500n, { confirmWithinSeconds: 200_000 })).decision.transaction as number
  ledger.at += day
  expect(ledger.do(authorize(300n)).decision.reason).toBe('approved')
  ledger.do(reverse(id))
  expect(ledger.do(authorize(701n)).decision.reason).toBe('amount_limit')
  expect(ledger.do(authorize(700n)).decision.reason).toBe('approved')
  // Reversed, it is in the counters of its own day.
  expect(ledger.usage.get(1)?.every(({ amount }) => amount === 1_000n || amount === 940n || amount === 60n)).toBe(true)
})

test('a purchase gives back to the limits of its time, whatever the terms say since', () => {
  const ledger = open()
  const id = ledger.open('confirmed')
  const before = ledger.catalog
  const versionsOf = (index: number) => [
    ...(before.programsById.get(index)?.versions ?? []),
    {
      version: 2,
      startsAt: ledger.at + 1,
      terms: { ...openTerms, limits: [limitOf('account', { per: 'week', amount: 500n })] },
    },
  ]
  ledger.catalog = catalogWith({
    programs: [
      { ...program(welfare, 'welfare', {}), versions: versionsOf(welfare) },
      { ...program(credit, 'credit', {}), versions: versionsOf(credit) },
    ],
  })
  const later = ledger.do(authorize(30n)).decision.transaction as number
  ledger.do(reverse(id))
  const amounts = ledger.usage.get(1)?.map(({ amount }) => amount)
  expect(amounts?.toSorted()).toEqual([0n, 0n, 0n, 0n, 0n, 30n])
  ledger.do(reverse(later))
  expect(ledger.usage.get(1)?.every(({ amount, count }) => amount === 0n && count === 0)).toBe(true)
})

test('a holder who has been everywhere keeps the counters of this window only', () => {
  const ledger = open()
  ledger.open('confirmed')
  ledger.do(authorize(1n, { merchant: 'M2', terminal: 'T3' }))
  expect(ledger.usage.get(1)?.length).toBe(6)
  ledger.at += day
  ledger.do(authorize(1n, { merchant: 'M2', terminal: 'T3' }))
  expect(ledger.usage.get(1)?.length).toBe(3)
})

describe('many spends against a limit admit exactly the limit', () => {
  test.each([
    // limit,                           how many of 1,000 spends of 7
    [limitOf('account', { count: 123 }), 123],
    [limitOf('account', { amount: 1_000n }), 142],
    [limitOf('holder', { amount: 1_000n }), 142],
    [limitOf('merchant', { per: 'hours', hours: 1, amount: 1_000n }), 142],
    [limitOf('organisation', { amount: 1_000n }), 142],
    [limitOf('organisation', { count: 5, per: 'lifetime' }), 5],
  ] as const)('%o', (limit, approved) => {
    const ledger = new MemoryLedger({
      cards: [card(1), card(2, { holder: 1 })],
      lots: [lot(1, 1, 4_000n), lot(2, 1, 10n ** 6n)],
      catalog: catalogWith({ programs: [program(credit, 'credit', { limits: [limit] })] }),
    })
    const commands = Array.from({ length: 1_000 }, (_, index) => authorize(7n, { card: card(1 + (index % 2)).token }))
    const outcomes = ledger.submit(commands, [64, 1, 300])
    const reasons = outcomes.map(outcome => outcome.kind === 'decided' && outcome.decision.reason)
    expect(reasons.filter(reason => reason === 'approved').length).toBe(approved)
  })
})
