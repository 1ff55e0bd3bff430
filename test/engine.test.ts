import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Authorize, Command } from '../src/core/commands.ts'
import { dayOfMicros, rrnOf } from '../src/core/ids.ts'
import { terminalKey, terminalKeyRange } from '../src/core/keys.ts'
import type { Engine } from '../src/engine/engine.ts'
import { laneLimits } from '../src/engine/lane.ts'
import { nowMicros } from '../src/ops/clock.ts'
import { chainLineSql } from '../src/store/batch/write.ts'
import { readCatalogs } from '../src/store/catalog.ts'
import { seedTenant } from '../src/store/seed.ts'
import { microsOf } from '../src/store/sql.ts'
import * as make from './support/core.ts'
import { type Named, newKey } from './support/core.ts'
import { ask, closeSettlement, readDecisions, readLots, reasonOf } from './support/database-ledger.ts'
import { startBalance, startLedger, type TestLedger, tokenOf } from './support/switch.ts'

const M1 = 'M00000000000001'
const M2 = 'M00000000000002'

let ledger: TestLedger
/** Two engines, as two processes have them: neither knows what the other has done but from the database. */
let engine: Engine
let other: Engine
let tenant: number
beforeAll(async () => {
  ledger = await startLedger({ cards: 300 })
  tenant = ledger.catalog.tenant.id
  engine = ledger.engine()
  other = ledger.engine()
})
afterAll(() => ledger.close())

let lastCard = 10
/** A card that no other test uses, with credit only. */
const newCard = (): string => tokenOf(++lastCard)
const here = () => ({ tenant, merchant: M1, terminal: 'T0000001' })
const authorize = (amount: bigint, over: Partial<Authorize> = {}) =>
  make.authorize(amount, { ...here(), card: newCard(), ...over })
const bill = (reference: string) => ({ by: 'reference', merchant: M1, reference }) as const
const confirm = (original: Named, amount: bigint | null = null, over: Parameters<typeof make.confirm>[2] = {}) =>
  make.confirm(original, amount, { tenant, ...over })
const reverse = (original: Named, off: bigint | null = null, over: Parameters<typeof make.reverse>[2] = {}) =>
  make.reverse(original, off, { tenant, ...over })
const refund = (original: Named, amount: bigint | null = null, over: Parameters<typeof make.refund>[2] = {}) =>
  make.refund(original, amount, { tenant, ...over })

let stan = 0
/** An authorize as a terminal sends it. */
const byTerminal = (amount: bigint, over: Partial<Authorize> & { sentAt?: number; stan?: number } = {}): Authorize => {
  const { sentAt = 1_122_000_000, stan: given = ++stan, ...rest } = over
  const key = terminalKey({ terminal: 'T0000001', merchant: M1, step: 'open', stan: given, sentAt })
  return authorize(amount, { channel: 'terminal', key, day: dayOfMicros(nowMicros()), stan: given, ...rest })
}
const opened = async (command: Authorize): Promise<number> => {
  const { decision } = await ask(engine, command)
  expect(decision.reason).toMatch(/^approved/)
  return decision.transaction as number
}
const holderOf = (token: string): number => Number.parseInt(token.slice(2), 16)
const lotOf = async (token: string) => {
  const lots = await readLots(ledger)
  return lots.find(({ holder, program }) => holder === holderOf(token) && program === 1)!
}

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
      const number = ++stan
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
    const command = byTerminal(10n, { reference: `own-${stan}` })
    const id = await opened(command)
    const { decision } = await ask(other, confirm(nameOf(command, id)))
    expect(decision).toMatchObject({ reason: 'original_unknown', transaction: null })
  })

  const several: [string, () => Promise<Named>][] = [
    [
      'a STAN that was used twice',
      async () => {
        const number = ++stan
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
    const number = ++stan
    const command = byTerminal(10n, { stan: number, rrn: `NEXT-${number}`, reference: `next-${number}` })
    const lane = ledger.engine({ laneCount: 1 })
    const [authorized, reversed] = await Promise.all([lane.submit(command), lane.submit(reverse(nameOf(command)))])
    expect([authorized, reversed].map(reasonOf)).toEqual(['approved', 'approved'])
    expect(reversed).toMatchObject({ decision: { phase: 'reversed' }, transaction: { phase: 'reversed' } })
    expect((await lotOf(command.card)).debitsPending).toBe(0n)
  })
})

