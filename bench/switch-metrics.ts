/** Sums and counts of what the switch tells at /metrics, since its start. */
export interface SwitchMetrics {
  readonly batches: number
  readonly commands: number
  /** Commands in a batch → batches of at most that many; ascending, as Prometheus counts them. */
  readonly batchesUpTo: ReadonlyMap<number, number>
  readonly stageSeconds: Readonly<Record<Stage, number>>
  /** Batches that failed and were run again, bisected or given up. */
  readonly faults: number
}

export const stages = ['read', 'decide', 'write'] as const
export type Stage = (typeof stages)[number]

/** Of the batches between two readings. */
export interface Batches {
  readonly count: number
  readonly faults: number
  readonly meanCommands: number
  /** Half of the batches had no more commands than this: the upper end of a bucket. */
  readonly p50Commands: number
  /** Milliseconds of a batch, on average. Read: locks and rows. Write: up to the COMMIT's answer. */
  readonly meanMs: Readonly<Record<Stage, number>>
}

export async function readSwitchMetrics(httpUrl: string): Promise<SwitchMetrics> {
  const response = await fetch(`${httpUrl}/metrics`)
  if (!response.ok) throw new Error(`/metrics of the switch answers ${response.status}`)
  return parseMetrics(await response.text())
}

/** Reads the text format of Prometheus, as far as it is needed. */
export function parseMetrics(text: string): SwitchMetrics {
  const samples = text
    .split('\n')
    .filter(line => line.startsWith('charsu_'))
    .map(line => {
      const at = line.lastIndexOf(' ')
      return { name: line.slice(0, at), value: Number.parseFloat(line.slice(at + 1)) }
    })
  const sampleOf = (name: string): number => samples.find(sample => sample.name === name)?.value ?? 0
  const bucket = /^charsu_batch_commands_bucket\{le="(\d+)"\}$/
  return {
    batches: sampleOf('charsu_batch_commands_count'),
    commands: sampleOf('charsu_batch_commands_sum'),
    batchesUpTo: new Map(
      samples.flatMap(({ name, value }) => {
        const size = bucket.exec(name)?.[1]
        return size === undefined ? [] : [[Number.parseInt(size, 10), value] as const]
      }),
    ),
    stageSeconds: Object.fromEntries(
      stages.map(stage => [stage, sampleOf(`charsu_batch_stage_seconds_sum{stage="${stage}"}`)]),
    ) as Record<Stage, number>,
    faults: samples
      .filter(({ name }) => name.startsWith('charsu_batch_faults_total'))
      .reduce((sum, { value }) => sum + value, 0),
  }
}

export function batchesBetween(before: SwitchMetrics, after: SwitchMetrics): Batches {
  const count = after.batches - before.batches
  const upTo = [...after.batchesUpTo].map(
    ([size, value]) => [size, value - (before.batchesUpTo.get(size) ?? 0)] as const,
  )
  return {
    count,
    faults: after.faults - before.faults,
    meanCommands: count === 0 ? 0 : (after.commands - before.commands) / count,
    p50Commands: upTo.find(([, value]) => value * 2 >= count)?.[0] ?? Number.POSITIVE_INFINITY,
    meanMs: Object.fromEntries(
      stages.map(stage => [
        stage,
        count === 0 ? 0 : ((after.stageSeconds[stage] - before.stageSeconds[stage]) * 1000) / count,
      ]),
    ) as Record<Stage, number>,
  }
}
