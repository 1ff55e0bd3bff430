import { setTimeout as sleep } from 'node:timers/promises'
import { startHttpLoad } from './http-load.ts'
import { startIsoLoad } from './iso-load.ts'
import type { LoadNews, LoadSpec } from './messages.ts'
import { LoadRecorder } from './recorder.ts'
import type { RunningLoad } from './running.ts'
import { startSteadyLoad } from './steady-load.ts'

const tickEveryMs = 500
const drainMaxMs = 15_000

const tell = (news: LoadNews): void => void process.send?.(news)

function start(spec: LoadSpec, recorder: LoadRecorder): Promise<RunningLoad> {
  switch (spec.kind) {
    case 'iso':
      return startIsoLoad(spec, recorder)
    case 'steady':
      return startSteadyLoad(spec, recorder)
    case 'http':
      return startHttpLoad(spec, recorder)
  }
}

/** Runs one load in a process of its own, so that its CPU is told apart from all else. */
async function run(spec: LoadSpec): Promise<void> {
  const recorder = new LoadRecorder()
  const load = await start(spec, recorder)
  const ticks = setInterval(() => {
    tell({ news: 'tick', messages: recorder.messagesEver, isWarm: recorder.isMeasuring })
  }, tickEveryMs)
  await sleep(spec.warmupMs)
  recorder.start()
  tell({ news: 'measuring' })
  await sleep(spec.measureMs)
  recorder.stop()
  tell({ news: 'measured' })
  clearInterval(ticks)
  const unanswered = await load.finish(drainMaxMs)
  if (unanswered > 0) recorder.failed('no answer', unanswered)
  tell({ news: 'done', result: recorder.result() })
}

process.once('message', (spec: LoadSpec) => {
  run(spec).then(
    () => process.disconnect?.(),
    (error: Error) => {
      tell({ news: 'failed', error: error.message })
      process.disconnect?.()
    },
  )
})
// The harness decides when a load ends; without it there is nobody to report to.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit())
