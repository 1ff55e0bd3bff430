import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { Result } from '../src/engine/result.ts'
import { SettlementService } from '../src/engine/settlement.ts'
import { nowMicros } from '../src/ops/clock.ts'
import { BatchError, sqlstateOf } from '../src/store/errors.ts'
import { createReadPool } from '../src/store/reads/pool.ts'
import { Session } from '../src/store/session.ts'
import { statement } from '../src/store/sql.ts'
import { type Arena, inArena } from './support/arena.ts'
import { type CheckName, redOf } from './support/checker.ts'
import { originalKey } from './support/commands.ts'
import { both, quietEvents, type Rigging, without } from './support/rigging.ts'
import { startBalance, tokenOf } from './support/switch.ts'

const decided = (result: Result): Extract<Result, { kind: 'decided' }> => {
  if (result.kind !== 'decided') throw new Error(`not decided: ${JSON.stringify(result)}`)
  return result
}
const reasonOf = (result: Result): string => (result.kind === 'decided' ? result.decision.reason : result.kind)
const idOf = (result: Result): number => decided(result).decision.transaction as number
const countOf = (results: readonly Result[], reason: string): number =>
  results.filter(result => reasonOf(result) === reason).length

// The protecting lines, each taken out.
const noLock = without(/^lock_holders_/, /FOR NO KEY UPDATE OF h\s*/)
const allReads = ['read_transactions', 'read_transactions_by_key', 'read_decisions']
const noGuard = without(/^update_(read_)?lots$/, /AND \(x\.debits_pending \+ x\.debits_posted <=[\s\S]*?(?=RETURNING)/)
const noPlace = without('update_read_lots', 'l.ctid = x.read AND')
const noPhaseCheck = without('update_transactions', /AND t\.phase = x\.read_phase AND t\.version = x\.read_version/)
const onConflict = without('insert_decisions', /$/, ' ON CONFLICT DO NOTHING')
const noRefusalOfOriginal = without('insert_decisions', /$/, " WHERE content <> ''")
const noConstraint = ['ALTER TABLE lots DROP CONSTRAINT lot_within_limit']

/** Rivals meet between the reads and the writes of a batch. */
const gapMs = 15
const rounds = 6

interface Race {
  readonly name: string
  readonly play: (arena: Arena, round: number) => Promise<unknown>
  /** What is taken out, and which checks must then be red: none where another line still protects. */
  readonly variants: readonly (readonly [
    out: string,
    options: Rigging & { readonly sql?: readonly string[] },
    red: readonly CheckName[],
  ])[]
}

const races: readonly Race[] = [
  {
    name: 'ON CONFLICT beside an effect doubles money',
    async play({ client, commands, one, other }) {
      const authorize = commands.authorize()
      await Promise.all([client.send(authorize, one), client.send(authorize, other)])
    },
    variants: [
      ['nothing', {}, []],
      ['the order: keys read before the locks', { beforeLocks: ['read_decisions'] }, []],
      ['the plain insert', { rewrite: onConflict }, []],
      ['both', { beforeLocks: ['read_decisions'], rewrite: onConflict }, ['C2', 'C3']],
    ],
  },
  {
    name: 'a reverse crosses its authorize',
    async play({ client, commands, one, other }, round) {
      const authorize = commands.authorize()
      const reverse = commands.reverse(originalKey(authorize))
      await Promise.all([
        sleep(round % 2).then(() => client.send(authorize, one)),
        sleep((round + 1) % 2).then(() => client.send(reverse, other)),
      ])
    },
    variants: [
      ['nothing', {}, []],
      ["the refusal under the original's own key", { rewrite: noRefusalOfOriginal }, ['C3']],
    ],
  },
  {
    name: 'two first spends against one balance',
    async play({ client, commands, one, other }, round) {
      const spend = () => commands.authorize({ card: tokenOf(round + 6), amount: (startBalance * 8n) / 10n })
      await Promise.all([client.send(spend(), one), client.send(spend(), other)])
    },
    variants: [
      ['nothing', {}, []],
      ['all but the lock', { rewrite: both(noGuard, noPlace), sql: noConstraint }, []],
      ['all but the guard', { rewrite: both(noLock, noPlace), sql: noConstraint }, []],
      ['all but the place of the row', { rewrite: both(noLock, noGuard), sql: noConstraint }, []],
      ['all but the constraint', { rewrite: both(noLock, noGuard, noPlace) }, []],
      ['all of them', { rewrite: both(noLock, noGuard, noPlace), sql: noConstraint }, ['C7']],
    ],
  },
  {
    name: 'a stale phase: two confirms of one hold',
    async play({ client, commands, one, other }) {
      const [hold] = await Promise.all([client.send(commands.authorize(), one), client.send(commands.authorize(), one)])
      const original = { by: 'id', id: idOf(hold) } as const
      await Promise.all([
        client.send(commands.confirm(original, { amount: 600n }), one),
        client.send(commands.confirm(original, { amount: 700n }), other),
      ])
    },
    variants: [
      ['nothing', {}, []],
      ['the order: read before the locks', { beforeLocks: allReads }, []],
      ['the check of phase and version', { rewrite: noPhaseCheck }, []],
      ['both', { beforeLocks: allReads, rewrite: noPhaseCheck }, ['C2', 'C8']],
    ],
  },
  {
    name: 'a failed write with a COMMIT behind it',
    async play({ client, commands, one, other }) {
      const authorize = commands.authorize()
      await Promise.all([client.send(authorize, one), client.send(authorize, other)])
    },
    variants: [
      ['nothing, but keys collide', { beforeLocks: ['read_decisions'] }, []],
      ['the check of every reply', { beforeLocks: ['read_decisions'], trusts: true }, ['C3']],
    ],
  },
]

const cases = races.flatMap(({ name, play, variants }) =>
  variants.map(([out, options, red]) => ({ name, play, out, options, red })),
)

test.each(cases)('$name; taken out: $out', async ({ play, options: { sql = [], ...rigging }, red }) => {
  const findings = await inArena({ cards: rounds + 6, rigging: { gapMs, ...rigging }, sql }, async arena => {
    for (let round = 0; round < rounds; round++) await play(arena, round)
  })
  if (red.length === 0) expect(findings).toEqual([])
  else expect(redOf(findings)).toEqual(expect.arrayContaining([...red]))
})

describe('reverse by bill number crosses its authorize', () => {
  test.each([
    ['as it is', {}, false],
    ['without the lock on the name', { rewrite: without('lock_names', 'pg_advisory_xact_lock(name)', 'name') }, true],
  ] as const)('%s', async (_name, rigging, damaged) => {
    let contradictions = 0
    const findings = await inArena({ rigging: { gapMs, ...rigging } }, async ({ client, commands, one, other }) => {
      for (let round = 0; round < rounds; round++) {
        const reference = `bill-${round}`
        const original = { by: 'reference', merchant: 'M00000000000001', reference } as const
        const [opened, reversed] = await Promise.all([
          client.send(commands.authorize({ reference }), one),
          client.send(commands.reverse(original), other),
        ])
        // Told "reversed" of a purchase that was not there, which was approved all the same.
        if (reasonOf(opened) === 'approved' && decided(reversed).decision.transaction === null) contradictions += 1
      }
    })
    expect(findings).toEqual([])
    expect(contradictions > 0).toBe(damaged)
  })
})

describe.concurrent('the time of a decision is that after the wait for the lock', () => {
  const startOfTransaction = without('read_clock', 'clock_timestamp()', 'now()')
  test.each([
    ['clock_timestamp()', {}, 'confirm_too_late'],
    ['now()', { rewrite: startOfTransaction }, 'approved'],
  ] as const)('%s: a hold that runs out during the wait', async (_name, rigging, reason) => {
    await inArena({ rigging }, async ({ client, commands, one, lockHolder }) => {
      const hold = await client.send(commands.authorize({ confirmWithinSeconds: 1 }))
      const lock = await lockHolder(1)
      const confirm = client.send(commands.confirm({ by: 'id', id: idOf(hold) }), one)
      await sleep(1_200)
      await lock.release()
      expect(reasonOf(await confirm)).toBe(reason)
    })
  })
})

describe('COMMIT behind a failed write', () => {
  test('node-postgres resolves it, with the tag ROLLBACK', async () => {
    await inArena({}, async ({ ledger }) => {
      const client = new pg.Client({ connectionString: ledger.url, pipeline: true })
      await client.connect()
      const flight = ['BEGIN', 'SELECT 1 / 0', 'COMMIT'].map(text => client.query(text))
      const [, failed, commit] = await Promise.allSettled(flight)
      expect(failed).toMatchObject({ status: 'rejected', reason: { code: '22012' } })
      expect(commit).toMatchObject({ status: 'fulfilled', value: { command: 'ROLLBACK' } })
      await client.end()
    })
  })

  test.each([
    ['a key that is there already', 'SELECT expect_rows(1, 2, $$keys$$)', 'again'],
    ['a value that cannot be', 'SELECT 1 / 0', 'poison'],
  ] as const)('a session throws: %s', async (_name, failing, fault) => {
    await inArena({}, async ({ ledger }) => {
      const session = await Session.connect(ledger.url)
      const flight = ['BEGIN', failing, 'COMMIT'].map((text, n) => statement(`step_${n}`, text))
      const error = await session.run(flight, { commits: true }).catch(thrown => thrown)
      expect(error).toBeInstanceOf(BatchError)
      expect(error).toMatchObject({ fault, inDoubt: false })
      expect(session.isBroken).toBe(false)
      await session.close()
    })
  })

  test('a session takes no tag but COMMIT for a commit', async () => {
    await inArena({}, async ({ ledger }) => {
      const session = await Session.connect(ledger.url)
      const flight = ['BEGIN', 'ROLLBACK'].map(text => statement('', text))
      await expect(session.run(flight, { commits: true })).rejects.toMatchObject({ fault: 'again', inDoubt: false })
      await session.close()
    })
  })
})

describe('two batches with the same holders', () => {
  const backwards = without(/^lock_holders_/, 'ORDER BY h.id FOR', 'ORDER BY h.id DESC FOR')
  test.each([
    ['locked in one order', {}, false],
    ['locked in two orders', { otherRigging: { rewrite: backwards } }, true],
  ] as const)('%s', async (_name, options, deadlocks) => {
    const findings = await inArena(options, async ({ client, commands, one, other, faults, lockHolder }) => {
      const lock = await lockHolder(4)
      const purchases = (engine: Arena['one']) =>
        Array.from({ length: 8 }, (_, index) => client.send(commands.authorize({ card: tokenOf(index + 1) }), engine))
      const results = [...purchases(one), ...purchases(other)]
      await sleep(300)
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
  test('with more commands waiting for it than a batch takes: the others go on all the same', async () => {
    const findings = await inArena({}, async ({ client, commands, one, lockHolder }) => {
      const lock = await lockHolder(1)
      const locked = Array.from({ length: 600 }, () => client.send(commands.authorize({ card: tokenOf(1) }), one))
      await sleep(2_300)
      const started = performance.now()
      for (let n = 0; n < 5; n++) {
        expect(reasonOf(await client.send(commands.authorize({ card: tokenOf(3) }), one))).toBe('approved')
      }
      expect(performance.now() - started).toBeLessThan(1_000)
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
      expect(performance.now() - again).toBeLessThan(1_000)
      const results = await Promise.all(locked)
      expect(countOf(results, outcome)).toBe(8)
      await released
      if (outcome === 'refused') expect(results[0]).toEqual({ kind: 'refused', reason: 'switch_busy' })
      expect(reasonOf(await client.send(commands.authorize({ card: tokenOf(1) })))).toBe('approved')
    })
    expect(findings).toEqual([])
  })
})
