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
  'huge_pages_status',
  'wal_buffers',
  'max_wal_size',
  'checkpoint_timeout',
] as const

/** What one statement took of the database's time; text without its values. */
export interface StatementCost {
  readonly text: string
  readonly calls: number
  readonly totalMs: number
  readonly rows: number
  readonly walBytes: number
}

/** Settings with which PostgreSQL counts its statements; they cost a little themselves. */
export const statementSettings = { shared_preload_libraries: 'pg_stat_statements' } as const

/** With which PostgreSQL tells how long its writes of the WAL take; a reading of the clock each. */
export const wellKnownSettings = { track_wal_io_timing: 'on' } as const

/** Since the cluster was made. */
export interface WalCounts {
  readonly bytes: number
  readonly fullPageImages: number
  readonly fsyncs: number
  readonly fsyncMs: number
}

/** Bytes of a table with all its partitions. */
export interface TableSize {
  readonly table: string
  readonly rowBytes: number
  readonly indexBytes: number
}

/** One table or index with all its partitions; `index` is null for the rows themselves. */
export interface RelationSize {
  readonly table: string
  readonly index: string | null
  readonly bytes: number
}

const statementsMax = 30

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
    const { rows } = await this.#client.query<{ flags: string }>(
      "SELECT setting AS flags FROM pg_config WHERE name = 'CFLAGS'",
    )
    // Of the compiler's flags those that decide what the server costs.
    const flags = rows[0]?.flags.match(/(?<=^|\s)-(?:O\w*|march=\S+)/g) ?? []
    return { ...Object.fromEntries(entries), built_with: flags.join(' ') }
  }

  /** The counts of fsyncs lag by up to a second: a backend tells of its own no more often. */
  async wal(): Promise<WalCounts> {
    const { rows } = await this.#client.query<{ bytes: string; images: string; fsyncs: string; ms: number }>(
      `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text AS bytes,
         (SELECT wal_fpi::text AS images FROM pg_stat_wal),
         coalesce(sum(fsyncs), 0)::text AS fsyncs, coalesce(sum(fsync_time), 0) AS ms
       FROM pg_stat_io WHERE object = 'wal'`,
    )
    const { bytes = '', images = '', fsyncs = '', ms = 0 } = rows[0] ?? {}
    const whole = (text: string): number => Number.parseInt(text, 10)
    return { bytes: whole(bytes), fullPageImages: whole(images), fsyncs: whole(fsyncs), fsyncMs: ms }
  }

  /** Checkpoints since the cluster was made, those that were asked for left out. */
  async checkpoints(): Promise<number> {
    const { rows } = await this.#client.query<{ count: string }>(
      'SELECT num_timed::text AS count FROM pg_stat_checkpointer',
    )
    return Number.parseInt(rows[0]?.count ?? '', 10)
  }

  /** All there are, which reads the table. */
  async transactions(): Promise<number> {
    const { rows } = await this.#client.query<{ count: string }>('SELECT count(*)::text AS count FROM transactions')
    return Number.parseInt(rows[0]?.count ?? '', 10)
  }

  /** The largest first. */
  async tableSizes(): Promise<TableSize[]> {
    const { rows } = await this.#client.query<{ table: string; rows: string; indexes: string }>(
      `SELECT coalesce(p.relname, c.relname) AS table, sum(pg_table_size(c.oid))::text AS rows,
         sum(pg_indexes_size(c.oid))::text AS indexes
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
       LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
       WHERE c.relkind = 'r' GROUP BY 1 ORDER BY sum(pg_total_relation_size(c.oid)) DESC LIMIT 8`,
    )
    return rows.map(({ table, rows: bytes, indexes }) => ({
      table,
      rowBytes: Number.parseInt(bytes, 10),
      indexBytes: Number.parseInt(indexes, 10),
    }))
  }

  /** Every table, its TOAST included, and every index. */
  async relationSizes(): Promise<RelationSize[]> {
    const { rows } = await this.#client.query<{ table: string; index: string | null; bytes: string }>(
      `WITH whole AS (
         SELECT c.oid, c.relkind, coalesce(p.relname, c.relname) AS name FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
         LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
         WHERE c.relkind IN ('r', 'i')
       )
       SELECT t.name AS table, CASE w.relkind WHEN 'i' THEN w.name END AS index,
         sum(pg_table_size(w.oid))::text AS bytes
       FROM whole w LEFT JOIN pg_index x ON x.indexrelid = w.oid
       JOIN whole t ON t.oid = coalesce(x.indrelid, w.oid)
       GROUP BY 1, 2`,
    )
    return rows.map(({ table, index, bytes }) => ({ table, index, bytes: Number.parseInt(bytes, 10) }))
  }

  /** For statements of the harness's own, such as those that fill a database. */
  get client(): pg.Client {
    return this.#client
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

  /** Begins to count statements, where PostgreSQL was started with `statementSettings`. */
  async countStatements(): Promise<void> {
    await this.#client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements')
  }

  /** The dearest statements since then. */
  async statements(): Promise<StatementCost[]> {
    const { rows } = await this.#client.query<{ text: string; calls: string; ms: number; rows: string; wal: string }>(
      `SELECT query AS text, calls, total_exec_time AS ms, rows, wal_bytes::text AS wal FROM pg_stat_statements
       JOIN pg_database d ON d.oid = dbid AND d.datname = current_database()
       WHERE query !~* '^(checkpoint|select pg_)' ORDER BY total_exec_time DESC LIMIT ${statementsMax}`,
    )
    return rows.map(({ text, calls, ms, rows, wal }) => ({
      text: text.replace(/\s+/g, ' '),
      calls: Number.parseInt(calls, 10),
      totalMs: ms,
      rows: Number.parseInt(rows, 10),
      walBytes: Number.parseInt(wal, 10),
    }))
  }

  /** So that each measurement begins at the same distance from one. */
  async checkpoint(): Promise<void> {
    await this.#client.query('CHECKPOINT')
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
