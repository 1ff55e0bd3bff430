import pg from 'pg'

export type Pool = pg.Pool

const connectTimeoutMs = 3_000

/** Connections for everything off the hot path: jobs, settlement, reference data. */
export function openPool(url: string, { connectionsMax }: { connectionsMax: number }): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'charsu-jobs',
    options: '-c jit=off -c TimeZone=UTC',
    keepAlive: true,
  })
  // An idle connection that breaks is replaced at the next query, which is who finds out.
  pool.on('error', () => undefined)
  return pool
}
