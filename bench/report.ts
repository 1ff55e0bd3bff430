import type { AuditFinding } from '../src/store/audit.ts'
import type { StatementCost } from './database.ts'
import type { FsyncTimes } from './fsync.ts'
import type { LoadResult } from './load/messages.ts'
import type { Commit, Machine } from './machine.ts'
import type { Measurement } from './measure.ts'
import type { BenchOptions } from './options.ts'
import type { PgbenchResult } from './pgbench.ts'
import type { EngineSettings } from './servers.ts'

/** Everything that one run found out; what was left out is empty or null. */
export interface Report {
  /** Of this format. */
  readonly version: 1
  /** RFC 3339. */
  readonly startedAt: string
  readonly seconds: number
  readonly commit: Commit | null
  readonly machine: Machine
  readonly options: BenchOptions
  readonly engine: EngineSettings
  /** PostgreSQL's settings, as it reports them. */
  readonly database: Readonly<Record<string, string>>
  readonly fsync: FsyncTimes
  /** The load generators against a server that only answers. */
  readonly limits: { readonly iso: LoadResult | null; readonly http: LoadResult | null }
  readonly measurements: {
    /** By transactions in flight, ascending. */
    readonly iso: readonly Measurement[]
    readonly http: Measurement | null
    readonly steady: Measurement | null
    /** ISO port, with batches of one command. */
    readonly one: Measurement | null
  }
  /** A sentence where it was not run. */
  readonly pgbench: PgbenchResult | string
  /** Part of the updates that touched no index. */
  readonly hotPart: number | null
  readonly databaseBytes: number
  /** With --profile: the dearest first. */
  readonly statements: readonly StatementCost[]
  readonly audit: readonly AuditFinding[]
}

export interface Check {
  readonly ok: boolean
  readonly text: string
}

const steadyP99MsMax = 50
/** The end of the measured time cuts a few transactions off. */
const steadyPartMin = 0.99

/** What decides on the exit status. */
export function checksOf({ measurements, audit, options }: Report): readonly Check[] {
  const { iso, http, steady, one } = measurements
  const checks: Check[] = []
  if (steady !== null) {
    const rate = rateOf(steady.load.transactions, steady.load)
    const { p99Ms } = steady.load.latencies.transaction
    checks.push({
      ok: rate >= options.rate * steadyPartMin && p99Ms <= steadyP99MsMax,
      text:
        `${options.rate} transactions/s with p99 within ${steadyP99MsMax} ms: ` +
        `${rate.toFixed(1)}/s, ${p99Ms.toFixed(1)} ms from due to confirmed`,
    })
  }
  const all = [...iso, http, steady, one].filter(measurement => measurement !== null)
  const failed = all.filter(({ load }) => errorsOf(load) > 0)
  const errors = failed.map(({ name, load }) => `${name}: ${describeErrors(load)}`).join('; ')
  checks.push({
    ok: failed.length === 0,
    text: `every request answered and approved${errors === '' ? '' : `: ${errors}`}`,
  })
  const broken = audit.filter(({ offenders }) => offenders.length > 0)
  const details = broken.map(({ name, offenders }) => `: not so: ${name} (${offenders.join(', ')})`).join('')
  checks.push({
    ok: broken.length === 0 && audit.length > 0,
    text: `audit: ${audit.length - broken.length} of ${audit.length} invariants hold${details}`,
  })
  return checks
}

export const rateOf = (count: number, { seconds }: LoadResult): number => count / seconds
export const errorsOf = ({ errors }: LoadResult): number => Object.values(errors).reduce((sum, count) => sum + count, 0)
const describeErrors = ({ errors }: LoadResult): string =>
  Object.entries(errors)
    .map(([what, count]) => `${count} × ${what}`)
    .join(', ')
