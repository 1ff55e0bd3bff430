import pg from 'pg'
import type { Row, Statement } from '../sql.ts'

/** Runs a statement that changes nothing. Throws what node-postgres throws. */
export type Query = (statement: Statement) => Promise<readonly Row[]>

interface ReadPoolOptions {
  readonly url: string
  readonly connectionsMax: number
  readonly statementTimeoutMs: number
}

export interface ReadPool {
  readonly query: Query
  close(): Promise<void>
}

const connectTimeoutMs = 3_000

/** Everything as text: money becomes bigint and ids numbers where a row is read, never by a guess at its type. */
const types = { getTypeParser: () => (text: string) => text }

/**
 * Connections for reads beside the lanes. The planner settings are those of a lane, for the same reason: a partition
 * without statistics must not be scanned whole. `onError` gets what goes wrong with an idle connection.
 */
export function createReadPool(options: ReadPoolOptions, onError: (error: Error) => void): ReadPool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    // The server gives up first; this is for a server that is gone without a word.
    query_timeout: options.statementTimeoutMs + 1_000,
    keepAlive: true,
    options: [
      'application_name=charsu-reads',
      `statement_timeout=${options.statementTimeoutMs}`,
      'default_transaction_read_only=on',
      'enable_seqscan=off',
      'enable_hashjoin=off',
      'enable_mergejoin=off',
      // A list stops after a page, which an index in its order allows and a bitmap does not.
      'enable_bitmapscan=off',
      'jit=off',
      'TimeZone=UTC',
      'DateStyle=ISO',
    ]
      .map(setting => `-c ${setting}`)
      .join(' '),
    types,
  })
  pool.on('error', onError)
  return {
    query: async ({ name, text, values }) => {
      // A list has no name: its text differs with the filters, and it is planned for their values.
      const named = name === '' ? { text } : { name, text }
      const { rows } = await pool.query<(string | null)[]>({ ...named, values: [...values], rowMode: 'array' })
      return rows
    },
    close: () => pool.end(),
  }
}
