import type { BenchOptions } from '../options.ts'
import type { WorkloadName } from '../workload-names.ts'
import { runGrowth } from './growth.ts'
import {
  runBatchesOfOne,
  runCredit,
  runHot,
  runHttp,
  runLimit,
  runOneOrganisation,
  runSteady,
  runWelfare,
} from './loads.ts'
import { runCodec, runTpcB } from './others.ts'
import { runOverload } from './overload.ts'
import type { Run } from './run.ts'
import { runScale } from './scale.ts'

interface Workload {
  /** About how long one run takes, for the estimate; what is done only once, spread over the runs. */
  seconds(options: BenchOptions): number
  run(run: Run): Promise<void>
}

/** Draining, a checkpoint, and now and then a switch that starts. */
const aroundSeconds = 2
const one = ({ seconds, warmupSeconds }: BenchOptions): number => seconds + warmupSeconds + aroundSeconds

export const workloads: Readonly<Record<WorkloadName, Workload>> = {
  limit: { seconds: one, run: runLimit },
  credit: { seconds: options => options.inFlight.length * one(options), run: runCredit },
  http: { seconds: one, run: runHttp },
  hot: { seconds: options => 2 * one(options), run: runHot },
  steady: { seconds: options => 2 * (options.steadySeconds + options.warmupSeconds + aroundSeconds), run: runSteady },
  overload: { seconds: options => 4 * one(options), run: runOverload },
  growth: { seconds: options => options.growthTransactions / 4_000 / options.runs, run: runGrowth },
  'one-organisation': { seconds: one, run: runOneOrganisation },
  welfare: { seconds: options => one(options) + options.cards / 5_000 / options.runs, run: runWelfare },
  one: { seconds: one, run: runBatchesOfOne },
  pgbench: { seconds: options => one(options) + options.pgbenchScale / 4, run: runTpcB },
  codec: { seconds: options => 5 / options.runs, run: runCodec },
  scale: {
    seconds: options =>
      (options.scaleCards / 60_000 + options.scaleTransactions / 40_000) / options.runs +
      options.scaleWarmupSeconds +
      3 * one(options),
    run: runScale,
  },
}
