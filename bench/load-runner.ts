import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { LoadResult, LoadSpec } from '../src/load/spec.ts'
import type { LoadNews } from './load/news.ts'

const program = join(import.meta.dirname, 'load/process.ts')
const nullServer = join(import.meta.dirname, 'load/null-server.ts')
/** Beyond warm-up and measurement: for connecting, draining and a machine that is busy. */
const graceMs = 60_000

export interface LoadWatcher {
  /** The load's process is there. */
  onStarted(pid: number): void
  onTick(messages: number, isWarm: boolean): void
  /** The warm-up is over. */
  onMeasuring(): void
  onMeasured(): void
}

/** Runs a load in a process of its own, from start to drained. Rejects if it fails or `signal` is aborted. */
export function runLoad(spec: LoadSpec, watcher: LoadWatcher, signal: AbortSignal): Promise<LoadResult> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const child = fork(program, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const kill = (): void => void child.kill('SIGKILL')
    const timer = setTimeout(kill, spec.warmupMs + spec.measureMs + graceMs)
    signal.addEventListener('abort', kill, { once: true })
    let result: LoadResult | undefined
    let error = new Error('the load process ended before it was done')
    child.on('message', (news: LoadNews) => {
      if (news.news === 'tick') watcher.onTick(news.messages, news.isWarm)
      else if (news.news === 'measuring') watcher.onMeasuring()
      else if (news.news === 'measured') watcher.onMeasured()
      else if (news.news === 'done') result = news.result
      else error = new Error(`the load failed: ${news.error}`)
    })
    child.once('error', reject)
    child.once('exit', () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', kill)
      if (result === undefined) reject(signal.aborted ? signal.reason : error)
      else resolve(result)
    })
    if (child.pid !== undefined) watcher.onStarted(child.pid)
    child.send(spec)
  })
}

export interface NullServer {
  readonly port: number
  stop(): void
}

/** Starts the server that only answers, in a process of its own. */
export function startNullServer(): Promise<NullServer> {
  const child = fork(nullServer, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => reject(new Error('the null server ended')))
    child.once('message', (port: number) => resolve({ port, stop: () => void child.kill('SIGKILL') }))
  })
}
