import { slotsPerConnectionMax } from '../../src/load/spec.ts'
import { type Figure, figuresOf, ratioOf } from './figures.ts'
import { grouped, spread } from './numbers.ts'
import type { Report } from './report.ts'
import { targetsOf } from './targets.ts'

/** The first row is the head; the first column names the row, the others are numbers. */
export interface Table {
  readonly title: string
  /** What a reader has to know to argue with it. */
  readonly note: string
  readonly rows: readonly (readonly string[])[]
}

/** The tables of a report, for the terminal, Markdown and the page alike. Empty ones are left out. */
export const tablesOf = (report: Report): readonly Table[] =>
  [
    targetTable(report),
    speedTable(report),
    costTable(report),
    batchTable(report),
    overloadTable(report),
    growthTable(report),
    grownTable(report),
    scaleTable(report),
    codecTable(report),
    sizeTable(report),
    statementTable(report),
  ].filter(({ rows }) => rows.length > 1)

function targetTable(report: Report): Table {
  const rows = targetsOf(report).map(({ what, wanted, figures, isMet }) => {
    const measured = figures.map(figure => (figure === null ? '–' : spread(figure))).join(', ')
    return [what, wanted, measured, isMet === null ? 'not measured' : isMet ? 'met' : 'not met']
  })
  return {
    title: 'Targets',
    note: 'For two cores that switch, PostgreSQL and load share. Ratios are between measurements of the same run.',
    rows: [['what', 'target', 'measured', ''], ...rows],
  }
}

interface Row {
  readonly id: string
  readonly name: string
}

function rowsOf({ measurements }: Report): Row[] {
  const shown = measurements.filter(({ workload }) => workload !== 'growth')
  return [...new Map(shown.map(({ id, name }) => [id, { id, name }])).values()]
}

function speedTable(report: Report): Table {
  const figures = figuresOf(report)
  const rows = rowsOf(report).map(({ id, name }) => [
    name,
    ...cells(figures, id, ['transactions/s', 'messages/s']),
    ...cells(figures, id, ['message p50', 'message p99', 'message p99.9']),
    ...cells(figures, id, ['transaction p50', 'transaction p99', 'transaction p99.9']),
  ])
  for (const limit of new Set(report.limits.map(({ id }) => id))) {
    const { name } = report.limits.find(({ id }) => id === limit)!
    rows.push([name, ...cells(figures, limit, ['transactions/s'])])
  }
  const pgbench = figures.get('pgbench transactions/s')
  if (pgbench !== undefined) rows.push(['pgbench TPC-B', spread(pgbench)])
  const head = ['', 'transactions/s', 'messages/s']
  const times = ['p50', 'p99', 'p99.9'].map(name => `message ${name} ms`)
  return {
    title: 'Speed',
    note:
      'A transaction is authorize and confirm, each acknowledged after its own commit. Latencies of the steady load ' +
      'are from when it was due, the others from when it was sent. Medians of the runs, with the least and the most.' +
      underWayNote(report),
    rows: [[...head, ...times, 'transaction p50', 'p99', 'p99.9'], ...rows],
  }
}

/** Beyond it the generator does not ask for more, whatever is due. */
function underWayNote({ measurements }: Report): string {
  const most = measurements.flatMap(({ name, spec: { pace, protocol, connections } }) => {
    if (pace.kind === 'closed') return []
    const ofIso = pace.inFlightMax ?? connections * slotsPerConnectionMax
    return [`${name}: ${protocol === 'http' ? connections : ofIso}`]
  })
  return most.length === 0 ? '' : ` At most under way at once in the open loop: ${[...new Set(most)].join('; ')}.`
}

function costTable(report: Report): Table {
  const figures = figuresOf(report)
  const rows = rowsOf(report).map(({ id, name }) => [
    name,
    ...cells(figures, id, ['switch CPU', 'database CPU', 'load CPU', 'WAL', 'switch memory']),
    busyOthers(report, id),
  ])
  return {
    title: 'Cost',
    note: 'CPU of each process for a message; cores that others used meanwhile, which were missing.',
    rows: [['', 'switch µs', 'database µs', 'load µs', 'WAL B/transaction', 'switch MB', 'others cores'], ...rows],
  }
}

function busyOthers({ measurements }: Report, id: string): string {
  const cores = measurements
    .filter(one => one.id === id)
    .map(({ cpuSeconds, load }) => (cpuSeconds.others === null ? Number.NaN : cpuSeconds.others / load.seconds))
  return grouped(Math.max(...cores))
}

function batchTable(report: Report): Table {
  const ofRun = new Map(report.measurements.map(one => [one.id, one]))
  const rows = rowsOf(report).map(({ id, name }) => {
    const { batches, load, wal } = ofRun.get(id)!
    const { read, decide, write } = batches.meanMs
    return [
      name,
      grouped(batches.count / load.seconds),
      grouped(batches.meanCommands),
      ...[read, decide, write].map(grouped),
      grouped(batches.faults),
      grouped(wal.fsyncs / load.seconds),
      wal.fsyncs === 0 ? '–' : grouped(wal.fsyncMs / wal.fsyncs),
    ]
  })
  return {
    title: 'Batches',
    note: 'Of the last run. Read: locks and rows. Write: up to the COMMIT’s answer.',
    rows: [['', 'a second', 'commands', 'read ms', 'decide ms', 'write ms', 'failed', 'fsyncs/s', 'fsync ms'], ...rows],
  }
}

