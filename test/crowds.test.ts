import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { SettlementService } from '../src/engine/settlement.ts'
import { nowMicros } from '../src/ops/clock.ts'
import { sqlstateOf } from '../src/store/errors.ts'
import { createReadPool } from '../src/store/reads/pool.ts'
import { type Arena, inArena } from './support/arena.ts'
import { redOf } from './support/checker.ts'
import { originalKey } from './support/commands.ts'
import { countOf, decided, idOf, reasonOf } from './support/results.ts'
import { lanesThatWait, quietEvents, without } from './support/rigging.ts'
import { startBalance, tokenOf } from './support/switch.ts'

const rounds = 6

describe('two batches with the same holders', () => {
  const backwards = without(/^lock_holders_/, 'ORDER BY h.id FOR', 'ORDER BY h.id DESC FOR')
  test.each([
    ['locked in one order', {}, false],
    ['locked in two orders', { otherRigging: { rewrite: backwards } }, true],
  ] as const)('%s', async (_name, options, deadlocks) => {
    const findings = await inArena(options, async ({ client, commands, ledger, one, other, faults, lockHolder }) => {
      const lock = await lockHolder(4)
      const purchases = (engine: Arena['one']) =>
        Array.from({ length: 8 }, (_, index) => client.send(commands.authorize({ card: tokenOf(index + 1) }), engine))
      const results = [...purchases(one), ...purchases(other)]
      while ((await lanesThatWait(ledger.pool)) < 2) await sleep(2)
      await lock.release()
      // The loser of a deadlock runs again: nobody is told of it.
      expect(countOf(await Promise.all(results), 'approved')).toBe(16)
      expect(faults.some(({ error }) => sqlstateOf(error.cause) === '40P01')).toBe(deadlocks)
    })
    expect(findings).toEqual([])
  })
})

describe('crowds on two engines', () => {
  test.each([
    ["a terminal's key", {}],
    ["an API client's key", { key: `80${'0'.repeat(30)}` }],
  ])('64 copies of one request: %s', async (_name, over) => {
    const findings = await inArena({}, async ({ client, commands, one, other, ledger }) => {
      const authorize = commands.authorize(over)
      const copies = Array.from({ length: 64 }, (_, n) => client.send(authorize, n % 2 === 0 ? one : other))
      const results = (await Promise.all(copies)).map(decided)
      const later = decided(await client.send(authorize, other))
      expect(new Set([...results, later].map(result => idOf(result))).size).toBe(1)
      expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1)
      expect(later.replayed).toBe(true)
      expect(later.decision).toEqual(results[0]?.decision)
      const { rows } = await ledger.pool.query('SELECT sum(debits_pending)::int AS held FROM lots')
      expect(rows).toEqual([{ held: 1_000 }])
    })
    expect(findings).toEqual([])
  })

  test('150 spends of a hundredth admit exactly the balance', async () => {
    const amount = startBalance / 100n
    const findings = await inArena({}, async ({ client, commands, one, other }) => {
      const spends = Array.from({ length: 150 }, (_, n) =>
        client.send(commands.authorize({ card: tokenOf(9), amount, capture: n % 3 === 0 }), n % 2 === 0 ? one : other),
      )
      const results = await Promise.all(spends)
      expect(countOf(results, 'approved')).toBe(100)
      expect(countOf(results, 'insufficient_funds') + countOf(results, 'insufficient_funds_held')).toBe(50)
    })
    expect(findings).toEqual([])
  })

  test('16 partial confirms of one hold: one captures', async () => {
    const findings = await inArena({}, async ({ client, commands, one, other }) => {
      const original = { by: 'id', id: idOf(await client.send(commands.authorize())) } as const
      const confirms = Array.from({ length: 16 }, (_, n) =>
        client.send(commands.confirm(original, { amount: BigInt(100 + n) }), n % 2 === 0 ? one : other),
      )
      const results = await Promise.all(confirms)
      expect(countOf(results, 'approved')).toBe(1)
      expect(countOf(results, 'not_confirmable')).toBe(15)
    })
    expect(findings).toEqual([])
  })

  test('one key, 16 contents: one has it, the others are told which', async () => {
    const findings = await inArena({}, async ({ client, commands, one, other }) => {
      const { key } = commands.authorize()
      const requests = Array.from({ length: 16 }, (_, n) => commands.authorize({ key, amount: BigInt(100 + n) }))
      const results = await Promise.all(requests.map((request, n) => client.send(request, n % 2 === 0 ? one : other)))
      const winner = results.findIndex(result => result.kind === 'decided')
      const stored = requests[winner]?.content
      expect(results.filter(result => result.kind === 'decided')).toHaveLength(1)
      expect(results.filter(result => result.kind === 'other_content' && result.stored === stored)).toHaveLength(15)
    })
    expect(findings).toEqual([])
  })

  test('confirm and reverse of one hold at once: the reverse has the last word', async () => {
    const findings = await inArena({}, async ({ client, commands, one, other }) => {
      for (let round = 0; round < rounds; round++) {
        const original = { by: 'id', id: idOf(await client.send(commands.authorize())) } as const
        const channel = 'api'
        const results = await Promise.all([
          client.send(commands.confirm(original, { channel }), one),
          client.send(commands.reverse(original, { channel }), other),
        ])
        // Either the reverse was first, or it undid what was confirmed.
        expect(['approved,approved', 'not_confirmable,approved']).toContain(results.map(reasonOf).join())
      }
    })
    expect(findings).toEqual([])
  })
})

