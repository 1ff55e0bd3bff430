import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, readdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { cpuSecondsOf, cpuSecondsOfEndedChildren } from './process-stats.ts'

export interface PgbenchOptions {
  readonly program: string
  /** Of an empty database. */
  readonly databaseUrl: string
  /** For its log of every transaction. */
  readonly folder: string
  readonly postgresPid: number
  readonly scale: number
  readonly clients: number
  readonly seconds: number
  readonly warmupSeconds: number
}

/** TPC-B as pgbench has it: one transaction is five statements and one commit. */
export interface PgbenchResult {
  /** From 1. */
  readonly run: number
  readonly version: string
  readonly scale: number
  readonly clients: number
  readonly seconds: number
  readonly transactions: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly cpuSeconds: { readonly postgres: number | null; readonly load: number | null }
}

/** On PATH, else the newest of Debian's; null if there is none. */
export function findPgbench(path: string = process.env.PATH ?? ''): string | null {
  const debian = '/usr/lib/postgresql'
  const versions = namesIn(debian).sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))
  const folders = [
    ...path.split(delimiter).filter(folder => folder !== ''),
    ...versions.map(v => join(debian, v, 'bin')),
  ]
  return folders.map(folder => join(folder, 'pgbench')).find(isProgram) ?? null
}

/** Fills the database, then runs TPC-B on it with prepared statements. Rejects with what pgbench said if it fails. */
export async function runPgbench(options: PgbenchOptions, signal: AbortSignal): Promise<Omit<PgbenchResult, 'run'>> {
  const { program, folder, scale, clients, seconds, warmupSeconds, postgresPid } = options
  const version = (await run(options, ['--version'], signal)).trim()
  await run(options, ['--initialize', '--quiet', `--scale=${scale}`], signal)
  const load = ['--protocol=prepared', `--client=${clients}`, '--jobs=2', '--no-vacuum']
  await run(options, [...load, `--time=${Math.ceil(warmupSeconds)}`], signal)
  const before = { postgres: cpuSecondsOf(postgresPid), load: cpuSecondsOfEndedChildren() }
  const prefix = join(folder, 'pgbench')
  await run(options, [...load, `--time=${seconds}`, '--log', `--log-prefix=${prefix}`], signal)
  const logs = namesIn(folder)
    .filter(name => name.startsWith('pgbench.'))
    .map(name => join(folder, name))
  const times = latenciesOf(logs.map(log => readFileSync(log, 'utf8')))
  // The next run has logs of its own.
  for (const log of logs) rmSync(log)
  if (times.length === 0) throw new Error(`${program} logged no transaction`)
  return {
    version,
    scale,
    clients,
    seconds,
    transactions: times.length,
    p50Ms: rank(times, 0.5),
    p95Ms: rank(times, 0.95),
    p99Ms: rank(times, 0.99),
    maxMs: rank(times, 1),
    cpuSeconds: {
      postgres: since(before.postgres, cpuSecondsOf(postgresPid)),
      load: since(before.load, cpuSecondsOfEndedChildren()),
    },
  }
}

const since = (before: number | null, after: number | null): number | null =>
  before === null || after === null ? null : after - before

/** Milliseconds, sorted, of pgbench's log: client, transaction, time in µs, … */
export function latenciesOf(logs: readonly string[]): Float64Array {
  const times = logs.flatMap(log =>
    log.split('\n').flatMap(line => {
      const micros = Number.parseInt(line.split(' ')[2] ?? '', 10)
      return Number.isNaN(micros) ? [] : [micros / 1000]
    }),
  )
  return Float64Array.from(times).sort()
}

/** Nearest rank, of sorted times. */
const rank = (sorted: Float64Array, part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN

function run({ program, databaseUrl, folder }: PgbenchOptions, args: string[], signal: AbortSignal): Promise<string> {
  const { hostname, port, username, password, pathname } = new URL(databaseUrl)
  const child = spawn(program, args, {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      LC_ALL: 'C',
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      PGDATABASE: pathname.slice(1),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  })
  const output = outputOf(child)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => {
      if (code === 0) resolve(output())
      else reject(new Error(`pgbench ${args.join(' ')} failed: ${output()}`))
    })
  })
}

function outputOf(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
  }
  return () => text
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