function overloadTable({ overloads }: Report): Table {
  const rows = overloads.map(one => [
    `${one.id}${one.run > 1 ? `, run ${one.run}` : ''}`,
    ...[one.capacity, one.offered, one.served, one.refused, one.unsent].map(grouped),
    ...[one.servedP99Ms, one.refusedP99Ms].map(grouped),
    one.recoverySeconds === null ? 'not seen' : `${one.recoverySeconds}`,
  ])
  const head = ['a second', 'capacity', 'offered', 'served', 'refused', 'never sent', 'p99 served ms', 'p99 refused ms']
  return {
    title: 'Overload',
    note:
      'p99 of the served is that of the worst second, from due. Never sent: no connection was free for a second. ' +
      'Recovered: the first second at half the capacity with p99 within 100 ms, counted from when the rate fell.',
    rows: [[...head, 'recovered after s'], ...rows],
  }
}

function growthTable({ growth }: Report): Table {
  const rows = growth.map(one => [
    grouped(one.transactions),
    ...[one.perSecond, one.databaseBytes / 1e6, one.bytesEach, one.walBytesEach, one.checkpoints].map(grouped),
    one.hotPart === null ? '–' : `${(one.hotPart * 100).toFixed(1)} %`,
  ])
  return {
    title: 'Growth',
    note:
      'Bytes for each transaction since the beginning, which is right behind a checkpoint. The last line ends with ' +
      'another, so its WAL is that of whole cycles, with all their full page images.',
    rows: [['transactions', 'a second', 'database MB', 'bytes each', 'WAL each', 'timed checkpoints', 'HOT'], ...rows],
  }
}

const grownShown = 16

function grownTable({ growth }: Report): Table {
  const last = growth.at(-1)
  // Reports of before do not have it.
  const relations = last?.relations ?? []
  const rows = relations.slice(0, grownShown).map(({ table, index, bytes }) => {
    return [
      index === null ? `${table}: rows` : `${table}: index ${index}`,
      ...[bytes / 1e6, bytes / last!.transactions].map(grouped),
    ]
  })
  const note =
    'By how much each table and index has grown. What a page keeps free for changes counts, as the disk has it.'
  return { title: 'Growth: where the bytes are', note, rows: [['', 'MB', 'bytes a transaction'], ...rows] }
}

function scaleTable({ scale }: Report): Table {
  const rows = (scale?.steps ?? []).map(({ name, rows: count, seconds }) => {
    return [name, grouped(count), grouped(seconds), count === 0 ? '–' : grouped(count / seconds)]
  })
  return {
    title: 'Scale: filling the database',
    note: scale === null ? '' : `The database has ${grouped(scale.databaseBytes / 1e6)} MB then.`,
    rows: [['', 'rows', 's', 'rows/s'], ...rows],
  }
}

function codecTable({ codec }: Report): Table {
  const rows = codec.map(one => [
    one.message,
    ...[one.packNs, one.rivalPackNs, one.unpackNs, one.rivalUnpackNs, one.scanNs].map(ns => grouped(ns / 1000)),
    ...[one.packRatio, one.unpackRatio].map(grouped),
  ])
  const head = ['µs', 'pack', 'iso_8583', 'unpack', 'iso_8583', 'scan of two', 'pack ×', 'unpack ×']
  return { title: 'Codec', note: 'Turn and turn about with the package iso_8583.', rows: [head, ...rows] }
}

function sizeTable({ databases }: Report): Table {
  const rows = databases.flatMap(({ database, transactions, bytes, hotPart, tables }) => [
    [
      database,
      grouped(bytes / 1e6),
      '',
      grouped(transactions),
      hotPart === null ? '–' : `${(hotPart * 100).toFixed(1)} %`,
    ],
    ...tables.slice(0, 4).map(one => [`  ${one.table}`, grouped(one.rowBytes / 1e6), grouped(one.indexBytes / 1e6)]),
  ])
  const note = 'At the end. HOT: the part of the updates that touched no index.'
  return { title: 'Size', note, rows: [['MB', 'rows', 'indexes', 'transactions', 'HOT'], ...rows] }
}

const statementsShown = 12
const statementLength = 70

function statementTable({ databases }: Report): Table {
  const rows = databases.flatMap(({ database, statements }) => {
    const allMs = statements.reduce((sum, { totalMs }) => sum + totalMs, 0)
    return statements
      .slice(0, statementsShown)
      .map(({ text, calls, totalMs, rows: count, walBytes }) => [
        `${database}: ${text.slice(0, statementLength)}`,
        ...[calls, totalMs / calls, (100 * totalMs) / allMs, count / calls, walBytes / calls].map(grouped),
      ])
  })
  const note = 'Of pg_stat_statements, which costs a little itself.'
  const head = ['', 'calls', 'ms a call', 'part %', 'rows a call', 'WAL B a call']
  return { title: 'Statements', note, rows: [head, ...rows] }
}

const cells = (figures: ReadonlyMap<string, Figure>, id: string, names: readonly string[]): string[] =>
  names.map(name => {
    const figure = figures.get(`${id} ${name}`)
    return figure === undefined ? '–' : spread(figure)
  })

/** The comparisons that a chart shows as bars: name and ratio. */
export function comparisonsOf(report: Report): readonly Figure[] {
  const most = `credit-${report.options.inFlight.at(-1)}`
  return [
    ratioOf(report, most, 'one', 'transactions'),
    ratioOf(report, most, 'pgbench', 'transactions'),
    ratioOf(report, most, 'pgbench', 'messages'),
    ...['hot-merchant', 'hot-card', 'one-organisation', 'welfare', 'scale'].map(id =>
      ratioOf(report, id, most, 'transactions'),
    ),
  ].filter(figure => figure !== null)
}
