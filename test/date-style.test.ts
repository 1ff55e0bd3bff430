import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AdminPool, createAdminPool } from '../src/store/admin/pool.ts'
import { readStatement } from '../src/store/admin/statements.ts'
import { createReadPool, type ReadPool } from '../src/store/reads/pool.ts'
import { createReads } from '../src/store/reads/reads.ts'
import * as make from './support/core.ts'
import { ask } from './support/database-ledger.ts'
import { brokenIn, ledger, pan, path, reportOf, rowsOf, useImports } from './support/import-stage.ts'
import { tokenOf } from './support/switch.ts'

useImports()

let reads: ReadPool
let admin: AdminPool

// Connections that are opened from here on have the style of the database unless they ask for their own.
beforeAll(async () => {
  await ledger.pool.query(
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET DateStyle = ''SQL, DMY''', current_database()); END $$",
  )
  reads = createReadPool({ url: ledger.url, connectionsMax: 1, statementTimeoutMs: 5_000 }, () => undefined)
  admin = createAdminPool(ledger.url, () => undefined)
})
afterAll(async () => {
  await reads?.close()
  await admin?.close()
})

test('a database that writes dates in another style: what is read of a purchase is right', async () => {
  const tenant = ledger.catalog.tenant.id
  const [clock] = await admin.run('SELECT clock_timestamp()::text AS now')
  expect(clock?.now).toMatch(/^\d\d\/\d\d\/\d{4} /)
  const place = { tenant, merchant: 'M00000000000001', terminal: 'T0000001' }
  const { transaction } = await ask(ledger.engine(), make.authorize(100n, { ...place, card: tokenOf(1) }))
  if (transaction === null || transaction.holder === null) throw new Error('no transaction')
  expect(transaction.expiresAt).toBe(transaction.at + 900 * make.second)
  const { query } = reads
  expect(await createReads(query).transaction(tenant, transaction.id)).toEqual({ transaction, isSettled: false })
  const minutesOf = (at = 0): number => Math.floor((at - transaction.at) / (60 * make.second))
  expect(minutesOf((await createReads(query).card(tenant, tokenOf(1)))?.at)).toBe(0)

  await ask(ledger.engine(), make.confirm(transaction.id, null, { tenant }))
  const account = { tenant, holder: transaction.holder, program: 1, funder: null }
  const found = await readStatement(admin, account, transaction.at)
  const entries = found.kind === 'statement' ? found.entries : []
  expect(entries.map(({ kind, amount, at }) => [kind, amount, minutesOf(at)])).toEqual([['confirm', -100n, 0]])
})

test('and an import is', async () => {
  writeFileSync(path, `pan,reference,amount\n${pan(1)},D1,70`)
  expect(await reportOf('cards')).toMatchObject({ status: 0, cards: 1, loads: 1, loaded: { welfare: '70' } })
  const [loaded] = await rowsOf(
    `SELECT clock_timestamp() - m.at < interval '1 minute' AS is_now FROM lot_movements m
     JOIN cardholder_profiles p USING (tenant, holder) WHERE p.reference = 'D1'`,
  )
  expect(loaded).toEqual({ is_now: true })
  expect(await brokenIn()).toEqual([])
})
