import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LoadResult, LoadSpec, Second } from '../src/load/spec.ts'
import { type NullServer, runLoad, startNullServer } from './load-runner.ts'
import type { Measurement } from './measure.ts'
import { parseOptions } from './options.ts'
import { latenciesOf } from './pgbench.ts'
import { compareReports } from './report/compare.ts'
import { htmlOf } from './report/html.ts'
import { markdownOf } from './report/markdown.ts'
import { checksOf, type Report } from './report/report.ts'
import { describeReport } from './report/text.ts'
import { shippedEngine } from './servers.ts'
import { httpSpec, isoSpec, openSpec } from './specs.ts'
import { batchesBetween, parseMetrics } from './switch-metrics.ts'
import { overloadOf } from './workloads/overload.ts'

const options = parseOptions(['--connections', '4', '--http-connections', '4', '--in-flight', '10', '--cards', '50'])
const watcher = { onStarted: () => {}, onTick: () => {}, onMeasuring: () => {}, onMeasured: () => {} }
const neverAborted = new AbortController().signal

describe('the load generator against a server that only answers', { timeout: 30_000 }, () => {
  let server: NullServer
  beforeAll(async () => {
    server = await startNullServer()
  })
  afterAll(() => server.stop())

  const short = { warmupMs: 100, measureMs: 1_100 }
  test.each([
    ['ISO, closed loop', isoSpec(options, 0, 10)],
    ['ISO, open loop', openSpec(isoSpec(options, 0, 4), 100)],
    ['HTTP, closed loop', httpSpec(options, 0)],
    ['HTTP, open loop', openSpec(httpSpec(options, 0), 100)],
  ] as const)('%s: every transaction is authorized, confirmed and timed', async (_name, spec) => {
    const news: string[] = []
    const told = {
      ...watcher,
      onMeasuring: () => void news.push('measuring'),
      onMeasured: () => void news.push('measured'),
    }
    const load = await runLoad({ ...spec, ...short, port: server.port }, told, neverAborted)
    const { transactions, messages, errors, refusals, latencies, seconds, series } = load
    expect(news).toEqual(['measuring', 'measured'])
    expect({ ...errors, ...refusals }).toEqual({})
    expect(seconds).toBeGreaterThanOrEqual(1.099)
    expect(transactions).toBeGreaterThan(50)
    // At both ends of the time a transaction may be half in it.
    expect(Math.abs(messages - 2 * transactions)).toBeLessThanOrEqual(20)
    expect(latencies.message.count).toBe(latencies.authorize.count + latencies.confirm.count)
    expect(latencies.transaction.maxMs).toBeGreaterThanOrEqual(latencies.confirm.p50Ms)
    expect(series).toHaveLength(1)
    expect(series[0]!.transactions).toBeGreaterThan(40)
  })

  test.each(['iso', 'http'] as const)('%s: parts of the transactions are reversed', async protocol => {
    const spec = protocol === 'iso' ? isoSpec(options, 0, 10) : httpSpec(options, 0)
    const mix = { refused: 0, reversedHolds: 0.5, reversedSales: 0.5 }
    const load = await runLoad({ ...spec, ...short, mix, port: server.port }, watcher, neverAborted)
    const { authorize, confirm, reverse } = load.latencies
    expect(load.errors).toEqual({})
    // Six standard deviations of a coin that is tossed so often, and what is half in the time at either end.
    const far = 3 / Math.sqrt(authorize.count) + 20 / authorize.count
    expect(Math.abs(confirm.count / authorize.count - 0.5)).toBeLessThan(far)
    expect(Math.abs(reverse.count / authorize.count - 0.75)).toBeLessThan(far)
    expect(far).toBeLessThan(0.25)
  })

  test('open loop: what finds no connection in time is never sent, and counted', async () => {
    const spec = httpSpec({ ...options, httpConnections: 1 }, server.port)
    const rates = [{ perSecond: 500_000, ms: 0 }]
    const pace = { kind: 'open', rates, patienceMs: 10 } as const
    const load = await runLoad({ ...spec, ...short, pace }, watcher, neverAborted)
    expect(load.unsent).toBeGreaterThan(1_000)
    expect(load.series[0]!.unsent).toBeGreaterThan(1_000)
    expect(load.errors).toEqual({})
  })

  test('a load whose server is not there fails, and says so', async () => {
    const spec: LoadSpec = { ...isoSpec(options, 1, 4), ...short }
    await expect(runLoad(spec, watcher, neverAborted)).rejects.toThrow('ECONNREFUSED')
  })
})

