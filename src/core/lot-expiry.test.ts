import { describe, expect, test } from 'vitest'
import {
  authorize,
  breakage,
  breakageAccount,
  card,
  catalog,
  catalogWith,
  confirm,
  day,
  lot,
  newKey,
  program,
  programIds,
  refund,
  reverse,
  startOfTime,
} from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import { dayOfDate } from './calendar.ts'
import { localTimeOf, startOfDay } from './local-time.ts'
import { expiryOfLoad } from './lot-expiry.ts'
import { type Expiry, openTerms, type Terms } from './terms.ts'

const { credit } = programIds
const dayOf = (date: string): number => dayOfDate(date) ?? Number.NaN
const iso = (at: number | null): string | null => (at === null ? null : new Date(at / 1000).toISOString())

describe('when a load expires, in Tehran', () => {
  test.each([
    // expiry,                                        loaded at,                expires at
    [{ kind: 'never' }, '2026-03-21T04:30:00Z', null],
    [{ kind: 'date', day: dayOf('2026-03-29') }, '2026-03-21T04:30:00Z', '2026-03-29T20:30:00.000Z'],
    [{ kind: 'after_load', days: 1 }, '2026-03-21T04:30:00Z', '2026-03-22T20:30:00.000Z'],
    // A minute before and after midnight there.
    [{ kind: 'after_load', days: 1 }, '2026-03-21T20:29:00Z', '2026-03-22T20:30:00.000Z'],
    [{ kind: 'after_load', days: 1 }, '2026-03-21T20:31:00Z', '2026-03-23T20:30:00.000Z'],
    [{ kind: 'inactivity', days: 90 }, '2026-03-21T04:30:00Z', '2026-06-19T20:30:00.000Z'],
    [{ kind: 'end_of_period', per: 'day' }, '2026-03-21T04:30:00Z', '2026-03-21T20:30:00.000Z'],
    [{ kind: 'end_of_period', per: 'week' }, '2026-03-21T04:30:00Z', '2026-03-27T20:30:00.000Z'],
    [{ kind: 'end_of_period', per: 'month' }, '2026-03-21T04:30:00Z', '2026-03-31T20:30:00.000Z'],
    [{ kind: 'end_of_period', per: 'persian_month' }, '2026-03-21T04:30:00Z', '2026-04-20T20:30:00.000Z'],
    [{ kind: 'end_of_period', per: 'persian_month' }, '2026-03-20T04:30:00Z', '2026-03-20T20:30:00.000Z'],
    // Esfand has 30 days in 1403 and 1408, 29 in 1404.
    [{ kind: 'end_of_period', per: 'persian_year' }, '2025-03-20T04:30:00Z', '2025-03-20T20:30:00.000Z'],
    [{ kind: 'end_of_period', per: 'persian_year' }, '2025-06-01T04:30:00Z', '2026-03-20T20:30:00.000Z'],
    [{ kind: 'end_of_period', per: 'persian_year' }, '2030-03-19T04:30:00Z', '2030-03-20T20:30:00.000Z'],
    [{ kind: 'end_of_period', per: 'year' }, '2026-03-21T04:30:00Z', '2026-12-31T20:30:00.000Z'],
  ] as [Expiry, string, string | null][])('%o loaded %s', (expiry, loadedAt, expiresAt) => {
    const local = localTimeOf(Date.parse(loadedAt) * 1000, catalog.tenant)
    expect(iso(expiryOfLoad({ ...openTerms, expiry }, local, catalog.tenant))).toBe(expiresAt)
  })

  test.each([
    ['2026-03-28T12:00:00Z', '2026-03-29T22:00:00.000Z'],
    ['2026-10-24T12:00:00Z', '2026-10-25T23:00:00.000Z'],
  ])('in Berlin a day may have 23 or 25 hours: loaded %s', (loadedAt, expiresAt) => {
    const tenant = { ...catalog.tenant, timeZone: 'Europe/Berlin' }
    const local = localTimeOf(Date.parse(loadedAt) * 1000, tenant)
    expect(iso(expiryOfLoad({ ...openTerms, expiry: { kind: 'after_load', days: 1 } }, local, tenant))).toBe(expiresAt)
  })
})

const soon = startOfTime + 600_000_000
/** Card 1 with 100 that expire in ten minutes and 1,000 that do not; programs with these terms. */
const open = (terms: Partial<Terms> = {}): MemoryLedger =>
  new MemoryLedger({
    cards: [card(1)],
    lots: [lot(1, 1, 100n, { expiresAt: soon }), lot(2, 1, 1_000n)],
    catalog: catalogWith({ programs: [program(credit, 'credit', terms)] }),
  })
const sweep = (ledger: MemoryLedger, due = ledger.lots.get(1)?.sweepDue ?? 0) => ledger.do(breakage(1, 1, due)).decision
const buy = (ledger: MemoryLedger, amount: bigint, capture = false): number =>
  ledger.do(authorize(amount, { capture, confirmWithinSeconds: 86_400 * 3 })).decision.transaction as number
