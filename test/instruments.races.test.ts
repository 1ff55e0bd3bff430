import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Command } from '../src/core/commands.ts'
import { noNote } from '../src/core/loads.ts'
import type { Engine } from '../src/engine/engine.ts'
import type { Result } from '../src/engine/result.ts'
import { SettlementService } from '../src/engine/settlement.ts'
import { sweepLots } from '../src/jobs/sweep-lots.ts'
import { nowMicros } from '../src/ops/clock.ts'
import { audit } from '../src/store/audit.ts'
import { createReadPool, type ReadPool } from '../src/store/reads/pool.ts'
import { commandsOf, newClientKey } from './support/commands.ts'
import { startLedger, type TestLedger, tokenOf } from './support/switch.ts'

const cards = 8
const budget = 60_000n
let ledger: TestLedger
let engines: Engine[]
let reads: ReadPool
let make: ReturnType<typeof commandsOf>
const faults: string[] = []

/** A small generator of numbers, so that a seed gives the same commands. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

beforeAll(async () => {
  ledger = await startLedger({
    cards,
    programs: [
      {
        code: 'meals',
        kind: 'welfare',
        terms: {
          limits: [
            { of: 'organisation', per: 'lifetime', amount: Number(budget) },
            { of: 'account', per: 'lifetime', amount: 20_000, count: 400 },
            { of: 'merchant', per: 'persian_month', amount: 15_000 },
            { of: 'holder', per: 'hours', hours: 24, amount: 1_000_000 },
          ],
          transfersTo: ['gift'],
          returns: { intoExpired: { reviveDays: 1 } },
        },
      },
      { code: 'gift', kind: 'gift', terms: { priority: 1, transfersTo: ['meals'] } },
    ],
    load: [
      { program: 'meals', amount: 9_000n },
      { program: 'gift', amount: 3_000n },
    ],
  })
  const events = {
    batch() {},
    away() {},
    back() {},
    fault: (error: { fault: string; message: string }) => faults.push(`${error.fault}: ${error.message}`),
  }
  engines = [1, 2, 3].map(laneCount => ledger.engine({ laneCount, events }))
  make = commandsOf(ledger.catalog.tenant.id)
  reads = createReadPool({ url: ledger.url, connectionsMax: 1, statementTimeoutMs: 5_000 }, () => undefined)
})

afterAll(async () => {
  await reads.close()
  await ledger.close()
})

const programOf = (code: string): number =>
  [...ledger.catalog.programsById.values()].find(one => one.code === code)?.id ?? 0

const reasonOf = (result: Result): string =>
  result.kind === 'decided' ? result.decision.reason : result.kind === 'refused' ? result.reason : result.kind

async function now(): Promise<number> {
  const { rows } = await ledger.pool.query<{ at: string }>(
    'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text AS at',
  )
  return Number.parseInt(rows[0]?.at ?? '', 10)
}

/** Closes what is confirmed, so that reverses of it come late: a terminal's is a refund then. */
async function settle(): Promise<void> {
  const { pool, catalog } = ledger
  const submit = engines[0] as Engine
  const service = new SettlementService({ pool, query: reads.query, submit, catalogOf: () => catalog, now: nowMicros })
  const request = { tenant: catalog.tenant.id, key: newClientKey(), content: '00', businessDate: null }
  await service.close({ ...request, merchant: null, merchants: '*' })
}

async function numbersOf(sql: string): Promise<bigint[]> {
  const { rows } = await ledger.pool.query<{ n: string }>(sql)
  return rows.map(({ n }) => BigInt(n))
}

/** One command, of whatever kind, on whatever there is. */
function commandAt(random: (below: number) => number, at: number, known: readonly number[]): Command {
  const asked = () => ({
    tenant: ledger.catalog.tenant.id,
    channel: 'api' as const,
    key: newClientKey(),
    day: null,
    content: 'aa',
  })
  const holder = 1 + random(cards)
  const program = programOf(random(2) === 0 ? 'meals' : 'gift')
  const toProgram = programOf(random(2) === 0 ? 'meals' : 'gift')
  const amount = BigInt(1 + random(300))
  const id = known[random(known.length)] ?? 0
  const key = newClientKey()
  switch (random(known.length === 0 ? 8 : 16)) {
    case 0:
      return {
        ...asked(),
        kind: 'transfer',
        holder,
        program,
        toHolder: 1 + random(cards),
        toProgram,
        amount,
        note: noNote,
      }
    case 1:
      return { ...asked(), kind: 'clawback', holder, program, funder: null, amount, note: noNote }
    case 2: {
      const expiresAt = random(2) === 0 ? null : at + 100_000 + random(1_500_000)
      return { ...asked(), kind: 'load', holder, program, funder: 1, amount: amount * 2n, expiresAt, note: noNote }
    }
    case 8:
    case 9:
      return make.confirm({ by: 'id', id }, { key, amount: random(2) === 0 ? null : amount })
    case 10:
    case 11:
    case 12:
      return make.reverse({ by: 'id', id }, { key, extent: random(2) === 0 ? { by: 'all' } : { by: 'off', amount } })
    case 13:
    case 14:
    case 15:
      return make.refund({ by: 'id', id }, { key, amount: random(2) === 0 ? null : amount })
    default:
      return make.authorize({ card: tokenOf(holder), amount, key, capture: random(2) === 0, partial: random(2) === 0 })
  }
}

