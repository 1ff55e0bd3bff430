import pg from 'pg'
import { expect, test } from 'vitest'
import { newPanKey, panKeyOf } from '../../src/crypto/pan-key.ts'
import { audit } from '../../src/store/audit.ts'
import { startLedger } from '../../test/support/switch.ts'
import { fill } from './fill.ts'

test('what is filled in by COPY is what the switch would have left: the audit finds nothing', async () => {
  const ledger = await startLedger({ cards: 3 })
  try {
    const names: string[] = []
    const steps = await fill({
      databaseUrl: ledger.url,
      panKey: panKeyOf(newPanKey()),
      ...{ cards: 500, transactions: 2_000, transactionsPerDay: 700 },
      onStep: name => names.push(name),
      onProgress: () => {},
    })
    expect(steps.map(({ name }) => name)).toEqual(names)
    expect(steps.map(({ rows }) => rows)).toEqual([500, 500, 2_000, 500, 0, 0])
    const broken: string[] = []
    for await (const { name, offenders } of audit(ledger.url)) if (offenders.length > 0) broken.push(name)
    expect(broken).toEqual([])

    const client = new pg.Client({ connectionString: ledger.url })
    await client.connect()
    const { rows } = await client.query(
      `SELECT count(*)::integer AS transactions, count(DISTINCT day)::integer AS days,
         sum(confirmed)::text AS confirmed,
         (SELECT sum(debits_posted)::text FROM lots WHERE credit_limit > 0) AS spent FROM transactions`,
    )
    await client.end()
    expect(rows[0]).toMatchObject({ transactions: 2_000, days: 3 })
    expect(rows[0].confirmed).toBe(rows[0].spent)
  } finally {
    await ledger.close()
  }
})
