import { benchCodec } from '../codec.ts'
import { findPgbench, runPgbench } from '../pgbench.ts'
import type { Run } from './run.ts'

const pgbenchDatabase = 'pgbench'

export async function runTpcB({ options, stage, progress, signal, found, run }: Run): Promise<void> {
  const program = findPgbench()
  if (program === null) {
    const note = 'pgbench was not run: it is not installed here (Debian: postgresql-contrib)'
    if (!found.notes.includes(note)) found.notes.push(note)
    return
  }
  await stage.stopSwitch()
  progress.step('pgbench TPC-B')
  await stage.facts.createDatabase(pgbenchDatabase)
  const { pgbenchScale: scale, pgbenchClients: clients, seconds, warmupSeconds } = options
  const { folder, postgresPid } = stage
  const databaseUrl = stage.urlOf(pgbenchDatabase)
  const where = { program, databaseUrl, folder, postgresPid }
  found.pgbench.push({ ...(await runPgbench({ ...where, scale, clients, seconds, warmupSeconds }, signal)), run })
  await stage.facts.dropDatabase(pgbenchDatabase)
}

/** It has rounds of its own, so once is enough. */
export async function runCodec({ stage, progress, found, run }: Run): Promise<void> {
  if (run > 1) return
  await stage.stopSwitch()
  progress.step('codec')
  found.codec = benchCodec()
}
