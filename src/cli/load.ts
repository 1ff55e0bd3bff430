import { loadDialect } from '../config/load.ts'
import { runLoad } from '../load/run.ts'
import { type Latency, type LoadResult, type LoadSpec, slotsPerConnectionMax, type TimeName } from '../load/spec.ts'
import { type LoadOrder, loadUsage, parseLoad } from './load-options.ts'

const doneExit = 0
const lostExit = 1
const failedExit = 2

/** `charsu load`: puts a load on a switch, prints what was seen, and gives the exit code. */
export async function runLoadCommand(args: string[]): Promise<number> {
  let order: LoadOrder | null
  try {
    order = parseLoad(args)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${loadUsage}`)
    return failedExit
  }
  if (order === null) {
    console.log(loadUsage)
    return doneExit
  }
  const interruption = new AbortController()
  const interrupt = (): void => interruption.abort()
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  try {
    const result = await runLoad(order.spec, loadDialect('iso87a'), watcherOf(order.spec), interruption.signal)
    console.log(order.json ? JSON.stringify(jsonOf(order, result), null, 2) : tableOf(order, result))
    return Object.keys(result.errors).length === 0 ? doneExit : lostExit
  } catch (error) {
    console.error(`No load on ${order.spec.host}:${order.spec.port}: ${(error as Error).message}`)
    return failedExit
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

/** A line a second on standard error. */
function watcherOf({ warmupMs, measureMs }: LoadSpec) {
  const startedAt = performance.now()
  const last = { messages: 0, second: 0 }
  const say = (text: string): void => void process.stderr.write(`${text}\n`)
  return {
    onTick: (messages: number, isWarm: boolean): void => {
      const second = Math.floor((performance.now() - startedAt) / 1000)
      if (second === last.second) return
      const rate = Math.round((messages - last.messages) / (second - last.second))
      Object.assign(last, { messages, second })
      say(`${second} of ${(warmupMs + measureMs) / 1000} s${isWarm ? '' : ' (warm-up)'}: ${rate} messages/s`)
    },
    onMeasuring: () => {},
    onMeasured: () => say('waiting for the last answers'),
  }
}

const jsonOf = ({ spec, mix }: LoadOrder, result: LoadResult): object => {
  // Neither the API key nor card numbers of a file belong into a report.
  const { apiKey: _, cards, tls, ...rest } = spec
  const shown = cards.kind === 'list' ? { kind: 'list', count: cards.pans.length } : cards
  return { load: { ...rest, mix, cards: shown, tls: tls !== null }, result }
}

function tableOf({ spec, mix }: LoadOrder, result: LoadResult): string {
  const { seconds, transactions, messages, latencies, errors, refusals, unsent } = result
  const { pace, protocol, host, port, connections } = spec
  const shape = pace.kind === 'closed' ? `${pace.inFlight} in flight` : `${pace.rates[0]?.perSecond}/s, open loop`
  const names: readonly TimeName[] = ['transaction', 'message', 'authorize', 'confirm', 'reverse', 'refused', 'late']
  const rows = names.filter(name => latencies[name].count > 0).map(name => latencyRow(name, latencies[name]))
  const head = ['ms', 'count', 'p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max']
  const rate = (count: number): string => (count / seconds).toFixed(1)
  return [
    `${protocol} ${host}:${port}, ${shape}, ${connections} connections, ${mix}, ${seconds.toFixed(1)} s`,
    `${rate(transactions)} transactions/s, ${rate(messages)} messages/s`,
    '',
    ...aligned([head, ...rows]),
    '',
    ...Object.entries(refusals).map(([what, count]) => `refused: ${count} × ${what}`),
    ...(unsent === 0 ? [] : [`never sent: ${unsent}, no connection was free for 10 s`]),
    ...Object.entries(errors).map(([what, count]) => `LOST: ${count} × ${what}`),
    ...noteOn(spec, latencies.late),
  ].join('\n')
}

/** What the generator itself may have done to the figures. */
function noteOn({ pace, connections, protocol }: LoadSpec, late: Latency): string[] {
  if (pace.kind === 'closed') {
    return ['closed loop: while the switch stalls nothing is sent, so the latencies are those of polite clients']
  }
  const most = connections * (protocol === 'http' ? 1 : slotsPerConnectionMax)
  return [`open loop: latencies are from when each was due; sent ${late.p99Ms} ms late at p99; at most ${most} at once`]
}

function latencyRow(name: string, latency: Latency): string[] {
  const { count, p50Ms, p90Ms, p99Ms, p999Ms, p9999Ms, maxMs } = latency
  return [name, String(count), ...[p50Ms, p90Ms, p99Ms, p999Ms, p9999Ms, maxMs].map(value => value.toFixed(2))]
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widthOf = (column: number): number => Math.max(...rows.map(row => row[column]?.length ?? 0))
  return rows.map(row =>
    row.map((text, column) => (column === 0 ? text.padEnd(widthOf(0)) : text.padStart(widthOf(column)))).join('  '),
  )
}