test('everything at once, on three switches: nothing fails, and every limit has counted what is in force', async () => {
  const random = randomFrom(20_261_122)
  const known: number[] = []
  const reasons: Record<string, number> = {}
  for (let round = 0; round < 12; round++) {
    const at = await now()
    const commands = Array.from({ length: 250 }, () => commandAt(random, at, known))
    const results = await Promise.all([
      ...commands.map((command, index) => (engines[index % 3] as Engine).submit(command)),
      ...engines.map(engine => sweepLots(ledger.pool, engine, ledger.catalog.tenant.id)),
      ...(round % 3 === 2 ? [settle()] : []),
    ])
    for (const result of results) {
      if (typeof result !== 'object') continue
      reasons[reasonOf(result)] = (reasons[reasonOf(result)] ?? 0) + 1
      const opened = result.kind === 'decided' ? result.transaction : null
      if (opened !== null && opened.phase !== 'refused') known.push(opened.id)
    }
  }
  expect(faults.filter(fault => fault.startsWith('poison'))).toEqual([])
  for (const reason of ['internal_error', 'switch_busy', 'unknown', 'other_content']) {
    expect(reasons[reason] ?? 0).toBe(0)
  }

  const legs = `SELECT t.holder, t.merchant, t.kind, t.id, l.program, l.funder, l.held + l.posted AS amount
    FROM transactions t CROSS JOIN LATERAL (SELECT t.legs[i * 5 + 2] AS program, t.legs[i * 5 + 3] AS funder,
      t.legs[i * 5 + 4] AS held, t.legs[i * 5 + 5] AS posted
      FROM generate_series(0, cardinality(t.legs) / 5 - 1) AS i) AS l
    WHERE t.kind <> 2 OR t.rrn IS NULL`
  const counted = (table: string, owner: string) => `SELECT ${owner} AS owner, (u.usage[i * 4 + 1] / 8) % 4 AS scope,
      sum(u.usage[i * 4 + 3]) AS amount, sum(u.usage[i * 4 + 4]) AS count
    FROM ${table} u CROSS JOIN LATERAL generate_series(0, cardinality(u.usage) / 4 - 1) AS i GROUP BY 1, 2`
  const meals = programOf('meals')
  // What limits count is what is held or posted, and what was refunded: only a reverse gives back, a late one too,
  // whose refund has a number of its own.
  const ofHolders = (which: string) => `SELECT coalesce(sum(amount), 0) AS n FROM cardholders h
    LEFT JOIN (${legs}) l ON l.holder = h.id AND ${which} GROUP BY h.id ORDER BY h.id`
  const inUsage = (scope: number, what: string) => `SELECT coalesce(u.${what}, 0) AS n FROM cardholders h
    LEFT JOIN (${counted('cardholders', 'u.id')}) u ON u.owner = h.id AND u.scope = ${scope} ORDER BY h.id`
  const ofMeals = await numbersOf(ofHolders(`l.program = ${meals}`))
  expect(await numbersOf(inUsage(0, 'amount'))).toEqual(ofMeals)
  expect(await numbersOf(inUsage(2, 'amount'))).toEqual(ofMeals)
  expect(await numbersOf(inUsage(1, 'amount'))).toEqual(await numbersOf(ofHolders('true')))
  // Of a purchase that was given back in parts some may be counted although nothing is left; none is left out.
  const purchases = await numbersOf(`SELECT count(DISTINCT coalesce(t.original, t.id)) FILTER (WHERE l.amount > 0) AS n
    FROM cardholders h LEFT JOIN (${legs}) l ON l.holder = h.id
    LEFT JOIN transactions t ON t.id = l.id GROUP BY h.id ORDER BY h.id`)
  const counts = await numbersOf(inUsage(1, 'count'))
  expect(counts.every((count, index) => count >= (purchases[index] ?? 0n))).toBe(true)
  const [spent] = await numbersOf(`SELECT sum(amount) AS n FROM (${legs}) l WHERE l.program = ${meals}`)
  expect(await numbersOf(`SELECT amount AS n FROM (${counted('organisation_counters', 'u.organisation')}) u`)).toEqual([
    spent,
  ])
  expect(spent).toBeLessThanOrEqual(budget)
  expect(ofMeals.every(amount => amount <= 20_000n)).toBe(true)
}, 60_000)

test('nothing was spent from a lot after its expiry, and every lot that has expired is swept', async () => {
  await sweepLots(ledger.pool, engines[0] as Engine, ledger.catalog.tenant.id)
  const late = `SELECT count(*) AS n FROM decisions d
    CROSS JOIN LATERAL generate_series(0, cardinality(d.legs) / 5 - 1) AS i
    JOIN lots l ON l.lot = d.legs[i * 5 + 1]
    WHERE d.kind = 0 AND d.reason IN (0, 1) AND d.legs[i * 5 + 3] + d.legs[i * 5 + 4] > 0 AND d.at >= l.expires_at`
  expect(await numbersOf(late)).toEqual([0n])
  const unswept = `SELECT count(*) AS n FROM lots WHERE expires_at <= clock_timestamp() - interval '1 second'
    AND credits_posted - debits_posted - debits_pending <> 0`
  expect(await numbersOf(unswept)).toEqual([0n])
})

test('the audit holds after all of it', async () => {
  const wrong: string[] = []
  for await (const { name, offenders } of audit(ledger.url))
    if (offenders.length > 0) wrong.push(`${name}: ${offenders}`)
  expect(wrong).toEqual([])
})
