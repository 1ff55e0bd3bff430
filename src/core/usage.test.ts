import { describe, expect, test } from 'vitest'
import { catalog, day, startOfTime } from '../../test/support/core.ts'
import { localTimeOf } from './local-time.ts'
import type { Limit } from './terms.ts'
import { type Counter, countersOf, countIn, giveBackIn, type Usage, usedOf } from './usage.ts'
import { periods } from './windows.ts'

const local = (at = startOfTime) => localTimeOf(at, catalog.tenant)
const limit = (over: Partial<Limit> = {}): Limit => ({
  of: 'account',
  per: 'day',
  hours: null,
  amount: 100n,
  count: null,
  ...over,
})
const counterOf = (one: Limit, program = 1, merchant = 0, at = startOfTime): Counter =>
  countersOf([one], program, merchant, local(at), catalog)[0] as Counter
/** Counted or given back in one counter, at the time of its window. */
const count = (usage: Usage, counter: Counter, amount: bigint, at = startOfTime): Usage =>
  countIn(usage, [{ counter, amount, count: 1 }], local(at), catalog)
const giveBack = (usage: Usage, counter: Counter, amount: bigint, count: number): Usage =>
  giveBackIn(usage, [{ counter, amount, count }], local(), catalog)

test('counters differ by what is counted over what, and keep their name when the limit is changed', () => {
  const scopes = ['account', 'holder', 'merchant', 'organisation'] as const
  const last = [2 ** 20 - 1, 2 ** 27 - 1] as const
  const named = new Set<number>()
  for (const of of scopes) {
    for (const per of periods) {
      for (const program of of === 'holder' ? [1] : [1, 2, last[0]]) {
        for (const merchant of of === 'merchant' ? [1, 2, last[1]] : [1]) {
          const { id } = counterOf(limit({ of, per, hours: per === 'hours' ? 24 : null }), program, merchant)
          expect(Number.isSafeInteger(id)).toBe(true)
          expect(named.has(id)).toBe(false)
          named.add(id)
        }
      }
    }
  }
  expect(counterOf(limit({ amount: 5n, count: 3 })).id).toBe(counterOf(limit()).id)
})

test('all programs of a holder share its counters, but not those of other rolling hours', () => {
  const rolling = (hours: number, program: number) =>
    counterOf(limit({ of: 'holder', per: 'hours', hours }), program).id
  expect(rolling(24, 1)).toBe(rolling(24, 2))
  expect(rolling(24, 1)).not.toBe(rolling(1, 1))
  expect(counterOf(limit({ of: 'holder' }), 1).id).toBe(counterOf(limit({ of: 'holder' }), 2).id)
})

test('what is counted is there until its window is over', () => {
  const today = counterOf(limit())
  const tomorrow = counterOf(limit(), 1, 0, startOfTime + day)
  const once = count([], today, 30n)
  const twice = count(once, today, 20n)
  expect([usedOf([], today), usedOf(once, today), usedOf(twice, today), usedOf(twice, tomorrow)]).toEqual([
    { amount: 0n, count: 0 },
    { amount: 30n, count: 1 },
    { amount: 50n, count: 2 },
    { amount: 0n, count: 0 },
  ])
  const next = count(twice, tomorrow, 5n, startOfTime + day)
  expect(next).toEqual([{ counter: tomorrow.id, window: tomorrow.window, amount: 5n, count: 1 }])
  // The clock has stepped back over midnight: each day has its own.
  expect(usedOf(count(next, today, 7n), tomorrow)).toEqual({ amount: 5n, count: 1 })
})

test('rolling hours add up their windows, of which there are never more than 61 or 62', () => {
  const rolling = limit({ per: 'hours', hours: 1 })
  let usage: Usage = []
  for (let minute = 0; minute < 200; minute++) {
    const at = startOfTime + minute * 60_000_000
    usage = count(usage, counterOf(rolling, 1, 0, at), 1n, at)
  }
  expect(usage.length).toBe(61)
  expect(usedOf(usage, counterOf(rolling, 1, 0, startOfTime + 199 * 60_000_000))).toEqual({ amount: 61n, count: 61 })
  expect(usedOf(usage, counterOf(rolling, 1, 0, startOfTime + 229 * 60_000_000))).toEqual({ amount: 31n, count: 31 })
})

describe('giving back', () => {
  const today = counterOf(limit())
  const yesterday = counterOf(limit(), 1, 0, startOfTime - day)
  const usage = count(count([], today, 30n), today, 20n)
  test.each([
    // name,                     counter,   amount, count, left
    ['a part', today, 5n, 0, { amount: 45n, count: 2 }],
    ['one purchase', today, 20n, 1, { amount: 30n, count: 1 }],
    ['of a window that is over', yesterday, 20n, 1, { amount: 50n, count: 2 }],
    ['more than there is', today, 60n, 3, { amount: 0n, count: 0 }],
  ] as const)('%s', (_name, counter, amount, count, left) => {
    expect(usedOf(giveBack(usage, counter, amount, count), today)).toEqual(left)
  })
})

test('windows that are over are forgotten, whatever they were of', () => {
  const entryOf = (one: Limit, at: number, merchant = 0) => {
    const { id, window } = counterOf(one, 1, merchant, at)
    return { counter: id, window, amount: 1n, count: 1 }
  }
  const perMonth = limit({ of: 'merchant', per: 'persian_month' })
  const past = [
    entryOf(perMonth, startOfTime - day, 5),
    entryOf(limit(), startOfTime - day),
    entryOf(limit({ per: 'hours', hours: 1 }), startOfTime - 31 * day),
  ]
  const kept = [
    entryOf(perMonth, startOfTime, 5),
    entryOf(perMonth, startOfTime, 6),
    entryOf(limit(), startOfTime),
    entryOf(limit({ per: 'lifetime' }), startOfTime - 1_000 * day),
    entryOf(limit({ per: 'hours', hours: 720 }), startOfTime - 30 * day),
  ]
  expect(countIn([...past, ...kept], [], local(), catalog)).toEqual(kept)
  expect(giveBackIn([...past, ...kept], [], local(), catalog)).toEqual(kept)
})
