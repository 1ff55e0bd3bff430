import { Client } from 'pg'
import { expect, test } from 'vitest'
import { createDatabase, startOwnPostgres } from './database.ts'

async function readValue(url: string, text: string): Promise<unknown> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query<{ value: unknown }>(text)
    return rows[0]?.value
  } finally {
    await client.end()
  }
}

test('createDatabase: fresh, migrated, durable, and gone after drop', async () => {
  const database = await createDatabase({
    migrate: async url => {
      await readValue(url, 'CREATE TABLE migrated AS SELECT 7 AS value')
    },
  })
  expect(await readValue(database.url, 'SELECT value FROM migrated')).toBe(7)
  expect(await readValue(database.url, "SELECT current_setting('fsync') AS value")).toBe('on')

  const openSession = new Client({ connectionString: database.url })
  openSession.on('error', () => {})
  await openSession.connect()
  await database.drop()
  await expect(readValue(database.url, 'SELECT 1 AS value')).rejects.toMatchObject({ code: '3D000' })
})

test('startOwnPostgres: killed and started again, it keeps data and address', async () => {
  const own = await startOwnPostgres()
  try {
    const firstPid = own.pid()
    await readValue(own.url, 'CREATE TABLE kept AS SELECT 42 AS value')
    await own.kill()
    await expect(readValue(own.url, 'SELECT 1 AS value')).rejects.toThrow()
    await own.start()
    expect(await readValue(own.url, 'SELECT value FROM kept')).toBe(42)
    expect(own.pid()).not.toBe(firstPid)
  } finally {
    await own.dispose()
  }
})
