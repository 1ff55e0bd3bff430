import { describe, expect, test } from 'vitest'
import { program } from '../../test/support/core.ts'
import { dayOfDate } from './calendar.ts'
import type { Merchant } from './catalog.ts'
import type { LocalTime } from './local-time.ts'
import { openTerms, type Places, refusalOfTerms, type Terms, termsAt, type When } from './terms.ts'

const merchant = (over: Partial<Merchant> = {}): Merchant => ({
  id: 1,
  code: 'M1',
  name: 'One',
  payable: -1,
  category: 'food',
  groups: ['north', 'new'],
  isSuspended: false,
  fee: { millionths: 0, each: 0n },
  ...over,
})
/** 2026-03-21 was a Saturday. */
const local = (over: Partial<LocalTime> = {}): LocalTime => ({
  at: 0,
  day: dayOfDate('2026-03-21') ?? 0,
  weekday: 6,
  minute: 600,
  isHoliday: false,
  ...over,
})
const places = (over: Partial<Places>): Places => ({ merchants: [], groups: [], categories: [], ...over })

describe('where: the more precise word counts, deny before allow', () => {
  test.each([
    // allow,                               deny,                        is allowed
    [{}, {}, true],
    [{ merchants: ['M1'] }, {}, true],
    [{ merchants: ['M2'] }, {}, false],
    [{}, { merchants: ['M1'] }, false],
    [{}, { merchants: ['M2'] }, true],
    [{ merchants: ['M1'] }, { merchants: ['M1'] }, false],
    // A merchant is a named exception from its groups and its category.
    [{ merchants: ['M1'] }, { groups: ['north'] }, true],
    [{ merchants: ['M1'] }, { categories: ['food'] }, true],
    [{ groups: ['north'] }, { merchants: ['M1'] }, false],
    [{ categories: ['food'] }, { merchants: ['M1'] }, false],
    // A group is one from its category.
    [{ groups: ['north'] }, { categories: ['food'] }, true],
    [{ categories: ['food'] }, { groups: ['north'] }, false],
    [{ groups: ['north'] }, { groups: ['new'] }, false],
    [{ groups: ['old'] }, { groups: ['older'] }, false],
    [{ categories: ['food'] }, { categories: ['food'] }, false],
    [{ categories: ['food'] }, {}, true],
    [{ categories: ['cars'] }, {}, false],
    [{ categories: ['cars'] }, { categories: ['boats'] }, false],
    [{}, { categories: ['cars'] }, true],
  ] as [Partial<Places>, Partial<Places>, boolean][])('allow %j, deny %j: %s', (allow, deny, isAllowed) => {
    const terms: Terms = { ...openTerms, where: { allow: places(allow), deny: places(deny) } }
    expect(refusalOfTerms(terms, merchant(), local())).toBe(isAllowed ? null : 'program_not_allowed')
    expect(refusalOfTerms(terms, null, local())).toBeNull()
  })

  test('a merchant without a category is in none', () => {
    const terms: Terms = { ...openTerms, where: { allow: places({ categories: ['food'] }), deny: places({}) } }
    expect(refusalOfTerms(terms, merchant({ category: null }), local())).toBe('program_not_allowed')
  })
})

const hours = (from: number, until: number): Partial<When> => ({ hours: [{ from: from * 60, until: until * 60 }] })
const dates = (from: string, until: string): Partial<When> => ({
  dates: [{ from: dayOfDate(from) ?? 0, until: dayOfDate(until) ?? 0 }],
})

describe('when', () => {
  test.each([
    // when,                               moment,                         is allowed
    [{}, {}, true],
    [{ weekdays: [6] }, { weekday: 6 }, true],
    [{ weekdays: [6] }, { weekday: 7 }, false],
    [{ weekdays: [1, 7] }, { weekday: 7 }, true],
    [hours(8, 12), { minute: 480 }, true],
    [hours(8, 12), { minute: 479 }, false],
    [hours(8, 12), { minute: 719 }, true],
    [hours(8, 12), { minute: 720 }, false],
    [hours(0, 24), { minute: 1_439 }, true],
    [hours(22, 2), { minute: 1_320 }, true],
    [hours(22, 2), { minute: 1_319 }, false],
    [hours(22, 2), { minute: 119 }, true],
    [hours(22, 2), { minute: 120 }, false],
    [hours(22, 2), { minute: 0 }, true],
    [{ hours: [...(hours(8, 9).hours ?? []), ...(hours(20, 21).hours ?? [])] }, { minute: 1_200 }, true],
    // After midnight it is the next day: its weekday counts.
    [{ weekdays: [5], ...hours(22, 2) }, { weekday: 6, minute: 60 }, false],
    [dates('2026-03-21', '2026-03-21'), {}, true],
    [dates('2026-03-20', '2026-03-21'), {}, true],
    [dates('2026-03-19', '2026-03-20'), {}, false],
    [dates('2026-03-22', '2026-03-23'), {}, false],
    [{ holidays: 'never' }, { isHoliday: true }, false],
    [{ holidays: 'never' }, { isHoliday: false }, true],
    [{ holidays: 'only' }, { isHoliday: true }, true],
    [{ holidays: 'only' }, { isHoliday: false }, false],
    [{ holidays: 'as_any_day', weekdays: [6] }, { isHoliday: true }, true],
  ] as [Partial<When>, Partial<LocalTime>, boolean][])('%j at %j: %s', (when, moment, isAllowed) => {
    const terms: Terms = { ...openTerms, when: { ...openTerms.when, ...when } }
    expect(refusalOfTerms(terms, merchant(), local(moment))).toBe(isAllowed ? null : 'program_not_now')
  })
})

describe('terms at a moment: of those that have started, the version made last', () => {
  const versions = [
    [1, 100],
    [2, 300],
    // Made after 2, and begins before it.
    [3, 200],
  ].map(([version = 0, startsAt = 0]) => ({ version, startsAt, terms: { ...openTerms, priority: version } }))
  test.each([
    [99, 0],
    [100, 1],
    [199, 1],
    [200, 3],
    [300, 3],
  ])('at %i: version %i', (at, version) => {
    expect(termsAt({ ...program(1, 'credit', {}), versions }, at).priority).toBe(version)
  })
})
