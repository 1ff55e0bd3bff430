import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openTerms, type Terms } from './terms.ts'
import { readTerms, termsJson } from './terms-json.ts'
import { periods } from './windows.ts'

const errorsOf = (json: unknown): string[] => (readTerms(json).errors ?? []).map(({ field }) => field)

test('whatever is left out is open', () => {
  expect(readTerms({})).toEqual({ terms: openTerms, errors: null })
  expect(readTerms(null).terms).toEqual(openTerms)
  expect(readTerms(termsJson(openTerms)).terms).toEqual(openTerms)
})

test('an example, whole', () => {
  const json = {
    where: { allow: { groups: ['north'] }, deny: { merchants: ['M2'], categories: ['cars'] } },
    when: {
      weekdays: ['saturday', 'sunday'],
      hours: [{ from: '22:00', until: '02:30' }],
      dates: [{ from: '2026-03-21', until: '2026-04-20' }],
      holidays: 'never',
    },
    purchase: { minimum: '1000', maximum: 5_000_000, sharePercent: 50, goods: ['bread'] },
    limits: [{ of: 'account', per: 'hours', hours: 24, amount: 10n ** 17n, count: 3 }],
    expiry: { kind: 'end_of_period', per: 'persian_month' },
    returns: { intoExpired: { reviveDays: 3 } },
    priority: 7,
    fallback: 'none',
    confirmWithinSeconds: 60,
    transfersTo: ['gift'],
  }
  const expected: Terms = {
    where: {
      allow: { merchants: [], groups: ['north'], categories: [] },
      deny: { merchants: ['M2'], groups: [], categories: ['cars'] },
    },
    when: {
      weekdays: [6, 7],
      hours: [{ from: 1_320, until: 150 }],
      dates: [{ from: 20_533, until: 20_563 }],
      holidays: 'never',
    },
    purchase: { minimum: 1_000n, maximum: 5_000_000n, sharePercent: 50, goods: ['bread'] },
    limits: [{ of: 'account', per: 'hours', hours: 24, amount: 10n ** 17n, count: 3 }],
    expiry: { kind: 'end_of_period', per: 'persian_month' },
    returns: { intoExpired: { reviveDays: 3 } },
    priority: 7,
    fallback: 'none',
    confirmWithinSeconds: 60,
    transfersTo: ['gift'],
  }
  expect(readTerms(json)).toEqual({ terms: expected, errors: null })
})

describe('every error names its field', () => {
  const limit = { of: 'account', per: 'day', amount: 1 }
  test.each([
    // terms,                                             fields
    [[], ['terms']],
    ['open', ['terms']],
    [{ wheer: {} }, ['wheer']],
    [{ where: 1 }, ['where']],
    [{ where: { allow: { merchant: [] } } }, ['where.allow.merchant']],
    [{ where: { deny: { groups: ['', 'a', 5] } } }, ['where.deny.groups[0]', 'where.deny.groups[2]']],
    [{ where: { deny: { categories: 'a' } } }, ['where.deny.categories']],
    [{ when: { weekdays: ['monday', 'caturday'] } }, ['when.weekdays[1]']],
    [{ when: { weekdays: [] } }, ['when.weekdays']],
    [{ when: { hours: [{ from: '08:00' }] } }, ['when.hours[0].until']],
    [{ when: { hours: [{ from: '8:00', until: '24:01' }] } }, ['when.hours[0].from', 'when.hours[0].until']],
    [{ when: { hours: [{ from: '08:00', until: '08:00' }] } }, ['when.hours[0].until']],
    [{ when: { hours: [] } }, ['when.hours']],
    [{ when: { dates: [{ from: '2026-02-29', until: '2026-03-01' }] } }, ['when.dates[0].from']],
    [{ when: { dates: [{ from: '2026-03-02', until: '2026-03-01' }] } }, ['when.dates[0].from']],
    [{ when: { dates: [] } }, ['when.dates']],
    [{ when: { holidays: 'maybe' } }, ['when.holidays']],
    [{ purchase: { minimum: -1 } }, ['purchase.minimum']],
    [{ purchase: { minimum: 1.5 } }, ['purchase.minimum']],
    [{ purchase: { maximum: '1e3' } }, ['purchase.maximum']],
    [{ purchase: { maximum: '1234567890123456789' } }, ['purchase.maximum']],
    [{ purchase: { minimum: 2, maximum: 1 } }, ['purchase.minimum']],
    [{ purchase: { sharePercent: 101 } }, ['purchase.sharePercent']],
    [{ purchase: { sharePercent: 0 } }, ['purchase.sharePercent']],
    [{ purchase: { goods: [] } }, ['purchase.goods']],
    [{ limits: [{}] }, ['limits[0].of', 'limits[0].per', 'limits[0]']],
    [{ limits: [{ ...limit, per: 'fortnight' }] }, ['limits[0].per']],
    [{ limits: [{ ...limit, per: 'hours' }] }, ['limits[0].hours']],
    [{ limits: [{ ...limit, per: 'hours', hours: 721 }] }, ['limits[0].hours']],
    [{ limits: [{ ...limit, hours: 3 }] }, ['limits[0].hours']],
    [{ limits: [limit, { ...limit, amount: 5 }] }, ['limits[1]']],
    [{ limits: [{ ...limit, count: -1 }] }, ['limits[0].count']],
    [{ limits: [{ ...limit, amount: 'x' }] }, ['limits[0].amount']],
    [{ limits: limit }, ['limits']],
    [{ when: { dates: [{ from: '2026-03-02', until: 'x' }] } }, ['when.dates[0].until']],
    [{ expiry: { kind: 'soon' } }, ['expiry.kind']],
    [{ expiry: { kind: 'date' } }, ['expiry.date']],
    [{ expiry: { kind: 'after_load', days: 0 } }, ['expiry.days']],
    [{ expiry: { kind: 'inactivity' } }, ['expiry.days']],
    [{ expiry: { kind: 'end_of_period', per: 'lifetime' } }, ['expiry.per']],
    [{ expiry: { kind: 'never', days: 3 } }, ['expiry.days']],
    [{ returns: { intoExpired: 'revive' } }, ['returns.intoExpired']],
    [{ returns: { intoExpired: {} } }, ['returns.intoExpired.reviveDays']],
    [{ priority: -1 }, ['priority']],
    [{ fallback: 'backward' }, ['fallback']],
    [{ confirmWithinSeconds: 0 }, ['confirmWithinSeconds']],
    [{ transfersTo: [1] }, ['transfersTo[0]']],
    [{ priority: '1', fallback: 1 }, ['priority', 'fallback']],
  ] as [unknown, string[]][])('%j', (json, fields) => {
    expect(errorsOf(json)).toEqual(fields)
    for (const { message } of readTerms(json).errors ?? []) expect(message).toMatch(/^(must|is) /)
  })
})

