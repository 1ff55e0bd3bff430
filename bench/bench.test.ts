import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LoadResult, LoadSpec } from './load/messages.ts'
import { type NullServer, runLoad, startNullServer } from './load-runner.ts'
import type { Measurement } from './measure.ts'
import { parseOptions } from './options.ts'
import { latenciesOf } from './pgbench.ts'
import { checksOf, type Report } from './report.ts'
import { describeReport } from './report-text.ts'
import { shippedEngine } from './servers.ts'
import { batchesBetween, parseMetrics } from './switch-metrics.ts'

describe('the load generators against a server that only answers', { timeout: 30_000 }, () => {
  let server: NullServer
  beforeAll(async () => {
    server = await startNullServer()
  })
  afterAll(() => server.stop())

  const common = { cards: 50, connections: 4, warmupMs: 100, measureMs: 400 }
  test.each([
    ['iso', { ...common, kind: 'iso', inFlight: 10 }],
    ['steady', { ...common, kind: 'steady', rate: 100 }],
    ['http', { ...common, kind: 'http' }],
  ] as const)('%s: every transaction is authorized, confirmed and timed', async (_name, spec) => {
    const news: string[] = []
    const watcher = {
      onTick: () => {},
      onMeasuring: () => void news.push('measuring'),
      onMeasured: () => void news.push('measured'),
    }
    const full: LoadSpec = { ...spec, port: server.port }
    const { transactions, messages, errors, latencies, seconds } = await runLoad(full, watcher, neverAborted)
    expect(news).toEqual(['measuring', 'measured'])
    expect(errors).toEqual({})
    expect(seconds).toBeGreaterThanOrEqual(0.399)
    expect(transactions).toBeGreaterThan(10)
    // At both ends of the time a transaction may be half in it.
    expect(Math.abs(messages - 2 * transactions)).toBeLessThanOrEqual(20)
    expect(latencies.message.count).toBe(latencies.authorize.count + latencies.confirm.count)
    expect(latencies.transaction.maxMs).toBeGreaterThanOrEqual(latencies.confirm.p50Ms)
  })

  test('a load whose server is not there fails, and says so', async () => {
    const spec: LoadSpec = { ...common, kind: 'iso', inFlight: 4, port: 1 }
    const watcher = { onTick: () => {}, onMeasuring: () => {}, onMeasured: () => {} }
    await expect(runLoad(spec, watcher, neverAborted)).rejects.toThrow('ECONNREFUSED')
  })
})

const neverAborted = new AbortController().signal

describe('options', () => {
  test('the defaults', () => {
    const { only, seconds, inFlight, cards, rate } = parseOptions([])
    expect({ only: only.length, seconds, inFlight, cards, rate }).toEqual({
      only: 6,
      seconds: 10,
      inFlight: [128, 1024],
      cards: 20_000,
      rate: 250,
    })
  })

  test.each([
    [['--only', 'iso,nothing'], '--only: there is no "nothing"'],
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

describe('what decides on the exit status', () => {
  const fine = { name: 'one', checked: 1, offenders: [] }
  const broken = { name: 'lots', checked: 1, offenders: ['1/7'] }
  test.each([
    // what is told apart; transactions in ten seconds, p99, errors, findings, verdicts
    ['all is well', 2_500, 50, {}, [fine], [true, true, true]],
    ['too slow', 2_500, 50.1, {}, [fine], [false, true, true]],
    ['too few', 2_470, 20, {}, [fine], [false, true, true]],
    ['an error', 2_500, 20, { 'authorize 91': 1 }, [fine], [true, false, true]],
    ['a broken invariant', 2_500, 20, {}, [fine, broken], [true, true, false]],
    ['no audit', 2_500, 20, {}, [], [true, true, false]],
  ] as const)('%s', (_name, transactions, p99Ms, errors, audit, verdicts) => {
    const report = reportOf(loadOf(transactions, p99Ms, errors), audit)
    expect(checksOf(report).map(({ ok }) => ok)).toEqual(verdicts)
    const text = describeReport(report)
    expect(text.match(/^(?:ok|FAILED)/gm)).toEqual(verdicts.map(ok => (ok ? 'ok' : 'FAILED')))
    expect(text).not.toMatch(/undefined|NaN/)
  })
})

function loadOf(transactions: number, p99Ms: number, errors: Record<string, number>): LoadResult {
  const latency = { count: 10, meanMs: 1, p50Ms: 1, p95Ms: 2, p99Ms, p999Ms: p99Ms, maxMs: p99Ms }
  const latencies = { message: latency, authorize: latency, confirm: latency, transaction: latency, late: latency }
  return { seconds: 10, transactions, messages: 2 * transactions, errors, latencies, cpuSeconds: 1 }
}

function reportOf(load: LoadResult, audit: Report['audit']): Report {
  const steady: Measurement = {
    name: 'steady',
    spec: { kind: 'steady', port: 1, connections: 1, cards: 1, warmupMs: 1, measureMs: 1, rate: 250 },
    load,
    cpuSeconds: { switch: 1, postgres: null, load: 1, others: 9 },
    memoryPeakMb: null,
    batches: { count: 0, faults: 0, meanCommands: 0, p50Commands: 0, meanMs: { read: 0, decide: 0, write: 0 } },
    walBytes: 1,
  }
  return {
    version: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    seconds: 1,
    commit: null,
    machine: { cores: 2, cpu: 'some', memoryMb: 1, system: 'some', node: 'v26' },
    options: parseOptions([]),
    engine: shippedEngine,
    database: {
      server_version: '18',
      shared_buffers: '1GB',
      max_wal_size: '1GB',
      checkpoint_timeout: '1min',
      fsync: 'on',
    },
    fsync: { medianMs: 1, p99Ms: 2, samples: 3 },
    limits: { iso: null, http: null },
    measurements: { iso: [], http: null, steady, one: null },
    pgbench: 'left out',
    hotPart: null,
    databaseBytes: 1,
    statements: [{ text: 'SELECT', calls: 2, totalMs: 3, rows: 4, walBytes: 5 }],
    audit,
  }
}