describe('closing a settlement versus batches under way', () => {
  const noFence = without('fence', /^SELECT .*/, 'SELECT $1::integer')
  test.each([
    ['as it is', {}, []],
    ['without the fence', { rewrite: noFence }, ['settlements']],
  ] as const)('%s', async (_name, rigging, red) => {
    const findings = await inArena({ rigging: { gapMs: 10, ...rigging } }, async arena => {
      const { client, commands, one, other, ledger } = arena
      const reads = createReadPool({ url: ledger.url, connectionsMax: 2, statementTimeoutMs: 5_000 }, () => undefined)
      const { catalog, pool } = ledger
      // Two processes close the same merchants at once; the engine they post through is a third, so that none waits.
      const submit = ledger.engine({ laneCount: 1, events: quietEvents })
      const service = () =>
        new SettlementService({ pool, query: reads.query, submit, catalogOf: () => catalog, now: nowMicros })
      const everything = { merchant: null, businessDate: null, merchants: '*' } as const
      const close = async (of: SettlementService) => {
        const key = randomUUID().replaceAll('-', '')
        const closing = await of.close({ tenant: catalog.tenant.id, key, content: '00', ...everything })
        return closing.kind === 'closed' ? closing.settlements : []
      }
      const [first, second] = [service(), service()]
      let isOver = false
      const load = Promise.all(
        [one, other].map(async (engine, side) => {
          for (let n = 0; !isOver; n++) {
            const card = tokenOf(1 + ((2 * n + side) % 20))
            const purchase = commands.authorize({ card, amount: 500n, capture: n % 2 === 0 })
            await client.send(purchase, engine)
            if (n % 2 === 1) await client.send(commands.confirm(originalKey(purchase)), engine)
            if (n % 3 === 0) await client.send(commands.refund(originalKey(purchase), { amount: 100n }), engine)
          }
        }),
      )
      const closed = []
      // As many as it takes for a batch to be under way in some of them.
      while (closed.length < 24) closed.push(...(await Promise.all([close(first), close(second)])).flat())
      isOver = true
      await load
      closed.push(...(await close(first)))
      expect(await close(second)).toEqual([])
      expect(new Set(closed.map(({ id }) => id)).size).toBe(closed.length)
      await reads.close()
    })
    expect(redOf(findings)).toEqual(red)
  })
})

