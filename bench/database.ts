import pg from 'pg'

const settingNames = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_sync_method',
  'wal_compression',
  'data_checksums',
  'shared_buffers',
  'wal_buffers',
  'max_wal_size',
  'checkpoint_timeout',
] as const

/** A connection of the harness's own, for what PostgreSQL tells of itself. */
export class DatabaseFacts {
  readonly #client: pg.Client

  private constructor(client: pg.Client) {
    this.#client = client
  }

  static async connect(url: string): Promise<DatabaseFacts> {
    const client = new pg.Client({ connectionString: url, application_name: 'charsu-bench' })
    client.on('error', () => {})
    await client.connect()
    return new DatabaseFacts(client)
  }

  /** As PostgreSQL reports them, not as they were asked for. */
  async settings(): Promise<Record<string, string>> {
    const entries = []
    for (const name of settingNames) {
      const { rows } = await this.#client.query<{ value: string }>('SELECT current_setting($1) AS value', [name])
      entries.push([name, rows[0]?.value ?? ''])
    }
    return Object.fromEntries(entries)
  }

  /** Bytes of WAL since the cluster was made. */
  async walBytes(): Promise<number> {
    const { rows } = await this.#client.query<{ bytes: string }>(
      "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text AS bytes",
    )
    return Number.parseInt(rows[0]?.bytes ?? '', 10)
  }

  async databaseBytes(): Promise<number> {
    const { rows } = await this.#client.query<{ bytes: string }>(
      'SELECT pg_database_size(current_database())::text AS bytes',
    )
    return Number.parseInt(rows[0]?.bytes ?? '', 10)
  }

  /** Part of the updates that touched no index; null if there was none. */
  async hotPart(): Promise<number | null> {
    const { rows } = await this.#client.query<{ part: string | null }>(
      'SELECT (sum(n_tup_hot_upd) / nullif(sum(n_tup_upd), 0))::text AS part FROM pg_stat_user_tables',
    )
    const part = rows[0]?.part ?? null
    return part === null ? null : Number.parseFloat(part)
  }

  /** So that each measurement begins at the same distance from one. */
  async checkpoint(): Promise<void> {
    await this.#client.query('CHECKPOINT')
  }

  /** Statistics, which autovacuum would have made by the time that anybody asks a database of this size. */
  async analyze(): Promise<void> {
    await this.#client.query('ANALYZE')
  }

  async createDatabase(name: string): Promise<void> {
    await this.#client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`)
  }

  async dropDatabase(name: string): Promise<void> {
    await this.#client.query(`DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`)
  }

  close(): Promise<void> {
    return this.#client.end()
  }
}
