import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandsOf, newClientKey } from '../../test/support/commands.ts'
import { startLedger, type TestLedger, tokenOf } from '../../test/support/switch.ts'
import type { Engine } from '../engine/engine.ts'
import { SettlementService } from '../engine/settlement.ts'
import { nowMicros } from '../ops/clock.ts'
import { beginChecks, checksOf, firstWrong } from './audit/checks.ts'
import { audit } from './audit.ts'
import { createReadPool } from './reads/pool.ts'

let ledger: TestLedger
const depositsName = 'every deposit is in the list of its organisation, and the other way round'
const limitsName = 'every limit has counted what is in force'
const holderOfLimits = 1

beforeAll(async () => {
  ledger = await startLedger({
    cards: 3,
    programs: [
      {
        code: 'meals',
        kind: 'welfare',
        terms: {
          limits: [
            { of: 'organisation', per: 'persian_year', amount: 1_000_000 },
            { of: 'account', per: 'day', amount: 1_000_000, count: 100 },
            { of: 'merchant', per: 'week', amount: 1_000_000 },
            { of: 'holder', per: 'hours', hours: 5, amount: 1_000_000 },
          ],
        },
      },
    ],
    load: [{ program: 'meals', amount: 9_000n }],
  })
  const engine = ledger.engine()
  const make = commandsOf(ledger.catalog.tenant.id)
  const buy = async (amount: bigint): Promise<number> => {
    const key = newClientKey()
    const result = await engine.submit(make.authorize({ card: tokenOf(holderOfLimits), amount, key, capture: true }))
    if (result.kind !== 'decided' || result.transaction === null) throw new Error('a purchase was not decided')
    return result.transaction.id
  }
  const [whole, less, back] = [await buy(1_000n), await buy(700n), await buy(500n)]
  const off = { by: 'off', amount: 200n } as const
  await engine.submit(make.reverse({ by: 'id', id: less }, { key: newClientKey(), extent: off }))
  await engine.submit(make.refund({ by: 'id', id: back }, { key: newClientKey(), amount: 100n }))
  await settle(engine)
  // Late: it is booked as a refund, which gives back to the limits.
  await engine.submit(make.reverse({ by: 'id', id: whole }, { key: newClientKey(), channel: 'terminal' }))
  const note = { reason: null, reference: 'bank 1', actor: 'finance' }
  const asked = { tenant: ledger.catalog.tenant.id, channel: 'api', day: null, content: '00', note } as const
  await engine.submit({ kind: 'deposit', ...asked, key: newClientKey(), organisation: 1, amount: 100_000n })
  await engine.submit({ kind: 'deposit', ...asked, key: newClientKey(), organisation: 1, amount: -20n })
  await buy(300n)
})
afterAll(() => ledger.close())

async function settle(submit: Engine): Promise<void> {
  const { pool, catalog } = ledger
  const reads = createReadPool({ url: ledger.url, connectionsMax: 1, statementTimeoutMs: 5_000 }, () => undefined)
  const service = new SettlementService({ pool, query: reads.query, submit, catalogOf: () => catalog, now: nowMicros })
  const request = { tenant: catalog.tenant.id, key: newClientKey(), content: '00', businessDate: null }
  await service.close({ ...request, merchant: null, merchants: '*' })
  await reads.close()
}

async function brokenNow(): Promise<string[]> {
  const names: string[] = []
  for await (const { name, offenders } of audit(ledger.url)) if (offenders.length > 0) names.push(name)
  return names
}

test('all holds, and each check is told before it begins', async () => {
  const told: string[] = []
  const found: string[] = []
  for await (const { name, offenders, checked } of audit(ledger.url, (number, what) =>
    told.push(`${number} ${what}`),
  )) {
    found.push(`${found.length + 1} ${name}`)
    expect(offenders).toEqual([])
    if (name === limitsName) expect(checked).toBeGreaterThanOrEqual(4)
  }
  expect(told.slice(1)).toEqual(found)
})

