import type { LoadSpec, Second } from '../../src/load/spec.ts'
import { httpSpec, isoSpec } from '../specs.ts'
import type { Running } from '../stage.ts'
import type { Overload } from './results.ts'
import { type Run, record, uniformRate } from './run.ts'

const times = 3
const recoveringPart = 0.5
/** A till whose request finds no connection in this time gives up. */
const patienceMs = 1_000
const recoveredP99Ms = 100
/**
 * An open loop with more terminals than the closed one has, each with one purchase under way. However much is offered,
 * no more than these wait for the switch; who finds none of them free is counted as never sent.
 */
const terminalsTimes = 4
const connectionsMax = 1_024

/** Three times the capacity for a while, then half of it; over ISO 8583, then over HTTP. */
export async function runOverload(run: Run): Promise<void> {
  const { options, stage } = run
  const on = await stage.switchOn('plain')
  const iso = isoSpec(options, on.running.isoPort, options.inFlight.at(-1)!)
  await overload(run, on, { id: 'overload-iso', name: 'ISO', spec: iso, capacity: await capacityOf(run, on, iso) })
  const http = httpSpec(options, on.running.httpPort)
  const capacity = run.found.measurements.find(one => one.id === 'http' && one.run === run.run)?.load
  const perSecond = capacity === undefined ? null : capacity.transactions / capacity.seconds
  await overload(run, on, {
    ...{ id: 'overload-http', name: 'HTTP', spec: http },
    capacity: perSecond ?? (await measuredCapacity(run, on, http)),
  })
}

async function capacityOf(run: Run, on: Running, spec: LoadSpec): Promise<number> {
  return uniformRate(run) ?? (await measuredCapacity(run, on, spec))
}

async function measuredCapacity(run: Run, on: Running, spec: LoadSpec): Promise<number> {
  const what = { workload: 'overload', id: `capacity-${spec.protocol}`, name: `capacity, ${spec.protocol}` } as const
  const { load } = await record(run, on, what, spec)
  return load.transactions / load.seconds
}

async function overload(
  run: Run,
  on: Running,
  { id, name, spec, capacity }: { id: string; name: string; spec: LoadSpec; capacity: number },
): Promise<void> {
  const { options, found } = run
  const over = { perSecond: capacity * times, ms: spec.warmupMs + options.seconds * 1000 }
  const recovering = { perSecond: capacity * recoveringPart, ms: 0 }
  const connections = Math.min(connectionsMax, spec.connections * terminalsTimes)
  const inFlightMax = options.inFlight.at(-1)! * terminalsTimes
  const open: LoadSpec = {
    ...spec,
    connections,
    pace: { kind: 'open', rates: [over, recovering], patienceMs, inFlightMax },
    // As long again, to see it recover.
    measureMs: 2 * options.seconds * 1000,
  }
  const what = { workload: 'overload', id, name: `${times} times as much, ${name}`, mayRefuse: true } as const
  const { load } = await record(run, on, what, open)
  found.overloads.push({
    ...{ id, run: run.run, capacity, offered: over.perSecond, recovering: recovering.perSecond },
    ...overloadOf(load.series, options.seconds, load.latencies.refused.p99Ms),
  })
}

/** What the seconds say: `overSeconds` of too much, then recovery. */
export function overloadOf(
  series: readonly Second[],
  overSeconds: number,
  refusedP99Ms: number,
): Omit<Overload, 'id' | 'run' | 'capacity' | 'offered' | 'recovering'> {
  const during = series.slice(0, overSeconds)
  const each = (name: 'transactions' | 'refused' | 'unsent'): number =>
    during.reduce((sum, second) => sum + second[name], 0) / Math.max(1, during.length)
  const recovered = series
    .slice(overSeconds)
    .findIndex(({ transactions, p99Ms }) => transactions > 0 && p99Ms <= recoveredP99Ms)
  return {
    overSeconds,
    served: each('transactions'),
    refused: each('refused'),
    unsent: each('unsent'),
    servedP99Ms: Math.max(0, ...during.map(({ p99Ms }) => p99Ms)),
    refusedP99Ms,
    recoverySeconds: recovered < 0 ? null : recovered,
    recoveredP99Ms,
  }
}
