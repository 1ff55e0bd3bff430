import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadConfig } from '../src/config/load.ts'
import { startSwitch } from '../src/main.ts'
import { createLog } from '../src/ops/log.ts'
import { fuzzCodec } from './fuzz/codec.ts'
import { type Corpus, readCorpus } from './fuzz/corpus.ts'
import { startGoodTraffic } from './fuzz/good-traffic.ts'
import { HeapWatch, megabytes } from './fuzz/heap.ts'
import { fuzzImports } from './fuzz/imports.ts'
import { fuzzListener } from './fuzz/listener.ts'

const usage = `npm run fuzz -- [options]

Damaged messages against the codec, damaged dialect files against the importers, then damaged frames against a
running listener with good traffic beside them. Begins from the kept corpus, test/corpus.

  --count N            messages for the codec, and frames for the listener (100000)
  --seconds N          the most that each of the two may take (1200)
  --seed N             replays a run (from the clock)
  --only PART          codec or listener
  --target HOST:PORT   a listener of the demo tenant that speaks iso87a; else a switch is started here, with an
                       embedded PostgreSQL of its own, and its heap is watched
  --connections N      at once, against the listener (8)
`

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '1200' },
    seed: { type: 'string', default: String(Date.now() % 0x1_0000_0000) },
    only: { type: 'string' },
    target: { type: 'string' },
    connections: { type: 'string', default: '8' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const windows = 12
const progressMs = 2_000
const importsPerMessage = 1 / 500

/** Prints how far a part is, takes its heap in windows, and says when its time is over. */
function watcher(part: string, count: number, watchHeap: boolean) {
  const heap = new HeapWatch()
  const startedAt = performance.now()
  const secondsMax = numberOf('seconds')
  let printedAt = startedAt
  let sampled = 0
  const rate = (done: number) => Math.round(done / ((performance.now() - startedAt) / 1000))
  return {
    heap,
    tell(done: number): boolean {
      const now = performance.now()
      if (watchHeap && done >= ((sampled + 1) * count) / windows) {
        heap.sample()
        sampled++
      }
      if (now - printedAt > progressMs) {
        printedAt = now
        const size = heap.samples.length === 0 ? '' : `, heap ${megabytes(heap.samples.at(-1)!)} MB`
        console.log(`  ${part}: ${done} of ${count}, ${rate(done)} a second${size}`)
      }
      return now - startedAt < secondsMax * 1000
    },
    done: (what: object) => {
      console.log(`${part}: ${JSON.stringify(what)}, ${rate(count)} a second`)
      if (watchHeap) console.log(`  heap in MB, after collections: ${heap.samples.map(megabytes).join(', ')}`)
    },
  }
}

function runCodec(corpora: readonly Corpus[], seed: number, count: number) {
  const watch = watcher('codec', count, true)
  const outcome = fuzzCodec({ corpora, seed, count, progress: { every: 1000, tell: watch.tell } })
  watch.done(outcome)
  watch.heap.check('codec')
  const files = Math.ceil(count * importsPerMessage)
  fuzzImports(seed, files)
  console.log(`importers: ${files} damaged files`)
}

async function runListener(corpora: readonly Corpus[], seed: number, count: number) {
  const iso87a = corpora.find(({ name }) => name === 'iso87a')
  if (iso87a === undefined) throw new Error('there is no test/corpus/iso87a.hex')
  const { dialect, messages } = iso87a
  const [host, port, stop] = values.target === undefined ? await startOwn() : targetOf(values.target)
  const watch = watcher('listener', count, values.target === undefined)
  try {
    const good = await startGoodTraffic(host, port, dialect)
    const outcome = await fuzzListener({
      ...{ host, port, dialect, messages, seed, count },
      connections: numberOf('connections'),
      tell: watch.tell,
    })
    watch.done(outcome)
    const { exchanges, slowestMs } = await good.stop()
    console.log(`  good traffic beside it: ${exchanges} exchanges approved, the slowest in ${Math.round(slowestMs)} ms`)
    watch.heap.check('listener')
  } finally {
    await stop()
  }
}

/** The whole switch in this process, so that its heap can be watched. */
async function startOwn(): Promise<[string, number, () => Promise<void>]> {
  const folder = await mkdtemp(join(tmpdir(), 'charsu-fuzz-'))
  const config = loadConfig({ DATA_DIR: folder, PORT: '0', ISO_PORT: '0' })
  const errors: string[] = []
  const running = await startSwitch(config, createLog('error', { write: line => void errors.push(line) }))
  const stop = async () => {
    await running.stop()
    await rm(folder, { recursive: true, force: true })
    if (errors.length > 0) throw new Error(`the switch logged ${errors.length} errors, first ${errors[0]}`)
  }
  return ['127.0.0.1', running.isoPorts[0]!, stop]
}

function targetOf(target: string): [string, number, () => Promise<void>] {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(target) ?? []
  if (host === undefined || port === undefined) throw new Error('--target must be HOST:PORT')
  return [host, Number.parseInt(port, 10), async () => undefined]
}

function numberOf(name: 'count' | 'seconds' | 'seed' | 'connections'): number {
  if (!/^\d{1,10}$/.test(values[name])) throw new Error(`--${name} must be a number`)
  return Number.parseInt(values[name], 10)
}

if (values.help) console.log(usage)
else {
  const seed = numberOf('seed')
  const count = numberOf('count')
  console.log(`seed ${seed}: --seed ${seed} replays it`)
  const corpora = readCorpus()
  if (values.only !== 'listener') runCodec(corpora, seed, count)
  if (values.only !== 'codec') await runListener(corpora, seed, count)
  console.log('clean')
}
