import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../src/store/embedded-postgres.ts'
import { runAudit } from './audit.ts'
import type { Cleanup } from './cleanup.ts'
import { DatabaseFacts, type StatementCost, statementSettings } from './database.ts'
import { measureFsync } from './fsync.ts'
import type { LoadResult, LoadSpec } from './load/messages.ts'
import { runLoad, startNullServer } from './load-runner.ts'
import { isInMemory, thisCommit, thisMachine } from './machine.ts'
import { type Measured, type Measurement, measure, watch } from './measure.ts'
import type { BenchOptions, Workload } from './options.ts'
import { findPgbench, type PgbenchResult, runPgbench } from './pgbench.ts'
import type { Progress } from './progress.ts'
import type { Report } from './report.ts'
import { type EngineSettings, shippedEngine, startSwitch } from './servers.ts'

export const resultsFolder = join(import.meta.dirname, 'results')
/** On the disk of the repository: what else is called temporary is often in memory, where fsync costs nothing. */
const dataFolder = join(import.meta.dirname, '../data')

const pgbenchDatabase = 'pgbench'

interface Run {
  readonly options: BenchOptions
  readonly folder: string
  readonly databaseUrl: string
  readonly postgresPid: number
  readonly facts: DatabaseFacts
  readonly progress: Progress
  readonly cleanup: Cleanup
  readonly signal: AbortSignal
}

/**
 * The whole benchmark: a PostgreSQL and a switch of its own, the loads one after another, then the audit. What it
 * starts it leaves to `cleanup`. Rejects if something cannot be started, or when `signal` is aborted.
 */
export async function runBench(
  options: BenchOptions,
  { progress, cleanup, signal }: Pick<Run, 'progress' | 'cleanup' | 'signal'>,
): Promise<Report> {
  const startedAt = new Date()
  const begun = performance.now()
  const folder = makeFolder(options, cleanup, progress)
  progress.step('measuring fsync')
  const fsync = measureFsync(folder)
  progress.step('starting PostgreSQL')
  const settings = options.profile ? statementSettings : {}
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), settings })
  cleanup.add(() => postgres.stop())
  const facts = await DatabaseFacts.connect(postgres.url)
  cleanup.add(() => facts.close())
  const run: Run = {
    options,
    folder,
    databaseUrl: postgres.url,
    postgresPid: postgres.pid,
    facts,
    progress,
    cleanup,
    signal,
  }

  const limits = await measureLimits(run)
  const { statements, ...ofSwitch } = await measureSwitch(run)
  const measurements = { ...ofSwitch, ...(await measureBatchesOfOne(run)) }
  const pgbench = await comparePgbench(run)
  const database = await facts.settings()
  const hotPart = await facts.hotPart()
  const databaseBytes = await facts.databaseBytes()
  progress.step('audit')
  return {
    version: 1,
    startedAt: startedAt.toISOString(),
    commit: thisCommit(),
    machine: thisMachine(),
    options,
    engine: shippedEngine,
    database,
    fsync,
    limits,
    measurements,
    pgbench,
    hotPart,
    databaseBytes,
    statements,
    audit: await runAudit(postgres.url, signal),
    seconds: (performance.now() - begun) / 1000,
  }
}

function makeFolder({ keep, profile }: BenchOptions, cleanup: Cleanup, progress: Progress): string {
  mkdirSync(dataFolder, { recursive: true })
  if (profile) mkdirSync(resultsFolder, { recursive: true })
  const folder = mkdtempSync(join(dataFolder, 'bench-'))
  // PostgreSQL may run as another user than this process, and must get in.
  chmodSync(folder, 0o755)
  cleanup.add(() => {
    if (keep) progress.note(`kept: ${folder}`)
    else rmSync(folder, { recursive: true, force: true })
  })
  if (isInMemory(folder)) progress.note(`${folder} is in memory: fsync costs nothing here, and the figures say little`)
  return folder
}

const includes = ({ options }: Run, workload: Workload): boolean => options.only.includes(workload)

/** What all loads of a run have in common. */
const timesOf = ({ options: { warmupSeconds, cards } }: Run, seconds: number) => ({
  cards,
  warmupMs: warmupSeconds * 1000,
  measureMs: seconds * 1000,
})

/** Of a measurement's time: enough to show that the generator is not what is measured. */
const limitPart = 0.3