describe('one poison command in a batch of 256', () => {
  const nul = 'a\u0000b'
  test.each([
    ['a bill number that no text may be, in the locks', { reference: nul }, 'internal_error'],
    ['a number of the terminal that no text may be, in the writes', { rrn: nul }, 'internal_error'],
    ['an amount beyond all integers, in the writes', { amount: 10n ** 20n }, 'internal_error'],
    ['a key that is none, in the reads', { key: 'z'.repeat(32) }, 'internal_error'],
    ['a day that no integer holds, in the reads', { day: 10 ** 12 }, 'internal_error'],
  ])('%s: the other 255 commit', async (_name, poison, reason) => {
    const findings = await inArena({}, async ({ client, commands, one, faults }) => {
      const requests = Array.from({ length: 256 }, (_, n) =>
        n === 100 ? commands.authorize(poison) : commands.authorize({ card: tokenOf(1 + (n % 20)) }),
      )
      const results = await Promise.all(requests.map(request => one.submit(request)))
      await Promise.all(requests.filter((_, n) => n !== 100).map(request => client.send(request)))
      expect(faults[0]?.size).toBe(256)
      expect(countOf(results, 'approved')).toBe(255)
      expect(results[100]).toEqual({ kind: 'refused', reason })
    })
    expect(findings).toEqual([])
  })

  test('a command that no core can decide', async () => {
    const findings = await inArena({}, async ({ client, commands, one }) => {
      const { tenant, key } = commands.authorize()
      const base = { tenant, key, channel: 'switch', day: null, content: '00' } as const
      const poison = one.submit({ ...base, kind: 'settle', merchant: 'nobody', net: 1n, fee: 0n })
      const others = Array.from({ length: 40 }, () => client.send(commands.authorize(), one))
      expect(await poison).toEqual({ kind: 'refused', reason: 'internal_error' })
      expect(countOf(await Promise.all(others), 'approved')).toBe(40)
    })
    expect(findings).toEqual([])
  })
})

describe.concurrent('a row that is locked from outside', () => {
  /** One batch that waits for the row takes as long. */
  const lockTimeoutMs = 2_000

  test('with more commands waiting for it than a batch takes: the others go on all the same', async () => {
    // How long 600 commands may wait is not what this is about, and how long they take is the machine's.
    const patient = { limits: { waitMaxMs: 30_000 } }
    const findings = await inArena(patient, async ({ client, commands, one, lockHolder }) => {
      const lock = await lockHolder(1)
      const locked = Array.from({ length: 600 }, () => client.send(commands.authorize({ card: tokenOf(1) }), one))
      await sleep(2_300)
      const started = performance.now()
      for (let n = 0; n < 5; n++) {
        expect(reasonOf(await client.send(commands.authorize({ card: tokenOf(3) }), one))).toBe('approved')
      }
      expect(performance.now() - started).toBeLessThan(lockTimeoutMs)
      await lock.release()
      expect(countOf(await Promise.all(locked), 'approved')).toBe(600)
    })
    expect(findings).toEqual([])
  })

  test.each([
    ['for 3 s: its commands wait aside', 3_000, 'approved'],
    ['for 7 s: its commands are told to try again', 7_000, 'refused'],
  ] as const)('%s; the others go on', async (_name, lockedMs, outcome) => {
    const findings = await inArena({}, async ({ client, commands, one, lockHolder }) => {
      const lock = await lockHolder(1)
      const released = sleep(lockedMs).then(() => lock.release())
      const locked = Array.from({ length: 8 }, () => client.send(commands.authorize({ card: tokenOf(1) }), one))
      const first = Array.from({ length: 20 }, (_, n) =>
        client.send(commands.authorize({ card: tokenOf(2 + (n % 15)) }), one),
      )
      const started = performance.now()
      expect(countOf(await Promise.all(first), 'approved')).toBe(20)
      expect(performance.now() - started).toBeLessThan(lockedMs)
      // From here on nobody waits for the locked row any more.
      const again = performance.now()
      for (let n = 0; n < 5; n++)
        expect(reasonOf(await client.send(commands.authorize({ card: tokenOf(3) })))).toBe('approved')
      expect(performance.now() - again).toBeLessThan(lockTimeoutMs)
      const results = await Promise.all(locked)
      expect(countOf(results, outcome)).toBe(8)
      await released
      if (outcome === 'refused') expect(results[0]).toEqual({ kind: 'refused', reason: 'switch_busy' })
      expect(reasonOf(await client.send(commands.authorize({ card: tokenOf(1) })))).toBe('approved')
    })
    expect(findings).toEqual([])
  })
})
