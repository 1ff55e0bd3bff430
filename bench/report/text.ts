import { aligned } from './numbers.ts'
import { checksOf, type Report } from './report.ts'
import { tablesOf } from './tables.ts'

/** The report as it is printed. */
export function describeReport(report: Report): string {
  const tables = tablesOf(report).map(({ title, note, rows }) =>
    [title.toUpperCase(), ...(note === '' ? [] : [note]), ...aligned(rows)].join('\n'),
  )
  const checks = checksOf(report).map(({ ok, text }) => `${ok ? 'ok    ' : 'FAILED'}  ${text}`)
  const parts = [headOf(report).join('\n'), ...tables, [...report.notes, ...checks].join('\n')]
  return `${parts.join('\n\n')}\n`
}

/** What made the figures. */
export function headOf(report: Report): string[] {
  const { commit, machine, settings, fsync, startedAt, engine, options, seconds, unfinished } = report
  const { server_version, built_with = '', shared_buffers, max_wal_size, checkpoint_timeout, ...rest } = settings
  const builtWith = built_with === '' ? '' : `, built with ${built_with}`
  const durability = Object.entries(rest).map(([name, value]) => `${name} ${value}`)
  const id = commit === null ? 'unknown commit' : `commit ${commit.id}${commit.isChanged ? ', changed since' : ''}`
  const { cards, runs, connections, httpConnections, warmupSeconds } = options
  // Reports of before do not have it.
  const walFiles = (options as Partial<typeof options>).walFiles ?? 0
  return [
    ...(unfinished === undefined ? [] : [`NOT FINISHED: ${unfinished}. What was measured by then:`]),
    `Charsu, ${id}, ${startedAt.slice(0, 16).replace('T', ' ')} UTC, ${Math.round(seconds)} s`,
    `machine     ${machine.cores} cores for switch, database and load together (${machine.cpu}), ` +
      `${machine.memoryMb} MB, ${machine.system}, Node ${machine.node}`,
    `PostgreSQL  ${server_version}${builtWith}, shared_buffers ${shared_buffers}, max_wal_size ${max_wal_size}, ` +
      `checkpoint_timeout ${checkpoint_timeout}`,
    `durability  ${durability.join(', ')}`,
    ...(walFiles === 0 ? [] : [`WAL         ${walFiles} files made beforehand`]),
    `fsync       ${fsync.medianMs.toFixed(2)} ms median, ${fsync.p99Ms.toFixed(2)} ms p99 ` +
      `(8 kB appended, ${fsync.samples} times)`,
    `switch      ${engine.lanes} lanes, batches of at most ${engine.batchMax}, ${cards} cards`,
    `load        ${connections} terminal connections, ${httpConnections} HTTP connections, ${runs} runs of ` +
      `${options.seconds} s (steady ${options.steadySeconds} s) after ${warmupSeconds.toFixed(1)} s of warm-up`,
  ]
}
