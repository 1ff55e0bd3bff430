import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { chooseLauncher, type Launcher, type RootMeans } from './embedded/launcher.ts'
import { defuseStalePidFile, isPostmasterOf, readPostmaster } from './embedded/postmaster.ts'
import { findPrograms, programsIn } from './embedded/programs.ts'
import { defaultSettings } from './embedded/settings.ts'

type EmbeddedPostgresOptions = {
  /** Made if missing. Holds `cluster/` (PostgreSQL's own data folder) and `password`. */
  readonly dataDir: string
  /** Default: a free one. */
  readonly port?: number
  /** Over the defaults of `embedded/settings.ts`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Folder of the programs of an installed PostgreSQL. Default: those of the npm package. */
  readonly programsFolder?: string
  /** Each line that PostgreSQL logs. */
  readonly log?: (line: string) => void
  /** How root may become another user, in the order to try. Default: namespace, nobody. */
  readonly rootMeans?: readonly RootMeans[]
}

type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export type EmbeddedPostgres = {
  /** Of the database `charsu`, with its user and password. */
  readonly url: string
  readonly port: number
  /** Of the postmaster: signals sent to it do what PostgreSQL's manual says. */
  readonly pid: number
  /** Settles when the postmaster has ended, whoever ended it. */
  readonly exited: Promise<Exit>
  /** fast: ends sessions, writes a checkpoint. immediate: as in a crash, but in order. Safe to call again. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>
}

const userName = 'charsu'
const databaseName = 'charsu'
const fastStopMsMax = 60_000
const surrenderMsMax = 60_000
const orphanedBackendsMsMax = 30_000
const portAttemptsMax = 20
const outputLinesKept = 20

/**
 * Starts PostgreSQL 18 on the given folder, after a first initdb, and waits until it takes connections, however long
 * crash recovery needs. It runs in a session of its own, so the terminal's Ctrl-C does not reach it and the caller may
 * drain first; when the calling process ends in any way, kill -9 included, it is told to shut down (fast).
 *
 * Throws an Error with a sentence for the operator: the folder is in use by a living PostgreSQL, the port is taken,
 * root has no way to another user, or PostgreSQL's own last words.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir)
  const clusterDir = join(dataDir, 'cluster')
  // Two steps: the parents must not become 0700 as well, or PostgreSQL as another user could not pass them.
  await mkdir(dirname(dataDir), { recursive: true })
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const { programsFolder, rootMeans } = options
  const programs = programsFolder === undefined ? await findPrograms() : programsIn(programsFolder)
  const launcher = await chooseLauncher(dataDir, programs, rootMeans)
  const password = await ensurePassword(dataDir, launcher)
  await ensureCluster(dataDir, clusterDir, launcher)
  await ensureNobodyRunsIt(clusterDir)

  const settings = { ...(await defaultSettings(dataDir)), ...options.settings }
  const server = await launch(launcher, clusterDir, settings, options)
  try {
    await ensureDatabase(urlOf(password, server.port, 'postgres'))
  } catch (error) {
    await server.stop('immediate')
    throw error
  }
  return { ...server, url: urlOf(password, server.port, databaseName) }
}

/** The embedded PostgreSQL that another process runs on this folder, for tools; undefined where none is running. */
export async function findEmbeddedPostgres(
  dataDir: string,
): Promise<Pick<EmbeddedPostgres, 'url' | 'port' | 'pid'> | undefined> {
  const clusterDir = join(resolve(dataDir), 'cluster')
  const running = await readPostmaster(clusterDir)
  if (running === undefined || !(await isPostmasterOf(clusterDir, running.pid))) return undefined
  const password = await readFile(join(resolve(dataDir), 'password'), 'utf8')
  return { url: urlOf(password, running.port, databaseName), port: running.port, pid: running.pid }
}

const urlOf = (password: string, port: number, database: string): string =>
  `postgres://${userName}:${password}@127.0.0.1:${port}/${database}`

async function ensurePassword(dataDir: string, launcher: Launcher): Promise<string> {
  const path = join(dataDir, 'password')
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  // Named when it is whole: a start that is killed here must not leave an empty password behind.
  const unnamed = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(unnamed, randomBytes(24).toString('hex'), { mode: 0o600 })
  await launcher.handOver(unnamed)
  await rename(unnamed, path)
  return readFile(path, 'utf8')
}

async function ensureCluster(dataDir: string, clusterDir: string, launcher: Launcher): Promise<void> {
  if ((await stat(clusterDir).catch(() => undefined)) !== undefined) return
  // Renamed when it is whole. The name is new each time: the initdb of a start that was killed may still be writing.
  const unfinished = `${clusterDir}.${randomBytes(6).toString('hex')}`
  const child = launcher.spawn(
    launcher.programs.initdb,
    [
      `--pgdata=${unfinished}`,
      `--username=${userName}`,
      `--pwfile=${join(dataDir, 'password')}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // PostgreSQL's own C.UTF-8: the same order on every machine, whatever its C library, and case rules beyond ASCII.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--data-checksums',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const output = keepOutput(child)
  const { code } = await eventOf(child, 'close')
  if (code !== 0) throw new Error(`initdb failed in ${dataDir}: ${output.join('\n')}`)
  await rename(unfinished, clusterDir)
  const leftBehind = (await readdir(dataDir)).filter(name => name.startsWith(`${basename(clusterDir)}.`))
  await Promise.all(leftBehind.map(name => rm(join(dataDir, name), { recursive: true, force: true })))
}

// A postmaster whose owner has just died shuts down by itself, so one that is stopping is waited for.
async function ensureNobodyRunsIt(clusterDir: string): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += 100) {
    const other = await readPostmaster(clusterDir)
    if (other === undefined) return
    if (!(await isPostmasterOf(clusterDir, other.pid))) return defuseStalePidFile(clusterDir, other)
    if (waitedMs >= (other.status === 'stopping' ? surrenderMsMax : 1_000)) {
      throw new Error(
        `A PostgreSQL is already running on ${clusterDir} (pid ${other.pid}, port ${other.port}). ` +
          'Stop the process that started it, or choose another data folder with DATA_DIR',
      )
    }
    await sleep(100)
  }
}

async function launch(
  launcher: Launcher,
  clusterDir: string,
  settings: Readonly<Record<string, string>>,
  { port: fixedPort, log }: EmbeddedPostgresOptions,
): Promise<Omit<EmbeddedPostgres, 'url'>> {
  let portAttempts = 0
  let waitedMs = 0
  for (;;) {
    // Tried, not probed: between a probe and the start another process could take the port.
    const port = fixedPort ?? randomInt(16_000, 32_000)
    const args = ['-D', clusterDir, '-p', String(port)]
    for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`)
    const child = launcher.spawn(launcher.programs.postgres, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = keepOutput(child, log)
    const exited = eventOf(child, 'exit')
    const closed = eventOf(child, 'close')
    stopWithThisProcess(child)
    if (await becomesReady(child, exited, clusterDir)) return supervised(child, exited, port)

    await closed
    const words = output.join('\n')
    const portTaken = words.includes('Address already in use')
    // The backends of a killed postmaster end within moments; until then PostgreSQL refuses a second one.
    const backendsLeft = words.includes('pre-existing shared memory block')
    if (portTaken && fixedPort === undefined && ++portAttempts < portAttemptsMax) continue
    if (backendsLeft && waitedMs < orphanedBackendsMsMax) {
      waitedMs += 100
      await sleep(100)
      continue
    }
    throw new Error(
      portTaken
        ? `Port ${port} for the embedded PostgreSQL is already in use`
        : `PostgreSQL did not start on ${clusterDir}: ${words}`,
    )
  }
}

async function becomesReady(child: ChildProcess, exited: Promise<Exit>, clusterDir: string): Promise<boolean> {
  let running = true
  const ended = exited.finally(() => {
    running = false
  })
  while (running) {
    const postmaster = await readPostmaster(clusterDir)
    if (postmaster !== undefined && postmaster.pid === child.pid && postmaster.status === 'ready') return true
    await Promise.race([ended, sleep(20)])
  }
  return false
}

function supervised(child: ChildProcess, exited: Promise<Exit>, port: number): Omit<EmbeddedPostgres, 'url'> {
  return {
    port,
    pid: child.pid ?? 0,
    exited,
    async stop(mode = 'fast') {
      child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
      const impatience = setTimeout(() => child.kill('SIGQUIT'), fastStopMsMax)
      await exited
      clearTimeout(impatience)
    },
  }
}

// The shell's input closes when this process ends, however it ends: a signal handler would not run on kill -9.
function stopWithThisProcess(child: ChildProcess): void {
  if (child.pid === undefined) return
  const script = 'cat >/dev/null; kill -INT "$1" 2>/dev/null'
  const guard = spawn('/bin/sh', ['-c', script, 'sh', String(child.pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.once('exit', () => guard.kill('SIGKILL'))
}

function keepOutput(child: ChildProcess, log?: (line: string) => void): readonly string[] {
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', line => {
      lines.push(line)
      if (lines.length > outputLinesKept) lines.shift()
      log?.(line)
    })
  }
  return lines
}

// 'close' comes after 'exit', when the last lines have been read and whoever inherited the pipes has ended too.
function eventOf(child: ChildProcess, event: 'exit' | 'close'): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once(event, (code: Exit['code'], signal: Exit['signal']) => resolve({ code, signal }))
  })
}

async function ensureDatabase(adminUrl: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl })
  // A lost connection is reported twice: by the query that fails and by this event, which nobody else hears.
  client.on('error', () => {})
  await client.connect()
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [databaseName])
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${databaseName}`)
  } finally {
    await client.end()
  }
}