describe('what a batch has to read first', () => {
  test.each(['*', [M1]] as const)('reverse of a refund, of merchants %o', async merchants => {
    const command = authorize(10n, { capture: true })
    const id = await opened(command)
    const back = (await ask(engine, refund(id, 6n, { merchants }))).decision.transaction!
    const { decision } = await ask(other, reverse(back, null, { merchants }))
    expect(decision).toMatchObject({ reason: 'approved', phase: 'reversed', transaction: back })
    expect(await lotOf(command.card)).toMatchObject({ debitsPosted: 16n, creditsPosted: startBalance + 6n })
  })

  test('the watermark of a merchant', async () => {
    const merchants = [M2]
    const at2 = { merchant: M2, terminal: 'T0000003', capture: true }
    const [settled, late] = [await opened(authorize(10n, at2)), await opened(authorize(20n, at2))]
    const upTo = await closeSettlement(ledger, 2)
    const next = await opened(authorize(30n, at2))
    const decide = async (command: Command) => (await ask(other, command)).decision
    expect(await decide(reverse(settled, null, { merchants }))).toMatchObject({
      reason: 'not_reversible',
      phase: 'settled',
    })
    expect(await decide(confirm(settled))).toMatchObject({ reason: 'not_confirmable', phase: 'settled' })
    expect(await decide(reverse(next, null, { merchants }))).toMatchObject({ reason: 'approved', phase: 'reversed' })
    const linked = await ask(other, reverse(late, null, { merchants, channel: 'terminal' }))
    expect(linked.decision).toMatchObject({ reason: 'approved', phase: 'confirmed' })
    expect(linked.transaction).toMatchObject({ kind: 'refund', original: late })
    expect(linked.transaction?.confirmedIn).toBeGreaterThan(upTo)
    const again = await decide(reverse(late, null, { merchants, channel: 'terminal' }))
    expect(again).toMatchObject({ reason: 'approved', phase: 'settled', transaction: late })
  })

  test('many at once, of few cards, each in need of something', async () => {
    const cards = [newCard(), newCard()]
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, n) => opened(authorize(10n, { capture: true, card: cards[n % 2]! }))),
    )
    const backs = await Promise.all(ids.map(async id => (await ask(other, refund(id))).decision.transaction!))
    const reasons = await Promise.all(backs.map(async back => reasonOf(await ask(engine, reverse(back)))))
    expect(new Set(reasons)).toEqual(new Set(['approved']))
    for (const card of cards) expect((await lotOf(card)).debitsPosted).toBe(200n)
  })
})

describe('a hold that has run out', () => {
  test('is not confirmed, by either engine, and expires once', async () => {
    const command = authorize(10n, { confirmWithinSeconds: 0 })
    const id = await opened(command)
    for (const asked of [engine, other]) {
      expect((await ask(asked, confirm(id))).decision).toMatchObject({
        reason: 'confirm_too_late',
        phase: 'authorized',
      })
    }
    const expire = make.expire(id, { tenant })
    const outcomes = await Promise.all([engine, other, engine].map(asked => ask(asked, expire)))
    expect(outcomes.map(reasonOf)).toEqual(['approved', 'approved', 'approved'])
    expect(outcomes[1]?.decision).toEqual(outcomes[0]?.decision)
    expect((await lotOf(command.card)).debitsPending).toBe(0n)
    expect((await ask(other, confirm(id))).decision).toMatchObject({ reason: 'confirm_too_late', phase: 'expired' })
    expect(reasonOf(await ask(engine, reverse(id, null, { channel: 'terminal' })))).toBe('approved')
  })

  test('its deadline is written down', async () => {
    const { transaction } = await ask(engine, authorize(10n, { confirmWithinSeconds: 777 }))
    const { rows } = await ledger.pool.query<{ due: string }>(
      `SELECT (extract(epoch FROM due) * 1000000)::bigint::text AS due FROM hold_deadlines
       WHERE tenant = $1 AND $2::bigint = ANY (txns)`,
      [tenant, transaction?.id],
    )
    expect(rows).toEqual([{ due: `${transaction?.expiresAt}` }])
    expect(transaction?.expiresAt).toBe(transaction!.at + 777_000_000)
  })
})

test('a holder who is not there is told at once', async () => {
  const nobody = 999_999
  const reasons = await Promise.all([
    ask(engine, make.load(nobody, 5n, { tenant })),
    ask(engine, make.clawback(nobody, 5n, { tenant })),
  ])
  expect(reasons.map(({ decision }) => decision.reason)).toEqual(['account_unknown', 'account_unknown'])
})

