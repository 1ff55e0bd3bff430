import { describe, expect, test } from 'vitest'
import type { Authorize, Command } from '../src/core/commands.ts'
import { dayOfMicros, rrnOf } from '../src/core/ids.ts'
import { terminalKeyRange } from '../src/core/keys.ts'
import { nowMicros } from '../src/ops/clock.ts'
import { readCatalogs } from '../src/store/catalog.ts'
import { seedTenant } from '../src/store/seed.ts'
import * as make from './support/core.ts'
import { type Named, newKey } from './support/core.ts'
import { ask, readDecisions, readLots, reasonOf } from './support/database-ledger.ts'
import { startBalance, tokenOf } from './support/switch.ts'
import {
  authorize,
  bill,
  byTerminal,
  confirm,
  engine,
  here,
  ledger,
  lotOf,
  M1,
  M2,
  newCard,
  nextStan,
  opened,
  other,
  refund,
  reverse,
  tenant,
  useTwoEngines,
} from './support/two-engines.ts'

useTwoEngines()

describe('a stored answer is the answer that was given, from either engine', () => {
  const commands: [string, () => Promise<Command>, string][] = [
    // name,                      the command,                                                       reason
    ['authorize', async () => authorize(10n, { reference: 'a', rrn: 'R"\\1', stan: 7 }), 'approved'],
    ['authorize on two lots', async () => authorize(startBalance + 1n, { card: tokenOf(1) }), 'approved'],
    ['authorize, captured', async () => authorize(10n, { capture: true }), 'approved'],
    ['authorize, a part', async () => authorize(startBalance + 1n, { partial: true }), 'approved_partially'],
    ['authorize, no funds', async () => authorize(startBalance + 1n), 'insufficient_funds'],
    [
      'authorize, held',
      async () => {
        const card = newCard()
        await opened(authorize(1n, { card }))
        return authorize(startBalance, { card })
      },
      'insufficient_funds_held',
    ],
    ['authorize, amount zero', async () => authorize(0n), 'amount_invalid'],
    ['authorize, amount huge', async () => authorize(2n ** 53n), 'insufficient_funds'],
    ['authorize, card unknown', async () => authorize(10n, { card: 'f'.repeat(32) }), 'card_unknown'],
    ['authorize, merchant unknown', async () => authorize(10n, { merchant: 'M9' }), 'merchant_unknown'],
    ['confirm', async () => confirm(await opened(authorize(10n)), 6n), 'approved'],
    ['confirm, beyond', async () => confirm(await opened(authorize(10n)), 11n), 'amount_beyond'],
    ['confirm of nothing', async () => confirm(newKey()), 'original_unknown'],
    ['reverse of a hold', async () => reverse(await opened(authorize(10n))), 'approved'],
    ['reverse, a part', async () => reverse(await opened(authorize(10n, { capture: true })), 4n), 'approved'],
    ['reverse, remembered', async () => reverse(newKey()), 'approved'],
    ['reverse, remembered by bill', async () => reverse(bill('r-1')), 'approved'],
    ['refund', async () => refund(await opened(authorize(10n, { capture: true })), 4n), 'approved'],
    ['refund, refused', async () => refund(await opened(authorize(10n))), 'not_refundable'],
    [
      'expire',
      async () => {
        const { id, expiresAt } = (await ask(engine, authorize(10n, { confirmWithinSeconds: 0 }))).transaction!
        expect(expiresAt).toBeLessThan(nowMicros())
        return make.expire(id, { tenant })
      },
      'approved',
    ],
    [
      'expire, too late',
      async () => make.expire(await opened(authorize(10n, { capture: true })), { tenant }),
      'not_expirable',
    ],
    ['inquire', async () => make.inquire({ ...here(), card: tokenOf(2) }), 'approved'],
    ['inquire, refused', async () => make.inquire({ ...here(), currency: 'EUR' }), 'currency_unsupported'],
    [
      'load',
      async () => {
        const { holder } = await lotOf(newCard())
        return make.load(holder, 5n, { tenant })
      },
      'approved',
    ],
    ['settle', async () => ({ ...make.settle(M1, -5n), tenant }), 'approved'],
  ]
  test.each(commands)('%s', async (_name, commandOf, reason) => {
    const command = await commandOf()
    const first = await ask(engine, command)
    expect(first).toMatchObject({ replayed: false, decision: { reason, key: command.key, content: command.content } })
    for (const asked of [engine, other]) {
      const again = await ask(asked, command)
      expect(again.replayed).toBe(true)
      expect(again.decision).toEqual(first.decision)
      expect(again.transaction === null).toBe(first.transaction === null)
      expect({ ...again.transaction, version: 0 }).toEqual({ ...first.transaction, version: 0 })
      expect(await asked.submit({ ...command, content: 'bb' })).toEqual({ kind: 'other_content', stored: 'aa' })
    }
    const stored = (await readDecisions(ledger)).filter(({ key }) => key === command.key)
    expect(stored).toEqual([first.decision])
  })

  test('a refused key stays refused after a top-up; a new key is a new attempt', async () => {
    const command = authorize(startBalance + 1n)
    expect(reasonOf(await ask(engine, command))).toBe('insufficient_funds')
    const { holder } = await lotOf(command.card)
    await ask(engine, make.load(holder, 1n, { tenant }))
    for (const asked of [engine, other]) expect(reasonOf(await ask(asked, command))).toBe('insufficient_funds')
    expect(reasonOf(await ask(other, { ...command, key: newKey() }))).toBe('approved')
  })

  test('a repeat after the transaction has moved on has the answer of then', async () => {
    const command = authorize(10n)
    const first = await ask(engine, command)
    await ask(other, confirm(first.decision.transaction!))
    const again = await ask(engine, command)
    expect(again.decision).toEqual(first.decision)
    expect(again.transaction).toMatchObject({ phase: 'confirmed', version: 1 })
  })
})