describe('what is wrong is found', () => {
  const usage = `UPDATE cardholders SET usage`
  const keepUsage = 'CREATE TABLE kept AS SELECT id, usage FROM cardholders'
  const mendUsage = 'UPDATE cardholders h SET usage = k.usage FROM kept k WHERE k.id = h.id; DROP TABLE kept'
  const isSpent = `lot IN (SELECT legs[1] FROM transactions WHERE holder = ${holderOfLimits})`
  test.each([
    // what, how it breaks, how it is mended, what is found
    ['counted too much', `${keepUsage}; ${usage}[3] = usage[3] + 1`, mendUsage, [limitsName]],
    ['counted too little', `${keepUsage}; ${usage}[3] = usage[3] - 1`, mendUsage, [limitsName]],
    ['a purchase not counted', `${keepUsage}; ${usage}[4] = 0`, mendUsage, [limitsName]],
    ['nothing counted at all', `${keepUsage}; ${usage} = NULL`, mendUsage, [limitsName]],
    [
      'the budget of an organisation',
      'UPDATE organisation_counters SET usage[3] = usage[3] - 1',
      'UPDATE organisation_counters SET usage[3] = usage[3] + 1',
      [limitsName],
    ],
    [
      'spent after expiry',
      `UPDATE lots SET expires_at = '2026-01-01' WHERE ${isSpent}`,
      `UPDATE lots SET expires_at = NULL WHERE ${isSpent}`,
      ['nothing was spent from a load after its expiry'],
    ],
    [
      'a settlement without one of its transactions',
      `CREATE TABLE kept AS SELECT * FROM settlement_lines LIMIT 1;
       DELETE FROM settlement_lines WHERE txn IN (SELECT txn FROM kept)`,
      'INSERT INTO settlement_lines SELECT * FROM kept; DROP TABLE kept',
      ['every settlement takes what its watermark says, and adds up'],
    ],
    [
      'a deposit that is not listed',
      'CREATE TABLE kept AS SELECT * FROM organisation_movements; DELETE FROM organisation_movements WHERE amount < 0',
      'INSERT INTO organisation_movements SELECT * FROM kept WHERE amount < 0; DROP TABLE kept',
      [depositsName],
    ],
    [
      'a deposit that nobody paid in',
      'UPDATE organisation_movements SET idx = idx + 1 WHERE amount > 0',
      'UPDATE organisation_movements SET idx = idx - 1 WHERE amount > 0',
      [depositsName],
    ],
    [
      'a refusal with an effect',
      'UPDATE decisions SET reason = 51 WHERE kind = 3',
      'UPDATE decisions SET reason = 0 WHERE kind = 3',
      [
        'every approval has its transaction, every refusal no effect',
        'every transaction was opened by one decision',
        'every batch is whole, its hash chain unbroken',
      ],
    ],
  ])('%s', async (_what, breaks, mends, found) => {
    await ledger.pool.query(breaks)
    expect(await brokenNow()).toEqual(found)
    await ledger.pool.query(mends)
    expect(await brokenNow()).toEqual([])
  })

  test('but limits are not counted again over purchases from before the terms had them', async () => {
    const terms = `UPDATE program_terms SET starts_at = `
    await ledger.pool.query(`${keepUsage}; ${usage} = NULL; ${terms} clock_timestamp() - interval '1 minute'`)
    expect(await brokenNow()).toEqual([])
    await ledger.pool.query(`${mendUsage}; ${terms} 'epoch'`)
  })
})

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Hash Cond'?: string
  readonly Plans?: readonly PlanNode[]
}

/** Joins that read one side again for each row of the other; rows that a function makes of an array are no table. */
function costlyJoins(node: PlanNode): string[] {
  const below = (node.Plans ?? []).flatMap(costlyJoins)
  const type = node['Node Type']
  const isLoop = type === 'Nested Loop' && !JSON.stringify(node.Plans?.[1]).includes('Function Scan')
  // All rows of a tenant with all rows of a tenant: only the few limits there are may be met so.
  const isWide = type === 'Hash Join' && /^\(\w+\.tenant = \w+\.tenant\)$/.test(node['Hash Cond'] ?? '')
  const isOfLimits = JSON.stringify(node).includes('recounts')
  return type === 'Merge Join' || isLoop || (isWide && !isOfLimits) ? [type, ...below] : below
}

test('without statistics too, no check reads a table once for each row of another', async () => {
  const client = new pg.Client({ connectionString: ledger.url })
  await client.connect()
  try {
    await beginChecks(client)
    for (const check of checksOf(ledger.url)) {
      await check.prepare?.(client)
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
        `EXPLAIN (FORMAT JSON) ${firstWrong(check)}`,
      )
      expect([check.name, ...costlyJoins(rows[0]?.['QUERY PLAN'][0].Plan as PlanNode)]).toEqual([check.name])
    }
  } finally {
    await client.end()
  }
})