test('what no account can hold is refused, and its neighbours in the batch are not', async () => {
  const holder = holderOf(newCard())
  // Four of them are one too much for an account.
  const loads = Array.from({ length: 9 }, () => make.load(holder, 2n ** 51n, { tenant }))
  const answers = await Promise.all([...loads, make.load(holder, 5n, { tenant })].map(one => ask(engine, one)))
  const reasons = answers.map(({ decision }) => decision.reason)
  expect(reasons.filter(reason => reason === 'amount_too_large').length).toBe(6)
  expect(reasons.filter(reason => reason === 'approved').length).toBe(4)
  // Others have their loads from the same organisation.
  await ask(engine, make.clawback(holder, null, { tenant }))
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

describe('push-back', () => {
  test('a full lane refuses, and nothing is lost or done twice', async () => {
    const limits = { ...laneLimits, batchMax: 4, queueMax: 8 }
    const small = ledger.engine({ laneCount: 1, limits })
    const card = newCard()
    const commands = Array.from({ length: 60 }, (_, n) => authorize(BigInt(n + 1), { card, channel: 'terminal' }))
    const pending = commands.map(command => small.submit(command))
    expect(small.isFull).toBe(true)
    const drained = new Promise<boolean>(resolve => small.onceDrained(() => resolve(small.isFull)))
    const first = await Promise.all(pending)
    expect(await drained).toBe(false)
    const busy = commands.filter((_, n) => first[n]?.kind === 'refused')
    expect(first.filter(({ kind }) => kind === 'refused')).toEqual(
      busy.map(() => ({ kind: 'refused', reason: 'switch_busy' })),
    )
    expect(busy.length).toBe(52)
    expect((await readDecisions(ledger)).filter(({ key }) => busy.some(command => command.key === key))).toEqual([])
    for (const command of busy) expect(reasonOf(await ask(small, command))).toBe('approved')
    expect((await lotOf(card)).debitsPending).toBe((60n * 61n) / 2n)
    expect([small.isFull, small.queued]).toEqual([false, 0])
  })

  test('what has waited too long is refused as busy, without effect', async () => {
    const card = newCard()
    const outside = await ledger.pool.connect()
    try {
      await outside.query('BEGIN')
      await outside.query('SELECT FROM cardholders WHERE tenant = $1 AND id = $2 FOR UPDATE', [tenant, holderOf(card)])
      const impatient = ledger.engine({
        laneCount: 1,
        limits: { ...laneLimits, batchMax: 1, waitMaxMs: 500 },
        events: { batch() {}, fault() {}, away() {}, back() {} },
      })
      await ask(impatient, authorize(1n))
      const [held, waiting] = [impatient.submit(authorize(1n, { card })), impatient.submit(authorize(1n))]
      expect(await waiting).toEqual({ kind: 'refused', reason: 'switch_busy' })
      expect(await held).toEqual({ kind: 'refused', reason: 'switch_busy' })
    } finally {
      await outside.query('ROLLBACK')
      outside.release()
    }
    expect((await lotOf(card)).debitsPending).toBe(0n)
    expect(reasonOf(await ask(engine, authorize(1n, { card })))).toBe('approved')
  })

  test('a closed engine takes no more work, and has finished what it had', async () => {
    const closing = ledger.engine()
    const pending = Array.from({ length: 20 }, () => closing.submit(authorize(1n)))
    await closing.close()
    expect((await Promise.all(pending)).map(reasonOf)).toEqual(pending.map(() => 'approved'))
    expect(await closing.submit(authorize(1n))).toEqual({ kind: 'refused', reason: 'switch_unavailable' })
  })
})

describe('the hash chain', () => {
  interface Link {
    run: string
    position: string
    seq: string
    decisions: number
    found: string
    hash: string
    text: string
  }
  const readLinks = async (query: (text: string) => Promise<{ rows: Link[] }>): Promise<Link[]> => {
    const previous = "coalesce(encode(lag(b.hash) OVER (PARTITION BY b.run ORDER BY b.position), 'hex'), '')"
    const { rows } = await query(
      `SELECT b.run, b.position, b.seq, b.decisions, encode(b.hash, 'hex') AS hash,
         b.previous || '|' || b.seq || '|' || ${microsOf('b.at')} || (SELECT string_agg(${chainLineSql('d')}, ''
           ORDER BY d.idx) FROM decisions d WHERE d.tenant = b.tenant AND d.batch_seq = b.seq) AS text,
         (SELECT count(*) FROM decisions d WHERE d.tenant = b.tenant AND d.batch_seq = b.seq) AS found
       FROM (SELECT b.*, ${previous} AS previous FROM batches b) AS b ORDER BY b.run, b.position`,
    )
    return rows
  }
  const broken = (links: readonly Link[]): Link[] =>
    links.filter(({ text, hash }) => createHash('sha256').update(text).digest('hex') !== hash)

  test('holds every decision, link by link, and an edited row breaks it', async () => {
    await Promise.all(Array.from({ length: 30 }, () => ask(engine, authorize(1n, { card: tokenOf(3) }))))
    const links = await readLinks(text => ledger.pool.query<Link>(text))
    expect(links.length).toBeGreaterThan(10)
    expect(broken(links)).toEqual([])
    expect(links.filter(({ decisions, found }) => `${decisions}` !== found)).toEqual([])
    const seen = new Map<string, number>()
    for (const { run, position } of links) {
      expect(`${seen.get(run) ?? 0}`).toBe(position)
      seen.set(run, (seen.get(run) ?? 0) + 1)
    }
    const client = await ledger.pool.connect()
    try {
      for (const edit of [
        'legs = NULL',
        'reason = 20',
        'requested = requested + 1',
        "content = '\\x00'",
        'phase = 3',
      ]) {
        await client.query('BEGIN')
        await client.query(
          `UPDATE decisions SET ${edit} WHERE (tenant, key) = (SELECT tenant, key FROM decisions
             WHERE legs IS NOT NULL AND txn IS NOT NULL AND phase = 1 LIMIT 1)`,
        )
        expect([edit, broken(await readLinks(text => client.query<Link>(text))).length]).toEqual([edit, 1])
        await client.query('ROLLBACK')
      }
    } finally {
      client.release()
    }
  })
})
