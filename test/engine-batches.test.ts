import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Command } from '../src/core/commands.ts'
import { laneLimits } from '../src/engine/lane.ts'
import { chainLineSql } from '../src/store/batch/chain.ts'
import { microsOf } from '../src/store/sql.ts'
import * as make from './support/core.ts'
import { ask, closeSettlement, readDecisions, reasonOf } from './support/database-ledger.ts'
import { startBalance, tokenOf } from './support/switch.ts'
import {
  authorize,
  confirm,
  engine,
  holderOf,
  ledger,
  lotOf,
  M1,
  M2,
  newCard,
  opened,
  other,
  refund,
  reverse,
  tenant,
  useTwoEngines,
} from './support/two-engines.ts'

useTwoEngines()

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
  const loads = Array.from({ length: 9 }, () => make.load(holder, 2n ** 50n, { tenant }))
  const answers = await Promise.all([...loads, make.load(holder, 5n, { tenant })].map(one => ask(engine, one)))
  const reasons = answers.map(({ decision }) => decision.reason)
  expect(reasons.filter(reason => reason === 'amount_too_large').length).toBe(6)
  expect(reasons.filter(reason => reason === 'approved').length).toBe(4)
  // Others have their loads from the same organisation.
  await ask(engine, make.clawback(holder, null, { tenant }))
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
