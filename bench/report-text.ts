import type { LoadResult } from './load/messages.ts'
import { checksOf, errorsOf, type Report, rateOf } from './report.ts'

/** The report as it is printed. Lines have at most about 120 characters. */
export function describeReport(report: Report): string {
  const parts = [
    head(report),
    speedTable(report),
    cpuTable(report),
    batchTable(report),
    statementTable(report),
    comparisons(report),
  ]
  const paragraphs = parts.filter(lines => lines.length > 0).map(lines => lines.join('\n'))
  const checks = checksOf(report).map(({ ok, text }) => `${ok ? 'ok    ' : 'FAILED'}  ${text}`)
  return `${[...paragraphs, checks.join('\n')].join('\n\n')}\n`
}

function head({ commit, machine, database, fsync, startedAt, engine, options }: Report): string[] {
  const { server_version, shared_buffers, max_wal_size, checkpoint_timeout, ...rest } = database
  const durability = Object.entries(rest).map(([name, value]) => `${name} ${value}`)
  const id = commit === null ? 'unknown commit' : `commit ${commit.id}${commit.isChanged ? ', changed since' : ''}`
  return [
    `Charsu, ${id}, ${startedAt.slice(0, 16).replace('T', ' ')} UTC`,
    `machine     ${machine.cores} cores for switch, database and load together (${machine.cpu}), ` +
      `${machine.memoryMb} MB, ${machine.system}, Node ${machine.node}`,
    `PostgreSQL  ${server_version}, shared_buffers ${shared_buffers}, max_wal_size ${max_wal_size}, ` +
      `checkpoint_timeout ${checkpoint_timeout}`,
    `durability  ${durability.slice(0, 4).join(', ')},`,
    `            ${durability.slice(4).join(', ')}`,
    `fsync       ${ms(fsync.medianMs)} ms median, ${ms(fsync.p99Ms)} ms p99 (8 kB appended, ${fsync.samples} times)`,
    `switch      ${engine.lanes} lanes, batches of at most ${engine.batchMax}, ${grouped(options.cards)} cards; ` +
      'one transaction is authorize and confirm, each acknowledged after its own commit',
  ]
}

function speedTable({ measurements: { iso, http, steady, one }, pgbench, limits }: Report): string[] {
  const rows = [['', 'trans./s', 'messages/s', 'p50 ms', 'p95', 'p99', 'p99.9', 'max', 'errors']]
  const add = (name: string, load: LoadResult, of: 'message' | 'transaction'): void => {
    const { p50Ms, p95Ms, p99Ms, p999Ms, maxMs } = load.latencies[of]
    const rates = [load.transactions, load.messages].map(count => grouped(rateOf(count, load)))
    rows.push([name, ...rates, ...[p50Ms, p95Ms, p99Ms, p999Ms, maxMs].map(ms), grouped(errorsOf(load))])
  }
  for (const { name, load } of iso) add(name, load, 'message')
  if (http !== null) add(http.name, http.load, 'message')
  if (steady !== null) {
    add(steady.name, steady.load, 'message')
    add('  from due to confirmed', steady.load, 'transaction')
  }
  if (one !== null) add(one.name, one.load, 'message')
  if (typeof pgbench !== 'string') {
    const { transactions, seconds, scale, clients, p50Ms, p95Ms, p99Ms, maxMs } = pgbench
    const times = [ms(p50Ms), ms(p95Ms), ms(p99Ms), '', ms(maxMs)]
    rows.push([`pgbench -s ${scale}, ${clients} clients`, grouped(transactions / seconds), '', ...times, ''])
  }
  for (const [name, load] of limitsNamed(limits)) add(name, load, 'message')
  return aligned(rows)
}

function cpuTable({ measurements: { iso, http, steady, one }, pgbench, limits }: Report): string[] {
  const rows = [['CPU: cores busy, µs a message', 'switch', 'database', 'load', 'others']]
  const cell = (cpuSeconds: number | null, seconds: number, messages: number | null): string => {
    if (cpuSeconds === null) return ''
    const cores = (cpuSeconds / seconds).toFixed(2)
    return messages === null || messages === 0
      ? cores
      : `${cores} ${((cpuSeconds * 1e6) / messages).toFixed(0).padStart(5)}`
  }
  for (const measurement of [...iso, http, steady, one]) {
    if (measurement === null) continue
    const { name, load, cpuSeconds } = measurement
    const cpu = [cpuSeconds.switch, cpuSeconds.postgres, cpuSeconds.load]
    const cells = cpu.map(seconds => cell(seconds, load.seconds, load.messages))
    rows.push([name, ...cells, cell(cpuSeconds.others, load.seconds, null)])
  }
  if (typeof pgbench !== 'string') {
    const { cpuSeconds, seconds, transactions } = pgbench
    rows.push([
      'pgbench (a transaction)',
      '',
      cell(cpuSeconds.postgres, seconds, transactions),
      cell(cpuSeconds.load, seconds, transactions),
    ])
  }
  for (const [name, limit] of limitsNamed(limits))
    rows.push([name, '', '', cell(limit.cpuSeconds, limit.seconds, limit.messages)])
  return aligned(rows)
}

