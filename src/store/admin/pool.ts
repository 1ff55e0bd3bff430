import pg from 'pg'

/** Columns as the text that PostgreSQL sends: nothing is lost to a guess at its type. */
export type TextRow = Readonly<Record<string, string | null>>

/** Runs one statement. Throws what node-postgres throws. */
export type Run = (text: string, values?: readonly unknown[]) => Promise<readonly TextRow[]>

export interface AdminPool {
  readonly run: Run
  /** Commits, unless `work` throws or says that it has changed nothing: refused, stale, not_found, other_content. */
  transaction<Result extends { readonly kind: string }>(work: (run: Run) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

const connectionsMax = 4
const connectTimeoutMs = 3_000
const statementTimeoutMs = 10_000
const withoutEffect: ReadonlySet<string> = new Set(['refused', 'stale', 'not_found', 'other_content'])
const types = { getTypeParser: () => (text: string) => text }

/** Statements on a pool or a connection whose columns come as text. */
const runOn =
  (target: Pick<pg.Pool, 'query'>): Run =>
  async (text, values = []) =>
    (await target.query<TextRow>(text, [...values])).rows

/** Connections of the admin API, apart from those of payments. `onError` gets what goes wrong with an idle one. */
export function createAdminPool(url: string, onError: (error: Error) => void): AdminPool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: statementTimeoutMs + 1_000,
    keepAlive: true,
    options: `-c application_name=charsu-admin -c statement_timeout=${statementTimeoutMs} -c jit=off -c TimeZone=UTC`,
    types,
  })
  pool.on('error', onError)
  return {
    run: runOn(pool),
    transaction: async work => {
      const client = await pool.connect()
      const end = (word: 'COMMIT' | 'ROLLBACK') => client.query(word)
      let failure: Error | undefined
      try {
        await client.query('BEGIN')
        const result = await work(runOn(client))
        await end(withoutEffect.has(result.kind) ? 'ROLLBACK' : 'COMMIT')
        return result
      } catch (error) {
        failure = error as Error
        await end('ROLLBACK').then(
          () => {
            failure = undefined
          },
          () => undefined,
        )
        throw error
      } finally {
        // A connection on which not even ROLLBACK works is thrown away.
        client.release(failure)
      }
    },
    close: () => pool.end(),
  }
}
