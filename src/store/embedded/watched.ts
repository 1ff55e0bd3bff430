import type { Logger } from 'pino'
import { pause } from '../../ops/clock.ts'
import { startEmbeddedPostgres } from '../embedded-postgres.ts'

interface WatchedPostgres {
  readonly url: string
  stop(): Promise<void>
}

const restartPauseMs = 1_000

/** The embedded PostgreSQL in this folder, started again on the same port if it ends by itself. */
export async function startWatchedPostgres(dataDir: string, log: Logger): Promise<WatchedPostgres> {
  const options = { dataDir, log: (line: string) => log.debug({ line }, 'postgres') }
  let isStopping = false
  let server = await startEmbeddedPostgres(options)
  const { url, port } = server
  const watch = async (): Promise<void> => {
    const { code, signal } = await server.exited
    if (isStopping) return
    log.error({ code, signal }, 'the embedded PostgreSQL has ended: starting it again')
    try {
      server = await startEmbeddedPostgres({ ...options, port })
    } catch (error) {
      log.error({ error: (error as Error).message }, 'the embedded PostgreSQL does not start')
      await pause(restartPauseMs)
    }
    await watch()
  }
  void watch()
  return {
    url,
    stop: async () => {
      isStopping = true
      await server.stop()
    },
  }
}