describe('options', () => {
  test('the defaults', () => {
    const { workloads, runs, seconds, steadySeconds, inFlight, rate } = parseOptions([])
    expect(workloads).toEqual('limit credit http hot steady one-organisation welfare one pgbench codec'.split(' '))
    expect({ runs, seconds, steadySeconds, inFlight, rate }).toEqual({
      ...{ runs: 3, seconds: 10, steadySeconds: 60, inFlight: [128, 1024], rate: 250 },
    })
    expect(parseOptions(['all']).workloads).toContain('scale')
    expect(parseOptions(['steady', 'credit', '--quick'])).toMatchObject({ workloads: ['credit', 'steady'], runs: 1 })
  })

  test.each([
    [['nothing'], 'there is no workload "nothing"'],
    [['--seconds', '0'], '--seconds must be from 1 to 600, not "0"'],
    [['--connections', '1.5'], '--connections must be from 1 to 1024'],
    [['--connections', '4', '--in-flight', '128,1025'], '--in-flight must be from 4 to 1024, not "1025"'],
    [['--cards', '1000001'], '--cards must be from 1 to 1000000'],
    [['--unknown'], "Unknown option '--unknown'"],
  ] as const)('%j: %s', (args, sentence) => {
    expect(() => parseOptions(args)).toThrow(sentence)
  })
})

test('metrics of the switch: what happened between two readings', () => {
  const text = (sizes: readonly number[], count: number, sum: number, faults: number): string =>
    [
      ...[1, 2, 4].map((size, index) => `charsu_batch_commands_bucket{le="${size}"} ${sizes[index]}`),
      `charsu_batch_commands_bucket{le="+Inf"} ${count}`,
      `charsu_batch_commands_sum ${sum}`,
      `charsu_batch_commands_count ${count}`,
      `charsu_batch_stage_seconds_sum{stage="read"} ${count / 100}`,
      `charsu_batch_stage_seconds_sum{stage="decide"} 0`,
      `charsu_batch_stage_seconds_sum{stage="write"} ${count / 50}`,
      `charsu_batch_faults_total{fault="collision"} ${faults}`,
      `charsu_batch_faults_total{fault="poison"} 1`,
    ].join('\n')
  const before = parseMetrics(text([10, 10, 10], 10, 10, 2))
  const after = parseMetrics(text([11, 12, 20], 20, 40, 5))
  const { meanMs, ...rest } = batchesBetween(before, after)
  expect(rest).toEqual({ count: 10, faults: 3, meanCommands: 3, p50Commands: 4 })
  expect(meanMs.read).toBeCloseTo(10)
  expect(meanMs.write).toBeCloseTo(20)
})

test("pgbench's log: times of all clients, sorted", () => {
  const logs = ['0 1 2500 0 1600000000 1\n0 2 1500 0 1600000000 2\n', '1 1 500 0 1600000000 3\n']
  expect([...latenciesOf(logs)]).toEqual([0.5, 1.5, 2.5])
})

test('overload: what was served and refused while there was too much, and how long it took to recover', () => {
  const second = (transactions: number, refused: number, unsent: number, p99Ms: number): Second => ({
    ...{ transactions, messages: 0, refused, unsent, p50Ms: 1, p99Ms, maxMs: p99Ms },
  })
  const series = [second(10, 2, 4, 900), second(20, 4, 8, 1_900), second(9, 0, 0, 800), second(9, 0, 0, 60)]
  expect(overloadOf(series, 2, 7)).toEqual({
    ...{ overSeconds: 2, served: 15, refused: 3, unsent: 6, servedP99Ms: 1_900, refusedP99Ms: 7 },
    ...{ recoverySeconds: 1, recoveredP99Ms: 100 },
  })
  expect(overloadOf(series.slice(0, 3), 2, 7).recoverySeconds).toBeNull()
})

describe('what decides on the exit status', () => {
  const fine = { name: 'one', checked: 1, offenders: [] }
  const broken = { name: 'lots', checked: 1, offenders: ['1/7'] }
  test.each([
    // what is told apart; transactions in ten seconds, p99, errors, findings, verdicts
    ['all is well', 2_500, 50, {}, [fine], [true, true, true]],
    ['too slow', 2_500, 50.1, {}, [fine], [false, true, true]],
    ['too few', 2_470, 20, {}, [fine], [false, true, true]],
    ['an error', 2_500, 20, { 'no answer': 1 }, [fine], [true, false, true]],
    ['a broken invariant', 2_500, 20, {}, [fine, broken], [true, true, false]],
    ['no audit', 2_500, 20, {}, [], [true, true, false]],
  ] as const)('%s', (_name, transactions, p99Ms, errors, audit, verdicts) => {
    const report = reportOf(loadOf(transactions, p99Ms, errors), audit)
    expect(checksOf(report).map(({ ok }) => ok)).toEqual(verdicts)
    const text = describeReport(report)
    expect(text.match(/^(?:ok|FAILED)/gm)).toEqual(verdicts.map(ok => (ok ? 'ok' : 'FAILED')))
  })
})

test('a run that ended early is reported as such, and fails', () => {
  const report = { ...reportOf(loadOf(2_500, 20, {}), []), databases: [], unfinished: 'interrupted' }
  expect(checksOf(report).map(({ ok }) => ok)).toEqual([true, true, false])
  for (const text of [describeReport(report), markdownOf(report), htmlOf(report)]) {
    expect(text).toContain('NOT FINISHED: interrupted')
    expect(text).toContain('not finished: interrupted')
  }
})

