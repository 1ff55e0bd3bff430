import type { DatabaseFacts } from './database.ts'
import type { LoadResult, LoadSpec } from './load/messages.ts'
import { runLoad } from './load-runner.ts'
import { cpuSecondsOf, cpuSecondsOfMachine, memoryOf } from './process-stats.ts'
import type { Progress } from './progress.ts'
import type { BenchSwitch } from './servers.ts'
import { type Batches, batchesBetween, readSwitchMetrics } from './switch-metrics.ts'

export interface Measurement {
  readonly name: string
  readonly spec: LoadSpec
  readonly load: LoadResult
  /** CPU seconds within the measured time; null where this system does not tell. */
  readonly cpuSeconds: {
    readonly switch: number | null
    readonly postgres: number | null
    readonly load: number
    /** Of everything else on this machine: what is measured had the less. */
    readonly others: number | null
  }
  /** Of the switch, since its start. */
  readonly memoryPeakMb: number | null
  readonly batches: Batches
  readonly walBytes: number
}

export interface Measured {
  readonly running: BenchSwitch
  readonly postgresPid: number
  readonly facts: DatabaseFacts
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** Runs one load against a switch, with what it cost the processes in the measured time. */
export async function measure(name: string, spec: LoadSpec, on: Measured): Promise<Measurement> {
  const { running, postgresPid, facts, progress, signal } = on
  progress.step(name)
  await facts.checkpoint()
  let before: Promise<Snapshot> | undefined
  let after: Promise<Snapshot> | undefined
  const load = await runLoad(
    spec,
    {
      onTick: watch(spec, progress),
      onMeasuring: () => {
        before = snapshot(running, postgresPid, facts)
      },
      onMeasured: () => {
        after = snapshot(running, postgresPid, facts)
      },
    },
    signal,
  )
  const [first, last] = await Promise.all([before, after])
  if (first === undefined || last === undefined) throw new Error('the load was never measured')
  const ofSwitch = since(first.switchSeconds, last.switchSeconds)
  const ofPostgres = since(first.postgresSeconds, last.postgresSeconds)
  const ofMachine = since(first.machineSeconds, last.machineSeconds)
  const ours = (ofSwitch ?? 0) + (ofPostgres ?? 0) + load.cpuSeconds
  return {
    name,
    spec,
    load,
    cpuSeconds: {
      switch: ofSwitch,
      postgres: ofPostgres,
      load: load.cpuSeconds,
      others: ofMachine === null ? null : Math.max(0, ofMachine - ours),
    },
    memoryPeakMb: memoryOf(running.pid)?.peakMb ?? null,
    batches: batchesBetween(first.metrics, last.metrics),
    walBytes: last.walBytes - first.walBytes,
  }
}

/** Tells how far a load has come, and how fast it goes. */
export function watch({ warmupMs, measureMs }: LoadSpec, progress: Progress) {
  const startedAt = performance.now()
  let last = { at: startedAt, messages: 0 }
  return (messages: number, isWarm: boolean): void => {
    const now = performance.now()
    const rate = Math.round(((messages - last.messages) * 1000) / (now - last.at))
    last = { at: now, messages }
    const of = Math.round((warmupMs + measureMs) / 1000)
    const phase = isWarm ? '' : ' (warm-up)'
    progress.detail(`${Math.round((now - startedAt) / 1000)} of ${of} s, ${rate} messages/s${phase}`)
  }
}

interface Snapshot {
  readonly switchSeconds: number | null
  readonly postgresSeconds: number | null
  readonly machineSeconds: number | null
  readonly metrics: Awaited<ReturnType<typeof readSwitchMetrics>>
  readonly walBytes: number
}

async function snapshot(running: BenchSwitch, postgresPid: number, facts: DatabaseFacts): Promise<Snapshot> {
  // CPU first and at once: the rest takes its time.
  const switchSeconds = cpuSecondsOf(running.pid)
  const postgresSeconds = cpuSecondsOf(postgresPid)
  const machineSeconds = cpuSecondsOfMachine()
  const [metrics, walBytes] = await Promise.all([readSwitchMetrics(running.httpUrl), facts.walBytes()])
  return { switchSeconds, postgresSeconds, machineSeconds, metrics, walBytes }
}

const since = (before: number | null, after: number | null): number | null =>
  before === null || after === null ? null : after - before
