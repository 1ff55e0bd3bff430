import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startEmbeddedPostgres } from '../src/store/embedded-postgres.ts'
import { runLoad } from './load-runner.ts'
import { cpuSecondsOf, memoryOf } from './process-stats.ts'
import { startSwitch } from './servers.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '32' },
    'in-flight': { type: 'string', default: '1024' },
    cards: { type: 'string', default: '20000' },
    profile: { type: 'boolean', default: false },
  },
})

const seconds = Number.parseInt(values.seconds, 10)
const connections = Number.parseInt(values.connections, 10)
const inFlight = Number.parseInt(values['in-flight'], 10)
const cards = Number.parseInt(values.cards, 10)

const dataFolder = join(import.meta.dirname, '../data')
mkdirSync(dataFolder, { recursive: true })
const folder = mkdtempSync(join(dataFolder, 'bench-'))
chmodSync(folder, 0o755)
const stops: (() => Promise<unknown>)[] = []
const abort = new AbortController()
process.once('SIGINT', () => abort.abort(new Error('stopped')))
try {
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') })
  stops.push(() => postgres.stop())
  const running = await startSwitch({
    folder,
    databaseUrl: postgres.url,
    engine: { lanes: 2, batchMax: 256, queueMax: 2048 },
    terminals: connections,
    cards,
    profileInto: values.profile ? join(import.meta.dirname, 'results') : undefined,
  })
  stops.push(() => running.stop())
  const cpu = () => [cpuSecondsOf(running.pid) ?? 0, cpuSecondsOf(postgres.pid) ?? 0] as const
  let before = cpu()
  let after = before
  const result = await runLoad(
    { kind: 'iso', port: running.isoPort, connections, inFlight, cards, warmupMs: 2_000, measureMs: seconds * 1_000 },
    {
      onTick: (messages, isWarm) =>
        process.stderr.write(`${isWarm ? 'measuring' : 'warming up'}: ${messages} messages\n`),
      onMeasuring: () => {
        before = cpu()
      },
      onMeasured: () => {
        after = cpu()
      },
    },
    abort.signal,
  )
  const rate = result.messages / result.seconds
  const micros = (cpuSeconds: number) => `${((cpuSeconds / result.messages) * 1e6).toFixed(1)} µs/message`
  console.log(`${Math.round(rate)} messages/s, ${Math.round(result.transactions / result.seconds)} transactions/s`)
  console.log('switch  ', micros(after[0] - before[0]), ((after[0] - before[0]) / result.seconds).toFixed(2), 'cores')
  console.log('postgres', micros(after[1] - before[1]), ((after[1] - before[1]) / result.seconds).toFixed(2), 'cores')
  console.log('load    ', micros(result.cpuSeconds), (result.cpuSeconds / result.seconds).toFixed(2), 'cores')
  console.log('memory  ', memoryOf(running.pid))
  console.log(result.latencies, result.errors)
} finally {
  for (const stop of stops.reverse()) await stop()
  rmSync(folder, { recursive: true, force: true })
}