test('a report is text, Markdown and a page that needs nothing else', () => {
  const report = reportOf(loadOf(2_500, 20, {}), [])
  for (const text of [describeReport(report), markdownOf(report), htmlOf(report)]) {
    expect(text).toContain('steady')
    expect(text).not.toMatch(/undefined|NaN|\[object/)
  }
  expect(htmlOf(report)).not.toMatch(/<script|https?:|<link/)
  expect(htmlOf(report).match(/<svg/g)!.length).toBeGreaterThan(3)
})

test('two reports are compared, and told when they are hard to compare', () => {
  const before = reportOf(loadOf(2_500, 20, {}), [])
  const after = reportOf(loadOf(5_000, 40, {}), [])
  const text = compareReports(before, { ...after, engine: { ...after.engine, lanes: 9 } })
  expect(text).toMatch(/steady: transactions\/s +\/s +250 +500 +\+100.0 % +better/)
  expect(text).toMatch(/steady: message p99 +ms +20 +40 +\+100.0 % +WORSE/)
  expect(text).toContain('differs: engine:')
  expect(text).not.toMatch(/undefined|NaN/)
})

test('what only one of two reports tells is told as a difference, and so is an early end', () => {
  const report = reportOf(loadOf(2_500, 20, {}), [])
  const { walFiles: _, ...fewer } = report.options
  const before = { ...report, options: fewer as typeof report.options, unfinished: 'interrupted' }
  const text = compareReports(before, { ...report, settings: { ...report.settings, wal_level: 'minimal' } })
  expect(text.match(/^(?:differs|not finished).*/gm)).toEqual([
    'not finished: before: interrupted',
    'differs: walFiles: not told and 192',
    'differs: wal_level: not told and "minimal"',
  ])
})

test('a report says what its open loop has under way at most, and which WAL files were there before', () => {
  const report = reportOf(loadOf(2_500, 20, {}), [])
  const text = describeReport(report)
  expect(text).toContain('At most under way at once in the open loop: steady: 1024.')
  expect(text).toContain('WAL         192 files made beforehand')
  const { walFiles: _, ...older } = report.options
  expect(describeReport({ ...report, options: older as typeof report.options })).not.toContain('made beforehand')
})

function loadOf(transactions: number, p99Ms: number, errors: Record<string, number>): LoadResult {
  const latency = {
    ...{ count: 10, meanMs: 1, p50Ms: 1, p90Ms: 1, p95Ms: 2, p99Ms },
    p999Ms: p99Ms,
    p9999Ms: 9,
    maxMs: 9,
  }
  const of = { message: latency, authorize: latency, confirm: latency, reverse: latency }
  const latencies = { ...of, transaction: latency, refused: latency, late: latency }
  const second = { ...{ transactions: 250, messages: 500, refused: 0, unsent: 0 }, p50Ms: 1, p99Ms: 2, maxMs: 3 }
  return {
    ...{ seconds: 10, transactions, messages: 2 * transactions, refusals: {}, unsent: 0, errors, latencies },
    ...{ series: [second, second, second], cpuSeconds: 1 },
  }
}

function reportOf(load: LoadResult, audit: Report['databases'][number]['audit']): Report {
  const cores = { switch: 1, postgres: 0.5, load: 0.2, machine: 2 }
  const sample = { cores, switchMb: 100, batches: 3, commandsPerBatch: 4, fsyncs: 5, fsyncMs: 0.5, walBytes: 6 }
  const steady: Measurement = {
    ...{ workload: 'steady', id: 'steady-iso', name: 'steady', run: 1, mayRefuse: false, load },
    spec: openSpec(isoSpec(options, 1, 4), 250),
    cpuSeconds: { switch: 1, postgres: null, load: 1, others: 9 },
    memory: { switchPeakMb: 120, postgresMb: null },
    batches: { count: 0, faults: 0, meanCommands: 0, p50Commands: 0, meanMs: { read: 0, decide: 0, write: 0 } },
    wal: { bytes: 1, fullPageImages: 0, fsyncs: 0, fsyncMs: 0 },
    samples: [1, 2, 3].map(atSeconds => ({ atSeconds, ...sample })),
  }
  return {
    ...{ version: 2, startedAt: '2026-01-01T00:00:00.000Z', seconds: 1, commit: null },
    machine: { cores: 2, cpu: 'some', memoryMb: 1, system: 'some', node: 'v26' },
    options: parseOptions(['steady']),
    engine: shippedEngine,
    settings: { server_version: '18', shared_buffers: '1GB', max_wal_size: '1GB', checkpoint_timeout: '1min' },
    fsync: { medianMs: 1, p99Ms: 2, samples: 3 },
    ...{ measurements: [steady], limits: [], overloads: [], pgbench: [], growth: [], codec: [], scale: null },
    notes: ['something was left out'],
    databases: [{ database: 'plain', transactions: 1, bytes: 1, hotPart: null, tables: [], statements: [], audit }],
  }
}
