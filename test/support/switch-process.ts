import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const startMsMax = 30_000

/** A whole switch in a process of its own, on ports of its own. */
export interface SwitchProcess {
  readonly httpUrl: string
  readonly isoPort: number
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>
  /** SIGTERM: it drains and ends. Settles with its exit code. */
  stop(): Promise<number | null>
}

export interface SwitchProcessOptions {
  readonly databaseUrl: string
  readonly dataDir: string
}

/** Starts a switch as a service manager does, and waits until it listens. Throws its last words if it does not. */
export async function startSwitchProcess({ databaseUrl, dataDir }: SwitchProcessOptions): Promise<SwitchProcess> {
  const child = spawn(join(root, 'bin/charsu'), ['start'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: databaseUrl,
      DATA_DIR: dataDir,
      PORT: '0',
      ISO_PORT: '0',
      LOG_LEVEL: 'fatal',
    },
  })
  const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
  const greeting = await greetingOf(child, exited)
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal)
    return exited
  }
  return {
    ...greeting,
    signal: name => void child.kill(name),
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  }
}

/** Reads what the switch prints when it listens. */
async function greetingOf(
  child: ChildProcess,
  exited: Promise<number | null>,
): Promise<{ httpUrl: string; isoPort: number }> {
  let output = ''
  const listening = new Promise<{ httpUrl: string; isoPort: number }>(resolve => {
    child.stderr?.on('data', (chunk: Buffer) => {
      output += chunk
      const http = /HTTP\s+(http:\S+)/.exec(output)?.[1]
      const iso = /ISO 8583\s+port (\d+)/.exec(output)?.[1]
      if (http !== undefined && iso !== undefined) resolve({ httpUrl: http, isoPort: Number(iso) })
    })
  })
  const ended = exited.then(code => {
    throw new Error(`the switch ended with ${code}: ${output}`)
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`the switch did not listen within ${startMsMax} ms: ${output}`))
    }, startMsMax)
  })
  try {
    return await Promise.race([listening, ended, late])
  } finally {
    clearTimeout(timer)
    ended.catch(() => undefined)
  }
}
