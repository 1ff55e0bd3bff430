import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import shipped from '../switch-config/switch.json' with { type: 'json' }
import { tenantCode } from './tenant.ts'

const repository = join(import.meta.dirname, '..')
const startMaxMs = 120_000
const stopMaxMs = 20_000
const lastWordsMax = 4_000

export interface EngineSettings {
  readonly lanes: number
  readonly batchMax: number
  readonly queueMax: number
}

/** As in the configuration that the switch is shipped with. */
export const shippedEngine: EngineSettings = shipped.engine

export interface SwitchOptions {
  /** Made if missing. Where its configuration goes; its data too. */
  readonly folder: string
  readonly databaseUrl: string
  readonly engine: EngineSettings
  /** As in `demo.json`: made where the database has none yet. */
  readonly tenant: object
  /** A folder that gets a `.cpuprofile` when the switch stops; null: none. */
  readonly profileInto: string | null
}

export interface BenchSwitch {
  readonly pid: number
  readonly httpUrl: string
  readonly httpPort: number
  readonly isoPort: number
  /** SIGTERM, and SIGKILL where that takes too long. */
  stop(): Promise<void>
}

/** The same secrets for all switches of a run: they share the databases, which no others may use. */
export const secrets = { PAN_KEY: randomBytes(32).toString('hex'), KEK: randomBytes(32).toString('hex') }

/** Starts a switch as a process of its own, logging as in production, and waits until it is ready. */
export async function startSwitch(options: SwitchOptions, signal: AbortSignal): Promise<BenchSwitch> {
  const [httpPort, isoPort] = await freePorts()
  const configFolder = join(options.folder, 'config')
  writeConfig(configFolder, options)
  const profile = options.profileInto === null ? '' : `--cpu-prof --cpu-prof-dir=${options.profileInto}`
  const child = spawn(join(repository, 'bin/charsu'), ['start'], {
    cwd: options.folder,
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: options.databaseUrl,
      SWITCH_CONFIG: configFolder,
      DATA_DIR: options.folder,
      PORT: String(httpPort),
      ISO_PORT: String(isoPort),
      ...secrets,
      LOG_LEVEL: 'info',
      NODE_OPTIONS: profile,
    },
    // Its log lines are made and written, but to /dev/null: on the disk they would slow the database's down.
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  stopWithThisProcess(child)
  const lastWords = keepLastWords(child)
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const httpUrl = `http://127.0.0.1:${httpPort}`
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const isSlow = await Promise.race([ended.then(() => false), sleep(stopMaxMs, true, { ref: false })])
    if (isSlow) child.kill('SIGKILL')
    await ended
  }
  try {
    await becomesReady(child, `${httpUrl}/readyz`, signal)
  } catch (error) {
    await stop()
    signal.throwIfAborted()
    throw new Error(`the switch did not start: ${(error as Error).message}. ${lastWords()}`)
  }
  return { pid: child.pid!, httpUrl, httpPort, isoPort, stop }
}

function writeConfig(folder: string, { engine, tenant }: SwitchOptions): void {
  mkdirSync(folder, { recursive: true })
  cpSync(join(repository, 'switch-config/dialects'), join(folder, 'dialects'), { recursive: true })
  const listener = {
    name: 'terminals',
    port: 8583,
    framing: { length: 'binary2' },
    dialect: 'iso87a',
    tenant: tenantCode,
  }
  const file = { http: { host: '127.0.0.1', port: 8080 }, listeners: [listener], engine, demo: 'demo.json' }
  writeFileSync(join(folder, 'switch.json'), JSON.stringify(file, null, 2))
  writeFileSync(join(folder, 'demo.json'), JSON.stringify(tenant))
}

async function becomesReady(child: ChildProcess, url: string, signal: AbortSignal): Promise<void> {
  for (const giveUpAt = performance.now() + startMaxMs; performance.now() < giveUpAt; await sleep(50)) {
    signal.throwIfAborted()
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended')
    const response = await fetch(url).catch(() => null)
    await response?.arrayBuffer()
    if (response?.ok) return
  }
  throw new Error(`not ready after ${startMaxMs / 1000} s`)
}

/** The shell's input closes when this process ends, however it ends. */
function stopWithThisProcess(child: ChildProcess): void {
  if (child.pid === undefined) return
  const script = 'cat >/dev/null; kill -TERM "$1" 2>/dev/null'
  const guard = spawn('/bin/sh', ['-c', script, 'sh', String(child.pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.once('exit', () => guard.kill('SIGKILL'))
}

function keepLastWords(child: ChildProcess): () => string {
  let words = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-lastWordsMax)
  })
  return () => words
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()]
  const ports = await Promise.all(
    servers.map(
      server =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            resolve(typeof address === 'object' && address !== null ? address.port : 0)
          })
        }),
    ),
  )
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return [ports[0]!, ports[1]!]
}
