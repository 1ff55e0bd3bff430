import { expect, test } from 'vitest'
import { createLog } from './log.ts'
import { Metrics } from './metrics.ts'

test('a log is drained, and its lines that were left out are counted, where its output can tell', async () => {
  let drained = 0
  const drain = async (): Promise<void> => void drained++
  const log = createLog('info', { write: () => {}, drain, linesLeftOut: 7 })
  await log.drain()
  const sources = { queued: () => 0, isAway: () => false, connections: () => 0, linesLeftOut: log.linesLeftOut }
  expect(await new Metrics(sources).text()).toMatch(/^charsu_log_lines_left_out_total 7$/m)
  const other = createLog('info', { write: () => {} })
  await other.drain()
  expect([drained, other.linesLeftOut()]).toEqual([1, 0])
})
