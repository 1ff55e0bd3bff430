import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { inject } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts'

export type TestDatabase = {
  readonly url: string
  /** Removes it, ending the sessions that are still open. */
  drop(): Promise<void>
}

/** A new, empty database on the test run's PostgreSQL; then `migrate` runs on it. */
export async function createDatabase(
  options: { readonly migrate?: (url: string) => Promise<void> } = {},
): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await onServer(`CREATE DATABASE ${name}`)
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  await options.migrate?.(url.href)
  return { url: url.href, drop: () => onServer(`DROP DATABASE ${name} WITH (FORCE)`) }
}

async function onServer(statement: string): Promise<void> {
  const client = new Client({ connectionString: inject('postgresUrl') })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

export type OwnPostgres = {
  /** Stays the same over restarts. */
  readonly url: string
  /** Of the postmaster that runs now; another after a restart. */
  pid(): number
  /** SIGKILL to the postmaster; its backends end by themselves moments later. */
  kill(): Promise<void>
  stop(mode?: 'fast' | 'immediate'): Promise<void>
  /** After `kill` or `stop`: the same data on the same port, with the same settings. */
  start(): Promise<void>
  /** Waits for it: a backend that is killed takes all others with it, and the postmaster recovers by itself. */
  takesConnections(): Promise<void>
  /** Stops it and removes its data. */
  dispose(): Promise<void>
}

/** A PostgreSQL of one test's own, for faults that would hurt the tests beside it. */
export async function startOwnPostgres(settings: Readonly<Record<string, string>> = {}): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'charsu-test-own-'))
  const options = { dataDir: folder, settings: { shared_buffers: '128MB', ...settings } }
  let server: EmbeddedPostgres = await startEmbeddedPostgres(options)
  const { url, port } = server
  return {
    url,
    pid: () => server.pid,
    async kill() {
      process.kill(server.pid, 'SIGKILL')
      await server.exited
    },
    stop: mode => server.stop(mode),
    async start() {
      server = await startEmbeddedPostgres({ ...options, port })
    },
    async takesConnections() {
      for (;;) {
        const client = new Client({ connectionString: url })
        client.on('error', () => undefined)
        try {
          await client.connect()
          return await client.end()
        } catch {
          await sleep(20)
        }
      }
    },
    async dispose() {
      await server.stop('immediate')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
