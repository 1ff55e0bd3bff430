/** What can be asked for, in the order in which it is run. */
export const workloadNames = [
  'limit',
  'credit',
  'http',
  'hot',
  'steady',
  'overload',
  'growth',
  'one-organisation',
  'welfare',
  'one',
  'pgbench',
  'codec',
  'scale',
] as const
export type WorkloadName = (typeof workloadNames)[number]

export const workloadsSay: Readonly<Record<WorkloadName, string>> = {
  limit: 'the load generators against a server that only answers',
  credit: 'the canonical one: ISO 8583, purchases on credit, any card of any',
  http: 'the same over HTTP',
  hot: 'all traffic at one merchant; then 30 % of it on one card',
  steady: 'open loop at 250 transactions/s, over ISO 8583 and over HTTP',
  overload: 'open loop at three times what it can do, then at half: what is refused, how fast, and how it recovers',
  growth: 'throughput and bytes a transaction while the database grows',
  'one-organisation': 'all traffic on credit that one organisation has funded, within a limit of it',
  welfare: 'cards with three lots in three programs with four limits',
  one: 'the same engine with batches of one',
  pgbench: 'pgbench TPC-B on the same PostgreSQL',
  codec: 'the ISO 8583 codec alone, against iso_8583',
  scale: 'credit with millions of cards and past transactions',
}

/** These take their time, or a large disk: only where they are named, or with `all`. */
export const onRequest: readonly WorkloadName[] = ['overload', 'growth', 'scale']