describe('how an original is named', () => {
  const names: [string, (command: Authorize, id: number) => Named][] = [
    ['id', (_command, id) => id],
    ['key and day', ({ key, day }) => ({ by: 'key', key, day })],
    ['key of any day', ({ key }) => ({ by: 'key', key, day: null })],
    [
      'key without its time',
      ({ stan: number }) => ({
        by: 'keyRange',
        ...terminalKeyRange({ terminal: 'T0000001', merchant: M1, step: 'open', stan: number ?? 0 }),
      }),
    ],
    ['its own DE37', ({ rrn }) => ({ by: 'rrn', merchant: M1, rrn: rrn ?? '' })],
    ['bill', ({ reference }) => bill(reference ?? '')],
  ]
  test.each(names)('%s', async (_name, nameOf) => {
    for (const asked of [engine, other]) {
      const number = nextStan()
      const command = byTerminal(10n, { stan: number, rrn: `OWN-${number}`, reference: `bill-${number}` })
      const id = await opened(command)
      const { decision } = await ask(asked, confirm(nameOf(command, id), null, { merchants: [M1], card: command.card }))
      expect(decision).toMatchObject({ reason: 'approved', transaction: id, phase: 'confirmed' })
    }
  })

  test('the DE37 that the switch gave', async () => {
    const id = await opened(authorize(10n))
    const { decision } = await ask(other, reverse({ by: 'rrn', merchant: M1, rrn: rrnOf(id) }))
    expect(decision).toMatchObject({ reason: 'approved', transaction: id })
  })

  const unknown: [string, (command: Authorize, id: number) => Named][] = [
    ['an id that nothing has', () => 5],
    ['a key that nothing has', () => ({ by: 'key', key: newKey(), day: dayOfMicros(nowMicros()) })],
    ['the key on another day', ({ key, day }) => ({ by: 'key', key, day: (day ?? 0) - 3 })],
    [
      'a STAN that nothing has',
      () => ({
        by: 'keyRange',
        ...terminalKeyRange({ terminal: 'T0000001', merchant: M1, step: 'open', stan: 999_999 }),
      }),
    ],
    [
      'the key of another step',
      ({ stan: number }) => ({
        by: 'keyRange',
        ...terminalKeyRange({ terminal: 'T0000001', merchant: M1, step: 'confirm', stan: number ?? 0 }),
      }),
    ],
    ['the DE37 at another merchant', (_command, id) => ({ by: 'rrn', merchant: M2, rrn: rrnOf(id) })],
    ['a bill of another merchant', ({ reference }) => ({ by: 'reference', merchant: M2, reference: reference ?? '' })],
  ]
  test.each(unknown)('%s: 25', async (_name, nameOf) => {
    const command = byTerminal(10n, { reference: `own-${nextStan()}` })
    const id = await opened(command)
    const { decision } = await ask(other, confirm(nameOf(command, id)))
    expect(decision).toMatchObject({ reason: 'original_unknown', transaction: null })
  })

  const several: [string, () => Promise<Named>][] = [
    [
      'a STAN that was used twice',
      async () => {
        const number = nextStan()
        for (const sentAt of [1_122_000_001, 1_122_000_002]) await opened(byTerminal(10n, { stan: number, sentAt }))
        const named = terminalKeyRange({ terminal: 'T0000001', merchant: M1, step: 'open', stan: number })
        return { by: 'keyRange', ...named }
      },
    ],
    [
      'a DE37 that was used twice',
      async () => {
        for (let n = 0; n < 2; n++) await opened(byTerminal(10n, { rrn: 'TWICE' }))
        return { by: 'rrn', merchant: M1, rrn: 'TWICE' }
      },
    ],
    [
      'a bill with two purchases in force',
      async () => {
        for (let n = 0; n < 2; n++) await opened(authorize(10n, { reference: 'twice' }))
        return bill('twice')
      },
    ],
  ]
  test.each(several)('%s: ambiguous, no effect', async (_name, nameOf) => {
    const named = await nameOf()
    const { decision } = await ask(other, reverse(named))
    expect(decision).toMatchObject({ reason: 'original_ambiguous', transaction: null, postings: [] })
  })

  test('a bill: what is in force before what is not', async () => {
    const reference = 'attempts'
    await ask(engine, authorize(0n, { reference }))
    const id = await opened(authorize(10n, { reference }))
    await ask(engine, authorize(0n, { reference }))
    expect((await ask(other, reverse(bill(reference)))).decision).toMatchObject({ reason: 'approved', transaction: id })
    expect(reasonOf(await ask(other, reverse(bill(reference))))).toBe('not_reversible')
  })

  test('another merchant or card is refused, and its holder untouched', async () => {
    const command = authorize(10n)
    const id = await opened(command)
    const asked = [
      confirm(id, null, { merchants: [M2] }),
      confirm(id, null, { merchants: [M2], channel: 'terminal' }),
      confirm(id, null, { card: tokenOf(1) }),
    ]
    const reasons = await Promise.all(asked.map(async one => reasonOf(await ask(other, one))))
    expect(reasons).toEqual(['original_unknown', 'original_mismatch', 'original_mismatch'])
    expect((await lotOf(command.card)).debitsPending).toBe(10n)
  })
})

