import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The throw-away PostgreSQL of this test run, as its superuser. */
    postgresUrl: string
  }
}

/**
 * One PostgreSQL for the whole run, as durable as in production, so that a test sees production's timing and errors.
 * If the run is killed, the server ends with it; only its folder in the folder for temporary files is left.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'charsu-test-'))
  const server = await startEmbeddedPostgres({
    dataDir: folder,
    settings: { shared_buffers: '256MB', max_connections: '200' },
  })
  project.provide('postgresUrl', server.url)
  return async () => {
    await server.stop('immediate')
    await rm(folder, { recursive: true, force: true })
  }
}
