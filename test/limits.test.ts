import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Authorize } from '../src/core/commands.ts'
import { noNote } from '../src/core/loads.ts'
import type { Engine } from '../src/engine/engine.ts'
import type { Result } from '../src/engine/result.ts'
import { sweepLots } from '../src/jobs/sweep-lots.ts'
import { audit } from '../src/store/audit.ts'
import { commandsOf, newClientKey } from './support/commands.ts'
import { startLedger, type TestLedger, tokenOf } from './support/switch.ts'

const cards = 40
let ledger: TestLedger
let engines: Engine[]
let make: ReturnType<typeof commandsOf>

const limit = (of: string, per: string, most: object): object => ({ of, per, ...most })

beforeAll(async () => {
  ledger = await startLedger({
    cards,
    programs: [
      { code: 'counted', kind: 'credit', terms: { limits: [limit('account', 'day', { count: 100 })] } },
      { code: 'budget', kind: 'welfare', terms: { limits: [limit('organisation', 'month', { amount: 1_000 })] } },
      { code: 'short', kind: 'gift', terms: { returns: { intoExpired: 'breakage' } } },
    ],
    load: [],
  })
  engines = [ledger.engine({ laneCount: 2 }), ledger.engine({ laneCount: 2 })]
  make = commandsOf(ledger.catalog.tenant.id)
})

afterAll(() => ledger.close())

const programOf = (code: string): number =>
  [...ledger.catalog.programsById.values()].find(one => one.code === code)?.id ?? 0

const reasonOf = (result: Result): string => (result.kind === 'decided' ? result.decision.reason : result.kind)

function count(results: readonly Result[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const result of results) counts[reasonOf(result)] = (counts[reasonOf(result)] ?? 0) + 1
  return counts
}

const either = (index: number): Engine => engines[index % 2] as Engine

async function load(holder: number, program: string, amount: bigint, expiresAt: number | null = null): Promise<Result> {
  const result = await either(0).submit({
    kind: 'load',
    tenant: ledger.catalog.tenant.id,
    channel: 'api',
    key: newClientKey(),
    day: null,
    content: 'aa',
    holder,
    program: programOf(program),
    funder: 1,
    amount,
    expiresAt,
    note: noNote,
  })
  expect(reasonOf(result)).toBe('approved')
  return result
}

/** On either engine in turn: two switches at one database. */
const spendAll = (commands: readonly Authorize[]): Promise<Result[]> =>
  Promise.all(commands.map((command, index) => either(index).submit(command)))

const purchases = (times: number, card: (index: number) => number, amount: bigint): Authorize[] =>
  Array.from({ length: times }, (_, index) =>
    make.authorize({ card: tokenOf(card(index)), amount, key: newClientKey(), capture: index % 3 === 0 }),
  )

async function auditFindings(): Promise<string[]> {
  const wrong: string[] = []
  for await (const { name, offenders } of audit(ledger.url))
    if (offenders.length > 0) wrong.push(`${name}: ${offenders}`)
  return wrong
}

describe('limits of one holder', () => {
  test('1,000 spends at once against 100 a day admit exactly 100, on two switches', async () => {
    await load(1, 'counted', 1_000_000n)
    const results = await spendAll(purchases(1_000, () => 1, 7n))
    expect(count(results)).toEqual({ approved: 100, count_limit: 900 })
  })

  test('a reverse gives one back, and only one more is approved', async () => {
    await load(2, 'counted', 1_000_000n)
    const [first] = await spendAll(purchases(100, () => 2, 7n))
    const transaction = first?.kind === 'decided' ? first.decision.transaction : null
    expect(reasonOf(await either(1).submit(make.reverse({ by: 'id', id: transaction ?? 0 })))).toBe('approved')
    expect(count(await spendAll(purchases(20, () => 2, 7n)))).toEqual({ approved: 1, count_limit: 19 })
  })
})

describe('budgets of an organisation', () => {
  test('holders spend at once, and exactly the budget is approved', async () => {
    for (let holder = 3; holder <= 32; holder++) await load(holder, 'budget', 1_000n)
    const results = await spendAll(purchases(300, index => 3 + (index % 30), 10n))
    expect(count(results)).toEqual({ approved: 100, budget_exhausted: 200 })
    const approved = results.flatMap(result =>
      reasonOf(result) === 'approved' && result.kind === 'decided' ? [result.decision.transaction ?? 0] : [],
    )
    const reversed = await Promise.all(
      approved.slice(0, 10).map((id, index) => either(index).submit(make.reverse({ by: 'id', id }))),
    )
    expect(count(reversed)).toEqual({ approved: 10 })
    expect(count(await spendAll(purchases(30, index => 3 + index, 10n)))).toEqual({
      approved: 10,
      budget_exhausted: 20,
    })
  })
})

test('a budget that somebody else holds keeps nobody waiting who needs none', async () => {
  await load(34, 'budget', 1_000n)
  await load(35, 'counted', 1_000n)
  const engine = ledger.engine({ laneCount: 1, events: { batch() {}, fault() {}, away() {}, back() {} } })
  const client = await ledger.pool.connect()
  try {
    await client.query('BEGIN; SELECT FROM organisation_counters FOR NO KEY UPDATE')
    const waiting = engine.submit(make.authorize({ card: tokenOf(34), amount: 1n, key: newClientKey() }))
    const first = engine.submit(make.authorize({ card: tokenOf(35), amount: 1n, key: newClientKey() }))
    expect(reasonOf(await first)).toBe('approved')
    const began = performance.now()
    const more = purchases(20, () => 35, 1n).map(command => engine.submit(command))
    expect(count(await Promise.all(more))).toEqual({ approved: 20 })
    expect(performance.now() - began).toBeLessThan(1_500)
    await client.query('ROLLBACK')
    expect(reasonOf(await waiting)).toMatch(/approved|budget_exhausted/)
  } finally {
    await client.query('ROLLBACK')
    client.release()
  }
}, 20_000)

describe('lots that expire', () => {
  const now = async (): Promise<number> => {
    const { rows } = await ledger.pool.query<{ at: string }>(
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text AS at',
    )
    return Number.parseInt(rows[0]?.at ?? '', 10)
  }

  test('are not spent, and swept once, however many switches do it', async () => {
    await load(33, 'short', 100n, (await now()) + 300_000)
    const held = await either(0).submit(make.authorize({ card: tokenOf(33), amount: 30n }))
    expect(reasonOf(held)).toBe('approved')
    await new Promise(resolve => setTimeout(resolve, 350))
    expect(reasonOf(await either(1).submit(make.authorize({ card: tokenOf(33), amount: 10n })))).toBe('credit_expired')
    const tenant = ledger.catalog.tenant.id
    const swept = await Promise.all(engines.map(engine => sweepLots(ledger.pool, engine, tenant)))
    expect(Math.max(...swept)).toBe(1)
    const lots = async () =>
      (await ledger.pool.query('SELECT debits_posted, debits_pending, sweep_due FROM lots WHERE holder = 33')).rows
    expect(await lots()).toEqual([{ debits_posted: '70', debits_pending: '30', sweep_due: null }])

    const id = held.kind === 'decided' ? (held.decision.transaction ?? 0) : 0
    expect(reasonOf(await either(0).submit(make.reverse({ by: 'id', id })))).toBe('approved')
    expect(await sweepLots(ledger.pool, either(0), tenant)).toBe(1)
    expect(await lots()).toEqual([{ debits_posted: '100', debits_pending: '0', sweep_due: null }])
  })
})

test('the audit holds after all of it', async () => {
  expect(await auditFindings()).toEqual([])
})
