import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'

const migrationsFolder = new URL('../../migrations/', import.meta.url)

/**
 * Days of partitions that are kept ready: late repeats behind, a few days of an absent operator ahead. No more: each
 * statement of a batch locks all of them.
 */
const partitionDaysBehind = 1
export const partitionDaysAhead = 3

/** Brings the schema of a database up to date. Safe to run from several processes at once. Answers what was applied. */
export async function migrate(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'charsu-migrate' })
  await client.connect()
  try {
    await requireVersion(client)
    const applied = await applyPending(client)
    await makePartitions(client)
    return applied
  } finally {
    await client.end()
  }
}

async function requireVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query("SELECT current_setting('server_version_num')::integer AS version")
  if (rows[0].version < 170_000) throw new Error('PostgreSQL 17 or newer is needed')
}

async function applyPending(client: pg.Client): Promise<string[]> {
  // Held by the session, not by a transaction: each migration commits by itself.
  await client.query("SELECT pg_advisory_lock(hashtext('charsu migrations'))")
  try {
    await client.query('CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, at timestamptz NOT NULL)')
    const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations')
    const done = new Set(rows.map(({ name }) => name))
    const applied: string[] = []
    for (const name of await migrationNames()) {
      if (done.has(name)) continue
      await client.query('BEGIN')
      await client.query(await readFile(new URL(name, migrationsFolder), 'utf8'))
      await client.query('INSERT INTO migrations VALUES ($1, clock_timestamp())', [name])
      await client.query('COMMIT')
      applied.push(name)
    }
    return applied
  } finally {
    await client.query("SELECT pg_advisory_unlock(hashtext('charsu migrations'))")
  }
}

async function migrationNames(): Promise<string[]> {
  const names = await readdir(migrationsFolder)
  return names.filter(name => /^\d{4}_.*\.sql$/.test(name)).sort()
}

/** Makes the partitions of the days around the database's own today. */
export async function makePartitions(client: pg.Client | pg.Pool): Promise<void> {
  await client.query(
    `DO $$ DECLARE today integer := floor(extract(epoch FROM clock_timestamp()) / 86400);
     BEGIN CALL make_day_partitions(today - ${partitionDaysBehind}, today + ${partitionDaysAhead}); END $$`,
  )
}
