import { expect, test } from 'vitest'
import { createLog } from './log.ts'
import { maskCardNumbers } from './mask.ts'
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

test('an error of the database is logged without the values of the row', () => {
  const lines: string[] = []
  const log = createLog('info', { write: line => void lines.push(line) })
  const detail = 'Key (tenant, reference)=(1, 400000000002) already exists.'
  const where = 'COPY load_lines, line 1, column reference: "400000000002"'
  const error = Object.assign(new Error('duplicate key'), { code: '23505', constraint: 'by_reference', detail, where })
  log.error({ err: error }, 'a request failed')
  const { err } = JSON.parse(lines[0] as string)
  expect(err).toEqual({
    ...{ type: 'Error', message: 'duplicate key', stack: error.stack },
    code: '23505',
    constraint: 'by_reference',
  })
})

test.each([
  ['12 digits: a number of a transaction, or an amount', '400000000002', '400000000002'],
  ['13', '4000000000006', '*********0006'],
  ['19', '4000000000000000006', '***************0006'],
  ['20', '40000000000000000002', '40000000000000000002'],
  ['the last digit is wrong', '4000000000007', '4000000000007'],
  ['in a longer word', 'M4000000000006', 'M4000000000006'],
])('what passes for a card number is masked: %s', (_, digits, shown) => {
  expect(maskCardNumbers(`"${digits}"`)).toBe(`"${shown}"`)
})
