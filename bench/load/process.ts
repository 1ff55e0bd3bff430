import { setTimeout as sleep } from 'node:timers/promises'
import { isoTimes, startIsoLoad } from './iso-load.ts'
import type { LoadNews, LoadSpec } from './messages.ts'
import { LoadRecorder } from './recorder.ts'

const tickEveryMs = 500
const drainMaxMs = 15_000

const tell = (news: LoadNews): void => void process.send?.(news)

/** Runs one load in a process of its own, so that its CPU is told apart from all else. */
async function run(spec: LoadSpec): Promise<void> {
  const recorder = new LoadRecorder(isoTimes)
  const load = await startIsoLoad(spec, recorder)
  const ticks = setInterval(() => {
    tell({ news: 'tick', messages: recorder.messagesEver, isWarm: recorder.isMeasuring })
  }, tickEveryMs)
  await sleep(spec.warmupMs)
  recorder.start()
  tell({ news: 'measuring' })
  await sleep(spec.measureMs)
  const result = recorder.stop()
  tell({ news: 'measured' })
  clearInterval(ticks)
  const unanswered = await load.finish(drainMaxMs)
  if (unanswered > 0) recorder.failed('no answer', unanswered)
  tell({ news: 'done', result: result() })
}

process.once('message', (spec: LoadSpec) => {
  run(spec).then(
    () => process.disconnect?.(),
    (error: Error) => {
      tell({ news: 'failed', error: error.message })
      process.disconnect?.()
      process.exitCode = 1
    },
  )
})
// The harness decides when a load ends; without it there is nobody to report to.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit())
