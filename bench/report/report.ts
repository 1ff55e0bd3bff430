import type { LoadResult } from '../../src/load/spec.ts'
import type { AuditFinding } from '../../src/store/audit.ts'
import type { StatementCost, TableSize } from '../database.ts'
import type { FsyncTimes } from '../fsync.ts'
import type { Commit, Machine } from '../machine.ts'
import type { BenchOptions } from '../options.ts'
import type { EngineSettings } from '../servers.ts'
import type { Found } from '../workloads/run.ts'

export interface DatabaseReport {
  readonly database: string
  readonly transactions: number
  readonly bytes: number
  /** Part of the updates that touched no index. */
  readonly hotPart: number | null
  readonly tables: readonly TableSize[]
  /** With --profile: the dearest first. */
  readonly statements: readonly StatementCost[]
  /** Null: it is too large. */
  readonly audit: readonly AuditFinding[] | null
}

/** Everything that was found out; what was left out is empty or null. */
export interface Report extends Readonly<Found> {
  /** Of this format. */
  readonly version: 2
  /** RFC 3339. */
  readonly startedAt: string
  readonly seconds: number
  readonly commit: Commit | null
  readonly machine: Machine
  readonly options: BenchOptions
  readonly engine: EngineSettings
  /** PostgreSQL's settings, as it reports them. */
  readonly settings: Readonly<Record<string, string>>
  readonly fsync: FsyncTimes
  readonly databases: readonly DatabaseReport[]
  /** Why it ended early; what is there was measured before. */
  readonly unfinished?: string
}

export interface Check {
  readonly ok: boolean
  readonly text: string
}

const steadyP99MsMax = 50
/** The end of the measured time cuts a few transactions off. */
const steadyPartMin = 0.99

/** What decides on the exit status. */
export function checksOf({ measurements, databases, options, unfinished }: Report): readonly Check[] {
  const checks: Check[] = measurements
    .filter(({ workload }) => workload === 'steady')
    .map(({ name, load }) => {
      const rate = load.transactions / load.seconds
      const { p99Ms } = load.latencies.transaction
      const ok = rate >= options.rate * steadyPartMin && p99Ms <= steadyP99MsMax
      return { ok, text: `${name}: ${rate.toFixed(1)}/s, p99 ${p99Ms.toFixed(1)} ms (at most ${steadyP99MsMax})` }
    })
  const failed = measurements.filter(({ load, mayRefuse }) => countOf(load.errors) > 0 || (!mayRefuse && refused(load)))
  const details = failed.map(({ name, load }) => `${name}: ${describe({ ...load.refusals, ...load.errors })}`)
  checks.push({
    ok: failed.length === 0,
    text: `every request answered and approved${details.length === 0 ? '' : `: ${details.join('; ')}`}`,
  })
  if (unfinished !== undefined) checks.push({ ok: false, text: `not finished: ${unfinished}` })
  for (const { database, audit } of databases) {
    if (audit === null) continue
    const broken = audit.filter(({ offenders }) => offenders.length > 0)
    const names = broken.map(({ name, offenders }) => `: not so: ${name} (${offenders.join(', ')})`).join('')
    checks.push({
      ok: broken.length === 0 && audit.length > 0,
      text: `audit of ${database}: ${audit.length - broken.length} of ${audit.length} invariants hold${names}`,
    })
  }
  return checks
}

export const countOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)
const refused = ({ refusals, unsent }: LoadResult): boolean => countOf(refusals) + unsent > 0
const describe = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([what, count]) => `${count} × ${what}`)
    .join(', ')