/** The load generators themselves, against a server that only answers. */
async function measureLimits(run: Run): Promise<Report['limits']> {
  const { options, progress, signal } = run
  const limits: { iso: LoadResult | null; http: LoadResult | null } = { iso: null, http: null }
  if (!includes(run, 'limit')) return limits
  const server = await startNullServer()
  run.cleanup.add(() => server.stop())
  const common = { ...timesOf(run, options.seconds * limitPart), port: server.port }
  const specs: LoadSpec[] = [
    { ...common, kind: 'iso', connections: options.connections, inFlight: options.inFlight.at(-1)! },
    { ...common, kind: 'http', connections: options.httpConnections },
  ]
  for (const spec of specs) {
    progress.step(`load generator alone, ${spec.kind === 'iso' ? 'ISO' : 'HTTP'}`)
    const watcher = { onTick: watch(spec, progress), onMeasuring: () => {}, onMeasured: () => {} }
    limits[spec.kind === 'iso' ? 'iso' : 'http'] = await runLoad(spec, watcher, signal)
  }
  server.stop()
  return limits
}

async function measureSwitch(run: Run): Promise<Omit<Report['measurements'], 'one'> & Pick<Report, 'statements'>> {
  const { options, facts } = run
  const iso: Measurement[] = []
  const found = {
    iso,
    http: null as Measurement | null,
    steady: null as Measurement | null,
    statements: [] as StatementCost[],
  }
  if (!(['iso', 'http', 'steady'] as const).some(workload => includes(run, workload))) return found
  await withSwitch(run, 'switch', shippedEngine, async on => {
    if (options.profile) await facts.countStatements()
    if (includes(run, 'iso')) for (const inFlight of options.inFlight) iso.push(await measureIso(run, on, inFlight))
    if (includes(run, 'http')) {
      const { httpConnections: connections } = options
      const spec = { ...timesOf(run, options.seconds), kind: 'http', port: on.running.httpPort, connections } as const
      found.http = await measure(`HTTP, ${connections} in flight`, spec, on)
    }
    if (includes(run, 'steady')) {
      const { rate, connections } = options
      const spec = {
        ...timesOf(run, options.steadySeconds),
        kind: 'steady',
        port: on.running.isoPort,
        connections,
        rate,
      } as const
      found.steady = await measure(`steady ${rate}/s, ISO`, spec, on)
    }
    if (options.profile) found.statements = await facts.statements()
  })
  return found
}

async function measureBatchesOfOne(run: Run): Promise<Pick<Report['measurements'], 'one'>> {
  if (!includes(run, 'one')) return { one: null }
  // It is no faster with more, but what waits behind them is refused after five seconds.
  const inFlight = run.options.inFlight[0]!
  const one = await withSwitch(run, 'switch-of-one', { ...shippedEngine, batchMax: 1 }, on =>
    measureIso(run, on, inFlight, `batches of one, ${inFlight}`),
  )
  return { one }
}

function measureIso(
  run: Run,
  on: Measured,
  inFlight: number,
  name = `ISO, ${inFlight} in flight`,
): Promise<Measurement> {
  const { connections, seconds } = run.options
  return measure(name, { ...timesOf(run, seconds), kind: 'iso', port: on.running.isoPort, connections, inFlight }, on)
}

async function withSwitch<Result>(
  run: Run,
  name: string,
  engine: EngineSettings,
  work: (on: Measured) => Promise<Result>,
): Promise<Result> {
  const { options, folder, databaseUrl, progress, cleanup, signal } = run
  progress.step('starting the switch')
  const terminals = Math.max(options.connections, options.httpConnections)
  const profileInto = options.profile ? resultsFolder : null
  const { cards } = options
  const running = await startSwitch(
    { folder: join(folder, name), databaseUrl, engine, terminals, cards, profileInto },
    signal,
  )
  cleanup.add(() => running.stop())
  const result = await work({ ...run, running })
  await running.stop()
  return result
}

async function comparePgbench(run: Run): Promise<PgbenchResult | string> {
  const { options, databaseUrl, folder, facts, progress, postgresPid, signal } = run
  if (!includes(run, 'pgbench')) return 'left out'
  const program = findPgbench()
  if (program === null) return 'it is not installed here (Debian: postgresql-contrib)'
  progress.step('pgbench TPC-B')
  await facts.createDatabase(pgbenchDatabase)
  const url = new URL(databaseUrl)
  url.pathname = pgbenchDatabase
  const { pgbenchScale: scale, pgbenchClients: clients, seconds, warmupSeconds } = options
  const result = await runPgbench(
    { program, databaseUrl: url.href, folder, postgresPid, scale, clients, seconds, warmupSeconds },
    signal,
  )
  await facts.dropDatabase(pgbenchDatabase)
  return result
}
