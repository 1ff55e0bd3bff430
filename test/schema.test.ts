import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate } from '../src/store/migrate.ts'
import { dumpSchema } from '../src/store/schema-dump.ts'
import { createDatabase, type TestDatabase } from './support/database.ts'

const migrations = [
  '0001_switch.sql',
  '0002_keys.sql',
  '0003_instruments.sql',
  '0004_admin.sql',
  '0005_cards.sql',
  '0006_loads.sql',
  '0007_imports.sql',
  '0008_key_makers.sql',
  '0009_movements.sql',
  '0010_deposits.sql',
  '0011_lot_pages.sql',
]
let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase()
})
afterAll(() => database.drop())

test('the migrations come to the committed schema, and a second run changes nothing', async () => {
  expect(await migrate(database.url)).toEqual(migrations)
  expect(await migrate(database.url)).toEqual([])
  const committed = readFileSync(new URL('../migrations/schema.sql', import.meta.url), 'utf8')
  expect(await dumpSchema(database.url), 'run `npx charsu migrate --dump > migrations/schema.sql`').toBe(committed)
})

test('several processes may migrate at once', async () => {
  const other = await createDatabase()
  try {
    const applied = await Promise.all([migrate(other.url), migrate(other.url), migrate(other.url)])
    expect(applied.flat()).toEqual(migrations)
  } finally {
    await other.drop()
  }
})