describe('a reverse before its authorize', () => {
  const ways: [string, (command: Authorize) => Named][] = [
    ['by the key of a terminal', ({ key, day }) => ({ by: 'key', key, day })],
    ['by the key of a client', ({ key }) => ({ by: 'key', key, day: null })],
    ['by bill', ({ reference }) => bill(reference ?? '')],
  ]
  test.each(ways)('%s, on the other engine', async (name, nameOf) => {
    const command = name.includes('terminal') ? byTerminal(10n) : authorize(10n, { reference: newKey() })
    const { decision } = await ask(other, reverse(nameOf(command)))
    expect(decision).toMatchObject({ reason: 'approved', phase: 'reversed', transaction: null })
    expect(reasonOf(await ask(engine, command))).toBe('reversed_before')
    expect(reasonOf(await ask(other, command))).toBe('reversed_before')
    expect((await lotOf(command.card)).debitsPending).toBe(0n)
    // The memory of a bill is for one request: the next is a new attempt.
    const next = await ask(engine, { ...command, key: newKey(), day: null, channel: 'api' })
    expect(reasonOf(next)).toBe('approved')
  })

  const sameBatch: [string, (command: Authorize) => Named][] = [
    ...ways,
    [
      'by a key without its time',
      ({ stan: number }) => ({
        by: 'keyRange',
        ...terminalKeyRange({ terminal: 'T0000001', merchant: M1, step: 'open', stan: number ?? 0 }),
      }),
    ],
    ['by its DE37', ({ rrn }) => ({ by: 'rrn', merchant: M1, rrn: rrn ?? '' })],
  ]
  test.each(sameBatch)('right behind it in one batch, %s', async (_name, nameOf) => {
    const number = nextStan()
    const command = byTerminal(10n, { stan: number, rrn: `NEXT-${number}`, reference: `next-${number}` })
    const lane = ledger.engine({ laneCount: 1 })
    const [authorized, reversed] = await Promise.all([lane.submit(command), lane.submit(reverse(nameOf(command)))])
    expect([authorized, reversed].map(reasonOf)).toEqual(['approved', 'approved'])
    expect(reversed).toMatchObject({ decision: { phase: 'reversed' }, transaction: { phase: 'reversed' } })
    expect((await lotOf(command.card)).debitsPending).toBe(0n)
  })
})

