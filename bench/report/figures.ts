import type { Measurement } from '../measure.ts'
import type { Report } from './report.ts'

/** One figure of a report: the median of its runs, and the least and the most of them. */
export interface Figure {
  readonly id: string
  readonly name: string
  readonly unit: string
  readonly better: 'more' | 'less'
  readonly median: number
  readonly min: number
  readonly max: number
  readonly runs: number
}

interface Reading {
  readonly unit: string
  readonly better: Figure['better']
  of(measurement: Measurement): number | null
}

const perSecond = (count: number, { load }: Measurement): number => count / load.seconds
const perMessage = (seconds: number | null, { load }: Measurement): number | null =>
  seconds === null || load.messages === 0 ? null : (seconds * 1e6) / load.messages
const perTransaction = (value: number, { load }: Measurement): number | null =>
  load.transactions === 0 ? null : value / load.transactions

const readings: Readonly<Record<string, Reading>> = {
  'transactions/s': { unit: '/s', better: 'more', of: one => perSecond(one.load.transactions, one) },
  'messages/s': { unit: '/s', better: 'more', of: one => perSecond(one.load.messages, one) },
  'message p50': { unit: 'ms', better: 'less', of: one => one.load.latencies.message.p50Ms },
  'message p99': { unit: 'ms', better: 'less', of: one => one.load.latencies.message.p99Ms },
  'message p99.9': { unit: 'ms', better: 'less', of: one => one.load.latencies.message.p999Ms },
  'transaction p50': { unit: 'ms', better: 'less', of: one => one.load.latencies.transaction.p50Ms },
  'transaction p99': { unit: 'ms', better: 'less', of: one => one.load.latencies.transaction.p99Ms },
  'transaction p99.9': { unit: 'ms', better: 'less', of: one => one.load.latencies.transaction.p999Ms },
  'switch CPU': { unit: 'µs/message', better: 'less', of: one => perMessage(one.cpuSeconds.switch, one) },
  'database CPU': { unit: 'µs/message', better: 'less', of: one => perMessage(one.cpuSeconds.postgres, one) },
  'load CPU': { unit: 'µs/message', better: 'less', of: one => perMessage(one.cpuSeconds.load, one) },
  'commands/batch': { unit: '', better: 'more', of: one => one.batches.meanCommands },
  WAL: { unit: 'B/transaction', better: 'less', of: one => perTransaction(one.wal.bytes, one) },
  'switch memory': { unit: 'MB', better: 'less', of: one => one.memory.switchPeakMb },
}

/** All figures of a report, by id. */
export function figuresOf(report: Report): ReadonlyMap<string, Figure> {
  const figures = new Map<string, Figure>()
  const put = (id: string, name: string, unit: string, better: Figure['better'], values: readonly number[]): void => {
    const sorted = values.toSorted((a, b) => a - b)
    if (sorted.length === 0) return
    const [min, max] = [sorted[0] as number, sorted.at(-1) as number]
    figures.set(id, { id, name, unit, better, median: medianOf(sorted), min, max, runs: sorted.length })
  }
  const byId = Map.groupBy(report.measurements, ({ id }) => id)
  for (const [id, all] of byId) {
    for (const [what, { unit, better, of }] of Object.entries(readings)) {
      const values = all.map(of).filter(value => value !== null)
      put(`${id} ${what}`, `${all[0]!.name}: ${what}`, unit, better, values)
    }
  }
  for (const [id, all] of Map.groupBy(report.limits, limit => limit.id)) {
    const values = all.map(({ load }) => load.transactions / load.seconds)
    put(`${id} transactions/s`, `${all[0]!.name}: transactions/s`, '/s', 'more', values)
  }
  const pgbench = report.pgbench.map(({ transactions, seconds }) => transactions / seconds)
  put('pgbench transactions/s', 'pgbench TPC-B: transactions/s', '/s', 'more', pgbench)
  for (const { message, packRatio, unpackRatio, packNs, unpackNs } of report.codec) {
    put(`codec ${message} pack ratio`, `${message}: pack, times iso_8583`, '×', 'more', [packRatio])
    put(`codec ${message} unpack ratio`, `${message}: unpack, times iso_8583`, '×', 'more', [unpackRatio])
    put(`codec ${message} pack`, `${message}: pack`, 'ns', 'less', [packNs])
    put(`codec ${message} unpack`, `${message}: unpack`, 'ns', 'less', [unpackNs])
  }
  const last = report.growth.at(-1)
  if (last !== undefined) {
    put('growth bytes', 'growth: database', 'B/transaction', 'less', [last.bytesEach])
    put('growth WAL', 'growth: WAL', 'B/transaction', 'less', [last.walBytesEach])
  }
  return figures
}

/** Ratio of two figures in the same runs: each run's own, so that a machine which changes is not in it. */
export function ratioOf(report: Report, id: string, to: string, of: 'transactions' | 'messages'): Figure | null {
  const rate = (name: string, run: number): number | null => {
    if (name === 'pgbench') {
      const found = report.pgbench.find(one => one.run === run)
      return found === undefined ? null : found.transactions / found.seconds
    }
    const found = report.measurements.find(one => one.id === name && one.run === run)
    return found === undefined ? null : found.load[of] / found.load.seconds
  }
  const ratios: number[] = []
  for (let run = 1; run <= report.options.runs; run++) {
    const [ours, theirs] = [rate(id, run), rate(to, run)]
    if (ours !== null && theirs !== null && theirs > 0) ratios.push(ours / theirs)
  }
  if (ratios.length === 0) return null
  const sorted = ratios.toSorted((a, b) => a - b)
  return {
    ...{ id: `${id} to ${to}`, name: `${id}, times ${to}, in ${of}`, unit: '×', better: 'more', runs: sorted.length },
    ...{ median: medianOf(sorted), min: sorted[0] as number, max: sorted.at(-1) as number },
  }
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}
