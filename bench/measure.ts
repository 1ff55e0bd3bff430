import type { LoadResult, LoadSpec } from '../src/load/spec.ts'
import type { WalCounts } from './database.ts'
import { runLoad } from './load-runner.ts'
import { cpuSecondsOf, cpuSecondsOfMachine, familyMemoryMb, memoryOf } from './process-stats.ts'
import type { Progress } from './progress.ts'
import { type Sample, Sampler } from './sampler.ts'
import type { Running } from './stage.ts'
import { type Batches, batchesBetween, readSwitchMetrics } from './switch-metrics.ts'
import type { WorkloadName } from './workload-names.ts'

export interface Measurement {
  readonly workload: WorkloadName
  /** The same in every run, so that runs can be compared. */
  readonly id: string
  readonly name: string
  /** From 1. */
  readonly run: number
  /** That something is refused is what is being measured. */
  readonly mayRefuse: boolean
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
  readonly memory: {
    /** Of the switch, since its start. */
    readonly switchPeakMb: number | null
    /** At the end, `shared_buffers` included as far as they have been touched. */
    readonly postgresMb: number | null
  }
  readonly batches: Batches
  readonly wal: WalCounts
  /** Over the measured time. */
  readonly samples: readonly Sample[]
}

export interface Measured {
  readonly on: Running
  readonly postgresPid: number
  readonly progress: Progress
  readonly signal: AbortSignal
}

export type What = Pick<Measurement, 'workload' | 'id' | 'name' | 'run'> & {
  readonly mayRefuse?: boolean
  /** Without it each measurement begins at the same distance from a checkpoint: right behind one. */
  readonly isWithinCycle?: boolean
}

/** Runs one load against a switch, with what it cost the processes in the measured time. */
export async function measure(
  { isWithinCycle = false, ...what }: What,
  spec: LoadSpec,
  at: Measured,
): Promise<Measurement> {
  const { on, postgresPid, progress, signal } = at
  const { running, facts } = on
  progress.step(what.run > 1 ? `${what.name} (run ${what.run})` : what.name)
  if (!isWithinCycle) await facts.checkpoint()
  let before: Promise<Snapshot> | undefined
  let after: Promise<Snapshot> | undefined
  let sampler: Sampler | undefined
  let loadPid = 0
  const load = await runLoad(
    spec,
    {
      onStarted: pid => {
        loadPid = pid
      },
      onTick: watch(spec, progress),
      onMeasuring: () => {
        before = snapshot(at)
        sampler = new Sampler({ running, postgresPid, loadPid, facts }, spec.measureMs)
      },
      onMeasured: () => {
        after = snapshot(at)
        sampler?.stop()
      },
    },
    signal,
  ).finally(() => sampler?.stop())
  const [first, last] = await Promise.all([before, after])
  if (first === undefined || last === undefined) throw new Error('the load was never measured')
  const ofSwitch = since(first.switchSeconds, last.switchSeconds)
  const ofPostgres = since(first.postgresSeconds, last.postgresSeconds)
  const ofMachine = since(first.machineSeconds, last.machineSeconds)
  const ours = (ofSwitch ?? 0) + (ofPostgres ?? 0) + load.cpuSeconds
  return {
    ...what,
    mayRefuse: what.mayRefuse ?? false,
    spec,
    load,
    cpuSeconds: {
      switch: ofSwitch,
      postgres: ofPostgres,
      load: load.cpuSeconds,
      others: ofMachine === null ? null : Math.max(0, ofMachine - ours),
    },
    memory: { switchPeakMb: memoryOf(running.pid)?.peakMb ?? null, postgresMb: familyMemoryMb(postgresPid) },
    batches: batchesBetween(first.metrics, last.metrics),
    wal: walBetween(first.wal, last.wal),
    samples: sampler?.samples ?? [],
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
  readonly wal: WalCounts
}

async function snapshot({ on: { running, facts }, postgresPid }: Measured): Promise<Snapshot> {
  // CPU first and at once: the rest takes its time.
  const switchSeconds = cpuSecondsOf(running.pid)
  const postgresSeconds = cpuSecondsOf(postgresPid)
  const machineSeconds = cpuSecondsOfMachine()
  const [metrics, wal] = await Promise.all([readSwitchMetrics(running.httpUrl), facts.wal()])
  return { switchSeconds, postgresSeconds, machineSeconds, metrics, wal }
}

const since = (before: number | null, after: number | null): number | null =>
  before === null || after === null ? null : after - before

export const walBetween = (before: WalCounts, after: WalCounts): WalCounts => ({
  bytes: after.bytes - before.bytes,
  fullPageImages: after.fullPageImages - before.fullPageImages,
  fsyncs: after.fsyncs - before.fsyncs,
  fsyncMs: after.fsyncMs - before.fsyncMs,
})
