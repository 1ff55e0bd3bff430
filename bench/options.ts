import { parseArgs } from 'node:util'
import { onRequest, type WorkloadName, workloadNames, workloadsSay } from './workload-names.ts'

export interface BenchOptions {
  /** In the order in which they are run. */
  readonly workloads: readonly WorkloadName[]
  /** How often each is run. */
  readonly runs: number
  /** Of each measurement but the steady load's. */
  readonly seconds: number
  readonly steadySeconds: number
  readonly warmupSeconds: number
  readonly connections: number
  /** A measurement of the ISO port each, ascending; the last is the canonical one. */
  readonly inFlight: readonly number[]
  readonly httpConnections: number
  /** Transactions a second of the steady load. */
  readonly rate: number
  readonly cards: number
  readonly growthTransactions: number
  readonly scaleCards: number
  readonly scaleTransactions: number
  /** How long millions of cards are under load before the second measurement. */
  readonly scaleWarmupSeconds: number
  readonly pgbenchClients: number
  readonly pgbenchScale: number
  /** Folder of the programs of an installed PostgreSQL; null: those of the npm package. */
  readonly postgres: string | null
  /** Files of WAL that are made before anything is measured. */
  readonly walFiles: number
  /** Null: a name of its own in `bench/results`. */
  readonly json: string | null
  /** Leaves database and configuration where they are. */
  readonly keep: boolean
  /** Writes a CPU profile of each switch into `bench/results`, and counts the statements of PostgreSQL. */
  readonly profile: boolean
}

/** The switch takes no more unanswered on one connection. */
const inFlightPerConnectionMax = 256

const list = workloadNames
  .map(name => `  ${name.padEnd(18)}${workloadsSay[name]}${onRequest.includes(name) ? ' *' : ''}`)
  .join('\n')

export const usage = `npm run bench -- [workload …] [options]
npm run bench -- compare A.json B.json    what changed from one run to another
npm run bench -- report A.json            the page and the table of a run, again

Measures a switch and a PostgreSQL that it starts for itself. Workloads (without any: all but those with *; all: all):
${list}

  --quick               one run of a few seconds each, with fewer cards: to see that it works
  --runs N              of each measurement; the report has their median and spread (default 3)
  --seconds N           of each measurement (default 10)
  --steady-seconds N    of the steady load (default 60)
  --connections N       terminal connections (default 32)
  --in-flight LIST      transactions under way on the ISO port (default 128,1024): a measurement each
  --http-connections N  HTTP connections, one transaction under way on each (default 512)
  --rate N              transactions a second of the steady load (default 250)
  --cards N             (default 20000)
  --growth-transactions N   of growth (default 1000000)
  --scale-cards N       cards of scale (default 5000000)
  --scale-transactions N    past transactions of scale (default 0; 50000000 needs 50 GB of disk)
  --postgres FOLDER     programs of an installed PostgreSQL 18, such as /usr/lib/postgresql/18/bin (default: those of
                        the npm package, which are built for size, not for speed)
  --json FILE           where the figures go (default: bench/results/); the page goes beside it
  --keep                leaves the database and the configuration where they are
  --profile             a CPU profile of each switch in bench/results/, and what PostgreSQL's statements took

Exit status 1 if a request failed, the steady rate is not reached with p99 within 50 ms, or the audit finds something.
`

/** Throws an Error with a sentence for whoever typed it. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      seconds: { type: 'string' },
      'steady-seconds': { type: 'string' },
      connections: { type: 'string' },
      'in-flight': { type: 'string' },
      'http-connections': { type: 'string' },
      rate: { type: 'string' },
      cards: { type: 'string' },
      'growth-transactions': { type: 'string' },
      'scale-cards': { type: 'string' },
      'scale-transactions': { type: 'string' },
      postgres: { type: 'string' },
      json: { type: 'string' },
      keep: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
    },
  })
  const { quick } = values
  const number = (name: keyof typeof bounds, byDefault: number) =>
    integer(`--${name}`, values[name] ?? String(byDefault), bounds[name][0], bounds[name][1])
  const seconds = number('seconds', quick ? 3 : 10)
  const connections = number('connections', 32)
  const inFlight = (values['in-flight'] ?? '128,1024')
    .split(',')
    .map(text => integer('--in-flight', text, connections, connections * inFlightPerConnectionMax))
  return {
    workloads: workloadsOf(positionals),
    runs: number('runs', quick ? 1 : 3),
    seconds,
    steadySeconds: number('steady-seconds', quick ? 5 : 60),
    warmupSeconds: Math.min(3, seconds / 3),
    connections,
    inFlight: inFlight.sort((a, b) => a - b),
    httpConnections: number('http-connections', 512),
    rate: number('rate', 250),
    cards: number('cards', quick ? 5_000 : 20_000),
    growthTransactions: number('growth-transactions', quick ? 20_000 : 1_000_000),
    scaleCards: number('scale-cards', quick ? 100_000 : 5_000_000),
    scaleTransactions: number('scale-transactions', quick ? 100_000 : 0),
    scaleWarmupSeconds: quick ? 3 : 120,
    pgbenchClients: 32,
    pgbenchScale: quick ? 5 : 20,
    postgres: values.postgres ?? null,
    walFiles: quick ? 8 : 192,
    json: values.json ?? null,
    keep: values.keep,
    profile: values.profile,
  }
}

const bounds = {
  runs: [1, 20],
  seconds: [1, 600],
  'steady-seconds': [1, 3_600],
  connections: [1, 1_024],
  'in-flight': [1, 262_144],
  'http-connections': [1, 1_024],
  rate: [1, 20_000],
  cards: [1, 1_000_000],
  'growth-transactions': [1, 100_000_000],
  'scale-cards': [1_000, 20_000_000],
  'scale-transactions': [0, 200_000_000],
} as const

function workloadsOf(names: readonly string[]): WorkloadName[] {
  if (names.length === 0) return workloadNames.filter(name => !onRequest.includes(name))
  if (names.length === 1 && names[0] === 'all') return [...workloadNames]
  for (const name of names) {
    if (!workloadNames.some(workload => workload === name)) {
      throw new Error(`there is no workload "${name}"; there are ${workloadNames.join(', ')}, and all`)
    }
  }
  return workloadNames.filter(name => names.includes(name))
}

function integer(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number.parseInt(text, 10) : Number.NaN
  if (!(value >= least && value <= most)) throw new Error(`${name} must be from ${least} to ${most}, not "${text}"`)
  return value
}