test('two tenants in one database are kept apart, though all their names are the same', async () => {
  const card = newCard()
  await seedTenant(ledger.pool, {
    code: 'second',
    name: 'Second',
    timeZone: 'UTC',
    cutOverSeconds: 0,
    calendar: 'gregorian',
    currency: { code: 'IRR', numeric: '364', scale: 0 },
    organisations: [{ code: 'bazaar', name: 'Bazaar' }],
    programs: [{ code: 'credit', kind: 'credit' }],
    merchants: [{ code: M1, name: 'One', terminals: [{ code: 'T0000001', confirmation: 'explicit', partial: false }] }],
    apiKeys: [],
    cards: [{ token: card, last4: '0000' }],
  })
  const catalogs = await readCatalogs(ledger.pool)
  const second = [...catalogs.keys()].find(id => id !== tenant)!
  const both = ledger.engine({ laneCount: 1, catalogOf: id => catalogs.get(id) })
  const { rows } = await ledger.pool.query<{ id: number }>('SELECT id::integer FROM cardholders WHERE tenant = $1', [
    second,
  ])
  await ask(both, make.load(rows[0]!.id, 50n, { tenant: second }))

  const command = authorize(30n, { card, reference: 'shared' })
  const results = await Promise.all([both.submit(command), both.submit({ ...command, tenant: second })])
  expect(results.map(reasonOf)).toEqual(['approved', 'approved'])
  const [first, theirs] = results.map(result => (result.kind === 'decided' ? result.decision.transaction! : 0))
  expect(first).not.toBe(theirs)

  expect(reasonOf(await ask(both, { ...authorize(30n, { card }), tenant: second }))).toBe('insufficient_funds_held')
  expect(reasonOf(await ask(both, confirm(first!, null, { tenant: second })))).toBe('original_unknown')
  expect(
    reasonOf(await ask(both, reverse({ by: 'rrn', merchant: M1, rrn: rrnOf(first!) }, null, { tenant: second }))),
  ).toBe('original_unknown')
  const reversed = await ask(both, reverse(bill('shared'), null, { tenant: second }))
  expect(reversed.decision).toMatchObject({ reason: 'approved', transaction: theirs })
  expect(await both.submit({ ...command, content: 'bb', tenant: second })).toMatchObject({ kind: 'other_content' })
  expect((await ask(both, command)).decision).toMatchObject({ transaction: first, phase: 'authorized' })
  expect((await readLots(ledger, second))[0]).toMatchObject({ debitsPending: 0n, creditsPosted: 50n })
  expect((await lotOf(card)).debitsPending).toBe(30n)
  expect(await both.submit({ ...command, tenant: 99 })).toEqual({ kind: 'refused', reason: 'internal_error' })
})