const later = (ledger: MemoryLedger): void => {
  ledger.at = soon
}
const left = (ledger: MemoryLedger) => {
  const { creditsPosted = 0n, debitsPosted = 0n, debitsPending = 0n } = ledger.lots.get(1) ?? {}
  return { balance: creditsPosted - debitsPosted, held: debitsPending }
}

describe('the sweep books what is left as breakage, from its own lot only', () => {
  test('not before it is due, and then it is the same key that does it', () => {
    const ledger = open()
    expect(sweep(ledger)).toMatchObject({ reason: 'not_expirable', postings: [] })
    expect(left(ledger)).toEqual({ balance: 100n, held: 0n })
    later(ledger)
    const posting = { debit: 1, credit: breakageAccount, pending: 0n, posted: 100n, remaining: 0n }
    expect(sweep(ledger)).toMatchObject({ reason: 'approved', postings: [posting] })
    expect(left(ledger)).toEqual({ balance: 0n, held: 0n })
    expect(ledger.lots.get(1)).toMatchObject({ expiresAt: soon, sweepDue: null })
    expect(ledger.lots.get(2)?.debitsPosted).toBe(0n)
    expect(ledger.movements).toMatchObject([{ kind: 'breakage', lot: 1, amount: -100n, balance: 0n }])
  })

  test('once: a second request finds nothing due', () => {
    const ledger = open()
    later(ledger)
    sweep(ledger)
    expect(sweep(ledger, soon + 1)).toMatchObject({ reason: 'not_expirable', postings: [] })
    expect(sweep(ledger, soon)).toMatchObject({ reason: 'approved' })
    expect(left(ledger).balance).toBe(0n)
  })

  test('an empty lot leaves no movement', () => {
    const ledger = open()
    buy(ledger, 100n, true)
    later(ledger)
    expect(sweep(ledger)).toMatchObject({ reason: 'approved', postings: [] })
    expect([ledger.movements, ledger.lots.get(1)?.sweepDue]).toEqual([[], null])
  })

  test('a credit line is no value that is left', () => {
    const ledger = new MemoryLedger({ cards: [card(1)], lots: [lot(1, 1, 30n, { limit: 50n, expiresAt: soon })] })
    later(ledger)
    sweep(ledger)
    expect(left(ledger).balance).toBe(0n)
  })

  test('a lot that is not there is not due', () => {
    expect(open().do(breakage(1, 9, 0)).decision.reason).toBe('not_expirable')
  })
})

describe('an approval is a guarantee: a hold outlives its lot', () => {
  test('the sweep leaves what is held, and a confirm takes it', () => {
    const ledger = open()
    const id = buy(ledger, 70n)
    later(ledger)
    expect(sweep(ledger).postings.map(({ posted }) => posted)).toEqual([30n])
    expect(left(ledger)).toEqual({ balance: 70n, held: 70n })
    expect(ledger.do(confirm(id)).decision.reason).toBe('approved')
    expect(left(ledger)).toEqual({ balance: 0n, held: 0n })
    expect(ledger.lots.get(1)?.sweepDue).toBeNull()
  })

  test.each([
    // name,                                    how much comes back, and is swept
    ['a partial confirm', (ledger: MemoryLedger, id: number) => ledger.do(confirm(id, 50n)), 20n],
    ['a reverse', (ledger: MemoryLedger, id: number) => ledger.do(reverse(id)), 70n],
    ['a partial reverse', (ledger: MemoryLedger, id: number) => ledger.do(reverse(id, 5n)), 5n],
  ] as const)('what comes back late is swept again: %s', (_name, release, back) => {
    const ledger = open()
    const id = buy(ledger, 70n)
    later(ledger)
    sweep(ledger)
    release(ledger, id)
    expect(ledger.lots.get(1)).toMatchObject({ expiresAt: soon, sweepDue: ledger.at })
    expect(ledger.do(authorize(1_001n)).decision.reason).toBe('insufficient_funds')
    expect(sweep(ledger).postings.map(({ posted }) => posted)).toEqual([back])
    const { balance, held } = left(ledger)
    expect(balance).toBe(held)
  })

  test('what comes back before the sweep goes with it', () => {
    const ledger = open()
    const id = buy(ledger, 70n)
    later(ledger)
    ledger.do(reverse(id))
    expect(ledger.lots.get(1)?.sweepDue).toBe(soon)
    expect(sweep(ledger).postings.map(({ posted }) => posted)).toEqual([100n])
  })
})

