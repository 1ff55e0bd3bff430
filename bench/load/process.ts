import { runLoad } from '../../src/load/run.ts'
import type { LoadSpec } from '../../src/load/spec.ts'
import { dialect } from './dialect.ts'
import type { LoadNews } from './news.ts'

const tell = (news: LoadNews): void => void process.send?.(news)

// One load in a process of its own, so that its CPU is told apart from all else.
process.once('message', (spec: LoadSpec) => {
  const watcher = {
    onTick: (messages: number, isWarm: boolean) => tell({ news: 'tick', messages, isWarm }),
    onMeasuring: () => tell({ news: 'measuring' }),
    onMeasured: () => tell({ news: 'measured' }),
  }
  runLoad(spec, dialect, watcher, new AbortController().signal).then(
    result => {
      tell({ news: 'done', result })
      process.disconnect?.()
    },
    (error: Error) => {
      tell({ news: 'failed', error: error.message })
      process.disconnect?.()
    },
  )
})
// The harness decides when a load ends; without it there is nobody to report to.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit())
