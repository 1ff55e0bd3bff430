import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { BatchError } from '../src/store/errors.ts'
import { Session } from '../src/store/session.ts'
import { statement } from '../src/store/sql.ts'
import { type Arena, inArena } from './support/arena.ts'
import { redOf } from './support/checker.ts'
import type { CheckName } from './support/checker-words.ts'
import { originalKey } from './support/commands.ts'
import { decided, idOf, reasonOf } from './support/results.ts'
import { both, lanesThatWait, type Rigging, without } from './support/rigging.ts'
import { startBalance, tokenOf } from './support/switch.ts'

// The protecting lines, each taken out.
const noLock = without(/^lock_holders_/, /FOR NO KEY UPDATE OF h\s*/)
const allReads = ['read_transactions', 'read_transactions_by_key', 'read_decisions']
const noGuard = without(/^update_(read_)?lots$/, /AND \(x\.debits_pending \+ x\.debits_posted <=[\s\S]*?(?=RETURNING)/)
const noPlace = without('update_read_lots', 'l.ctid = x.read AND')
const noPhaseCheck = without('update_transactions', /AND t\.phase = x\.read_phase AND t\.version = x\.read_version/)
const onConflict = without('insert_decisions', /$/, ' ON CONFLICT DO NOTHING')
const noRefusalOfOriginal = without('insert_decisions', /$/, " WHERE content <> ''")
const noConstraint = ['ALTER TABLE lots DROP CONSTRAINT lot_within_limit']

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
      await client.sendTogether([authorize, one], [authorize, other])
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
      const [first, second] = [[authorize, one] as const, [reverse, other] as const]
      await (round % 2 === 0 ? client.sendTogether(first, second) : client.sendTogether(second, first))
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
      await client.sendTogether([spend(), one], [spend(), other])
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
      await client.sendTogether(
        [commands.confirm(original, { amount: 600n }), one],
        [commands.confirm(original, { amount: 700n }), other],
      )
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
      await client.sendTogether([authorize, one], [authorize, other])
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
  const findings = await inArena({ cards: rounds + 6, meets: true, rigging, sql }, async arena => {
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
    const findings = await inArena({ meets: true, rigging }, async ({ client, commands, one, other }) => {
      for (let round = 0; round < rounds; round++) {
        const reference = `bill-${round}`
        const original = { by: 'reference', merchant: 'M00000000000001', reference } as const
        const [opened, reversed] = await client.sendTogether(
          [commands.authorize({ reference }), one],
          [commands.reverse(original), other],
        )
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
    await inArena({ rigging }, async ({ client, commands, ledger, one, other, lockHolder }) => {
      const id = idOf(await client.send(commands.authorize(), one))
      const lock = await lockHolder(1)
      const confirm = client.send(commands.confirm({ by: 'id', id }), other)
      while ((await lanesThatWait(ledger.pool)) === 0) await sleep(2)
      await ledger.pool.query('UPDATE transactions SET expires_at = clock_timestamp() WHERE id = $1', [id])
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