function batchTable({ measurements: { iso, http, steady, one } }: Report): string[] {
  const rows = [
    ['batches', 'a second', 'commands', 'read ms', 'decide', 'write', 'failed', 'WAL B/trans.', 'switch MB'],
  ]
  for (const measurement of [...iso, http, steady, one]) {
    if (measurement === null) continue
    const { name, load, batches, walBytes, memoryPeakMb } = measurement
    rows.push([
      name,
      grouped(batches.count / load.seconds),
      batches.meanCommands.toFixed(1),
      ...[batches.meanMs.read, batches.meanMs.decide, batches.meanMs.write].map(ms),
      grouped(batches.faults),
      load.transactions === 0 ? '' : grouped(walBytes / load.transactions),
      memoryPeakMb === null ? '' : grouped(memoryPeakMb),
    ])
  }
  return rows.length === 1 ? [] : aligned(rows)
}

const statementsShown = 12
const statementLength = 70

function statementTable({ statements }: Report): string[] {
  const rows = [['statements', 'calls', 'ms a call', 'part', 'rows a call', 'WAL B a call']]
  const allMs = statements.reduce((sum, { totalMs }) => sum + totalMs, 0)
  for (const { text, calls, totalMs, rows: count, walBytes } of statements.slice(0, statementsShown)) {
    const part = `${((100 * totalMs) / allMs).toFixed(0)} %`
    const perCall = [grouped(count / calls), grouped(walBytes / calls)]
    rows.push([text.slice(0, statementLength), grouped(calls), ms(totalMs / calls), part, ...perCall])
  }
  return rows.length === 1 ? [] : aligned(rows)
}

const limitsNamed = ({ iso, http }: Report['limits']) =>
  (
    [
      ['load alone: ISO', iso],
      ['load alone: HTTP', http],
    ] as const
  ).flatMap(([name, load]) => (load === null ? [] : [[name, load] as const]))

/** What others may take before the figures suffer. */
const busyCoresMax = 0.2

function comparisons({ measurements: { iso, http, one, steady }, pgbench, hotPart, databaseBytes }: Report): string[] {
  const lines: string[] = []
  const best = iso.at(-1)
  if (best !== undefined && one !== null) {
    const times = rateOf(best.load.messages, best.load) / rateOf(one.load.messages, one.load)
    lines.push(`${times.toFixed(1)} times the same engine with batches of one (${best.name})`)
  }
  if (typeof pgbench === 'string') lines.push(`pgbench was not run: ${pgbench}`)
  else if (best !== undefined) {
    const rate = pgbench.transactions / pgbench.seconds
    const [transactions, messages] = [best.load.transactions, best.load.messages].map(
      count => rateOf(count, best.load) / rate,
    )
    lines.push(
      `${transactions!.toFixed(1)} times pgbench TPC-B in transactions, ${messages!.toFixed(1)} times in messages ` +
        '(each is durable when it is answered)',
    )
  }
  if (steady !== null)
    lines.push(`the steady load was sent ${ms(steady.load.latencies.late.p99Ms)} ms late at p99, counted in`)
  const others = [...iso, http, steady, one].map(each =>
    each === null ? 0 : (each.cpuSeconds.others ?? 0) / each.load.seconds,
  )
  if (Math.max(...others) > busyCoresMax) {
    lines.push(
      `other processes took up to ${Math.max(...others).toFixed(1)} cores: a quiet machine gives better figures`,
    )
  }
  if (hotPart !== null) lines.push(`${(hotPart * 100).toFixed(1)} % of the updates touched no index (HOT)`)
  lines.push(`the database has ${(databaseBytes / 1e6).toFixed(0)} MB at the end`)
  return lines
}

const grouped = (value: number): string => Math.round(value).toLocaleString('en-US')
const ms = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)

/** Columns as wide as they must be, the first to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(...rows.map(row => row.length))
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
}
