import { parseArgs } from 'node:util'

export const workloads = ['limit', 'iso', 'http', 'steady', 'one', 'pgbench'] as const
export type Workload = (typeof workloads)[number]

export interface BenchOptions {
  readonly only: readonly Workload[]
  /** Of each measurement but the steady load's. */
  readonly seconds: number
  readonly steadySeconds: number
  readonly warmupSeconds: number
  readonly connections: number
  /** One measurement of the ISO port each, ascending. */
  readonly inFlight: readonly number[]
  readonly httpConnections: number
  /** Transactions a second of the steady load. */
  readonly rate: number
  readonly cards: number
  readonly pgbenchClients: number
  readonly pgbenchScale: number
  /** Null: a name of its own in `bench/results`. */
  readonly json: string | null
  /** Leaves database and configuration where they are. */
  readonly keep: boolean
  /** Writes a CPU profile of each switch into `bench/results`, and counts the statements of PostgreSQL. */
  readonly profile: boolean
}

/** The switch takes no more unanswered on one connection. */
const inFlightPerConnectionMax = 256

export const usage = `npm run bench -- [options]     measures a switch and a PostgreSQL that it starts for itself
npm run bench -- codec         measures the ISO 8583 codec alone

  --quick               all of it in under a minute, with fewer cards
  --only NAMES          of ${workloads.join(', ')}; separated by commas
  --seconds N           of each measurement (default 10); the steady load takes three times as long
  --connections N       terminal connections (default 32)
  --in-flight LIST      transactions under way on the ISO port (default 128,1024): a measurement each
  --http-connections N  HTTP connections, one transaction under way on each (default 128)
  --rate N              transactions a second of the steady load (default 250)
  --cards N             (default 20000)
  --json FILE           where the figures go (default: bench/results/)
  --keep                leaves the database and the configuration where they are
  --profile             a CPU profile of each switch in bench/results/, and what PostgreSQL's statements took

Exit status 1 if the steady rate is not reached with p99 within 50 ms, or the audit finds something.
`

/** Throws an Error with a sentence for whoever typed it. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      seconds: { type: 'string' },
      connections: { type: 'string' },
      'in-flight': { type: 'string' },
      'http-connections': { type: 'string' },
      rate: { type: 'string' },
      cards: { type: 'string' },
      json: { type: 'string' },
      keep: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
    },
  })
  const { quick } = values
  const seconds = integer('--seconds', values.seconds ?? (quick ? '3' : '10'), 1, 600)
  const connections = integer('--connections', values.connections ?? '32', 1, 1_024)
  const inFlight = (values['in-flight'] ?? '128,1024')
    .split(',')
    .map(text => integer('--in-flight', text, connections, connections * inFlightPerConnectionMax))
  return {
    only: values.only === undefined ? workloads : values.only.split(',').map(workloadOf),
    seconds,
    steadySeconds: seconds * (quick ? 2 : 3),
    warmupSeconds: Math.min(2, seconds / 3),
    connections,
    inFlight: inFlight.sort((a, b) => a - b),
    httpConnections: integer('--http-connections', values['http-connections'] ?? '128', 1, 1_024),
    rate: integer('--rate', values.rate ?? '250', 1, 20_000),
    cards: integer('--cards', values.cards ?? (quick ? '5000' : '20000'), 1, 1_000_000),
    pgbenchClients: 32,
    pgbenchScale: quick ? 5 : 20,
    json: values.json ?? null,
    keep: values.keep,
    profile: values.profile,
  }
}

function workloadOf(name: string): Workload {
  const found = workloads.find(workload => workload === name)
  if (found === undefined) throw new Error(`--only: there is no "${name}"; there are ${workloads.join(', ')}`)
  return found
}

function integer(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number.parseInt(text, 10) : Number.NaN
  if (!(value >= least && value <= most)) throw new Error(`${name} must be from ${least} to ${most}, not "${text}"`)
  return value
}