describe('value that goes back to a lot that has expired, by the policy of its program', () => {
  const goesBack = [
    ['a refund', true, (ledger: MemoryLedger, id: number) => ledger.do(refund(id))],
    ['a reverse', true, (ledger: MemoryLedger, id: number) => ledger.do(reverse(id))],
    ['a reverse of a hold', false, (ledger: MemoryLedger, id: number) => ledger.do(reverse(id))],
  ] as const
  test.each(goesBack)('to breakage: %s', (_name, capture, back) => {
    const ledger = open({ returns: { intoExpired: 'breakage' } })
    const id = buy(ledger, 70n, capture)
    later(ledger)
    sweep(ledger)
    back(ledger, id)
    expect(left(ledger)).toEqual({ balance: 70n, held: 0n })
    expect(sweep(ledger).postings).toMatchObject([{ credit: breakageAccount, posted: 70n }])
  })

  test.each(goesBack)('revived for three days: %s', (_name, capture, back) => {
    const ledger = open({ returns: { intoExpired: { reviveDays: 3 } } })
    const id = buy(ledger, 70n, capture)
    later(ledger)
    sweep(ledger)
    back(ledger, id)
    const { timeZone } = catalog.tenant
    const expiresAt = startOfDay(localTimeOf(ledger.at, catalog.tenant).day + 4, timeZone)
    expect(ledger.lots.get(1)).toMatchObject({ expiresAt, sweepDue: expiresAt })
    expect(sweep(ledger)).toMatchObject({ reason: 'not_expirable' })
    expect(ledger.do(authorize(1_070n)).decision.reason).toBe('approved')
    ledger.at = expiresAt
    expect(ledger.do(authorize(1n)).decision.reason).toBe('insufficient_funds_held')
    expect(sweep(ledger)).toMatchObject({ reason: 'approved', postings: [] })
  })

  test('a lot that has not expired stays as it is', () => {
    const ledger = open({ returns: { intoExpired: { reviveDays: 3 } } })
    ledger.do(refund(buy(ledger, 70n, true)))
    expect(ledger.lots.get(1)).toMatchObject({ expiresAt: soon, sweepDue: soon })
  })

  test('only the lots that get something back live again', () => {
    const ledger = open({ returns: { intoExpired: { reviveDays: 3 } } })
    const id = buy(ledger, 150n, true)
    later(ledger)
    ledger.do(refund(id, 50n))
    expect(ledger.lots.get(1)).toMatchObject({ expiresAt: soon })
    ledger.do(refund(id, 1n))
    expect(ledger.lots.get(1)?.expiresAt).toBeGreaterThan(soon)
  })

  test('a repeat has one effect and the same answer, across the expiry', () => {
    const ledger = open({ returns: { intoExpired: { reviveDays: 3 } } })
    const command = refund(buy(ledger, 70n, true))
    const { decision } = ledger.do(command)
    later(ledger)
    sweep(ledger)
    expect(ledger.do(command)).toMatchObject({ decision, replayed: true })
    expect(ledger.lots.get(1)).toMatchObject({ expiresAt: soon, sweepDue: null })
    expect(left(ledger).balance).toBe(0n)
  })
})

describe('a program that expires by inactivity', () => {
  const idle: Partial<Terms> = { expiry: { kind: 'inactivity', days: 10 } }
  const endOf = (ledger: MemoryLedger, days: number): number =>
    startOfDay(localTimeOf(ledger.at, catalog.tenant).day + days + 1, catalog.tenant.timeZone)

  test('a purchase gives the lots it takes from another while', () => {
    const ledger = open(idle)
    buy(ledger, 50n)
    const expiresAt = endOf(ledger, 10)
    expect(ledger.lots.get(1)).toMatchObject({ expiresAt, sweepDue: expiresAt })
    ledger.at += day
    buy(ledger, 10n)
    expect(ledger.lots.get(1)).toMatchObject({ expiresAt: expiresAt + day })
    expect(ledger.lots.get(2)?.expiresAt).toBeNull()
  })

  test('neither a refusal nor what is not spent from does', () => {
    const ledger = open(idle)
    ledger.do(authorize(2_000n))
    expect(ledger.lots.get(1)?.expiresAt).toBe(soon)
    buy(ledger, 100n)
    const expiresAt = ledger.lots.get(1)?.expiresAt
    ledger.at += day
    buy(ledger, 500n)
    expect(ledger.lots.get(1)?.expiresAt).toBe(expiresAt)
  })

  test('it never makes a lot expire sooner', () => {
    const far = startOfTime + 100 * day
    const ledger = new MemoryLedger({
      cards: [card(1)],
      lots: [lot(1, 1, 100n, { expiresAt: far })],
      catalog: catalogWith({ programs: [program(credit, 'credit', idle)] }),
    })
    buy(ledger, 50n)
    expect(ledger.lots.get(1)?.expiresAt).toBe(far)
  })
})

test('a late reverse of a terminal gives back to the lots of then too', () => {
  const ledger = open({ returns: { intoExpired: { reviveDays: 3 } } })
  const id = buy(ledger, 70n, true)
  ledger.settle('M1')
  later(ledger)
  sweep(ledger)
  ledger.do(reverse(id, null, { channel: 'terminal', key: newKey(), extent: { by: 'to', amount: 0n } }))
  expect(ledger.lots.get(1)?.expiresAt).toBeGreaterThan(soon)
})