const nullable = <Item>(item: fc.Arbitrary<Item>): fc.Arbitrary<Item | null> => fc.option(item, { nil: null })
const texts = fc.array(fc.string({ minLength: 1, maxLength: 64 }), { maxLength: 3 })
const places = fc.record({ merchants: texts, groups: texts, categories: texts })
const days = fc.integer({ min: -100_000, max: 100_000 })
const span = (item: fc.Arbitrary<number>) => fc.tuple(item, item).map(two => two.toSorted((one, other) => one - other))
const anyTerms: fc.Arbitrary<Terms> = fc.record({
  where: fc.record({ allow: places, deny: places }),
  when: fc.record({
    weekdays: nullable(fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 })),
    hours: nullable(
      fc.array(
        fc
          .tuple(fc.nat(1_440), fc.nat(1_440))
          .filter(([from, until]) => from !== until)
          .map(([from, until]) => ({ from, until })),
        { minLength: 1, maxLength: 3 },
      ),
    ),
    dates: nullable(
      fc.array(
        span(days).map(([from = 0, until = 0]) => ({ from, until })),
        { minLength: 1, maxLength: 3 },
      ),
    ),
    holidays: fc.constantFrom('as_any_day', 'only', 'never'),
  }),
  purchase: fc.record({
    minimum: nullable(fc.bigInt(0n, 999n)),
    maximum: nullable(fc.bigInt(999n, 10n ** 18n - 1n)),
    sharePercent: nullable(fc.integer({ min: 1, max: 100 })),
    goods: nullable(fc.array(fc.string({ minLength: 1, maxLength: 64 }), { minLength: 1, maxLength: 3 })),
  }),
  limits: fc.uniqueArray(
    fc
      .record({
        of: fc.constantFrom('account', 'holder', 'merchant', 'organisation'),
        per: fc.constantFrom(...periods),
        amount: fc.bigInt(0n, 10n ** 18n - 1n),
        count: nullable(fc.nat(1_000_000_000)),
        hours: fc.integer({ min: 1, max: 720 }),
      })
      .map(limit => ({ ...limit, hours: limit.per === 'hours' ? limit.hours : null })),
    { selector: ({ of, per }) => `${of} ${per}`, maxLength: 6 },
  ),
  expiry: fc.oneof(
    fc.record({ kind: fc.constant('never') }),
    fc.record({ kind: fc.constant('date'), day: days }),
    fc.record({ kind: fc.constantFrom('after_load', 'inactivity'), days: fc.integer({ min: 1, max: 36_500 }) }),
    fc.record({ kind: fc.constant('end_of_period'), per: fc.constantFrom('day', 'week', 'persian_month', 'year') }),
  ) as fc.Arbitrary<Terms['expiry']>,
  returns: fc.oneof(
    fc.constant({ intoExpired: 'breakage' as const }),
    fc.integer({ min: 1, max: 36_500 }).map(reviveDays => ({ intoExpired: { reviveDays } })),
  ),
  priority: fc.nat(1_000),
  fallback: fc.constantFrom('onward', 'none'),
  confirmWithinSeconds: nullable(fc.integer({ min: 1, max: 2_678_400 })),
  transfersTo: texts,
})

test('terms are the same after a round trip through JSON', () => {
  fc.assert(
    fc.property(anyTerms, terms => {
      expect(readTerms(JSON.parse(JSON.stringify(termsJson(terms))))).toEqual({ terms, errors: null })
    }),
    { numRuns: 500 },
  )
})

test('anything at all is read or refused, never a crash', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json().map(text => JSON.parse(text)),
        fc.dictionary(fc.string(), fc.anything()),
      ),
      json => {
        const { terms, errors } = readTerms(json)
        expect(terms === null).toBe(errors !== null)
      },
    ),
  )
})
