import { runAudit } from './audit.ts'
import type { Cleanup } from './cleanup.ts'
import { thisCommit, thisMachine } from './machine.ts'
import type { BenchOptions } from './options.ts'
import type { Progress } from './progress.ts'
import type { DatabaseReport, Report } from './report/report.ts'
import { shippedEngine } from './servers.ts'
import { Stage } from './stage.ts'
import { workloads } from './workloads/all.ts'
import type { Found } from './workloads/run.ts'

/** Beyond so many transactions the audit would take longer than the run. */
const auditTransactionsMax = 3_000_000

/**
 * The whole benchmark: a PostgreSQL and switches of its own, the workloads one after another, as often as asked, then
 * the audit. What it starts it leaves to `cleanup`. Where something fails or `signal` is aborted, the report has what
 * was measured by then and is marked as such; rejects if that is nothing.
 */
export async function runBench(
  options: BenchOptions,
  { progress, cleanup, signal }: { progress: Progress; cleanup: Cleanup; signal: AbortSignal },
): Promise<Report> {
  const startedAt = new Date()
  const begun = performance.now()
  const seconds = options.workloads.map(name => workloads[name].seconds(options)).reduce((sum, one) => sum + one, 0)
  progress.expect(seconds * options.runs)
  const stage = await Stage.open({ options, progress, cleanup, signal })
  const found: Found = {
    ...{ measurements: [], limits: [], overloads: [], pgbench: [], growth: [], notes: [] },
    codec: [],
    scale: null,
  }
  const settings = await stage.facts.settings()
  const databases: DatabaseReport[] = []
  let unfinished: string | undefined
  try {
    // All of them once, then again: what changes with time changes all of them alike.
    for (let run = 1; run <= options.runs; run++) {
      for (const name of options.workloads) {
        await workloads[name].run({ options, stage, progress, signal, run, found })
      }
      await stage.stopSwitch()
    }
    for await (const one of databasesOf(stage, found, { options, progress, signal })) databases.push(one)
  } catch (error) {
    if (isEmpty(found)) throw error
    unfinished = signal.aborted ? 'interrupted' : (error as Error).message
  }
  return {
    version: 2,
    startedAt: startedAt.toISOString(),
    seconds: (performance.now() - begun) / 1000,
    commit: thisCommit(),
    machine: thisMachine(),
    options,
    engine: shippedEngine,
    settings,
    fsync: stage.fsync,
    ...found,
    databases,
    ...(unfinished === undefined ? {} : { unfinished }),
  }
}

const isEmpty = ({ measurements, limits, pgbench, codec, scale }: Found): boolean =>
  measurements.length + limits.length + pgbench.length + codec.length === 0 && scale === null

/** What each database has come to, and what its audit finds. */
async function* databasesOf(
  stage: Stage,
  found: Found,
  { options, progress, signal }: { options: BenchOptions; progress: Progress; signal: AbortSignal },
): AsyncGenerator<DatabaseReport> {
  for (const database of stage.databases) {
    const facts = stage.factsOf(database)
    const transactions = await facts.transactions()
    const isAudited = transactions <= auditTransactionsMax
    progress.step(`audit of ${database}`)
    if (!isAudited) found.notes.push(`the database ${database} was not audited: ${transactions} transactions`)
    yield {
      database,
      transactions,
      bytes: await facts.databaseBytes(),
      hotPart: await facts.hotPart(),
      tables: await facts.tableSizes(),
      statements: options.profile ? await facts.statements() : [],
      audit: isAudited ? await runAudit(stage.urlOf(database), signal) : null,
    }
  }
}
