import type { LoadResult, LoadSpec } from '../../src/load/spec.ts'
import type { CodecFigures } from '../codec.ts'
import { type Measurement, measure, type What } from '../measure.ts'
import type { BenchOptions } from '../options.ts'
import type { PgbenchResult } from '../pgbench.ts'
import type { Progress } from '../progress.ts'
import type { Running, Stage } from '../stage.ts'
import type { GrowthPoint, Overload, ScaleResult } from './results.ts'

/** What a run has found so far; each workload adds to it. */
export interface Found {
  readonly measurements: Measurement[]
  readonly limits: { readonly id: string; readonly name: string; readonly run: number; readonly load: LoadResult }[]
  readonly overloads: Overload[]
  readonly pgbench: PgbenchResult[]
  readonly growth: GrowthPoint[]
  codec: readonly CodecFigures[]
  scale: ScaleResult | null
  /** What was left out, and why. */
  readonly notes: string[]
}

export interface Run {
  readonly options: BenchOptions
  readonly stage: Stage
  readonly progress: Progress
  readonly signal: AbortSignal
  /** From 1. */
  readonly run: number
  readonly found: Found
}

/** Measures a load on a switch, and keeps what was found. */
export async function record(
  { stage, progress, signal, run, found }: Run,
  on: Running,
  what: Omit<What, 'run'>,
  spec: LoadSpec,
): Promise<Measurement> {
  const { postgresPid } = stage
  const measurement = await measure({ ...what, run }, { ...spec, seed: run }, { on, postgresPid, progress, signal })
  found.measurements.push(measurement)
  return measurement
}

/** The uniform rate that others are compared with, as far as this run has it: transactions a second. */
export function uniformRate({ found, run, options }: Run): number | null {
  const id = creditId(options.inFlight.at(-1)!)
  const uniform = found.measurements.find(one => one.id === id && one.run === run)
  return uniform === undefined ? null : uniform.load.transactions / uniform.load.seconds
}

export const creditId = (inFlight: number): string => `credit-${inFlight}`
