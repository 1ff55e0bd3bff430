import type { DatabaseFacts, RelationSize, WalCounts } from '../database.ts'
import { walBetween } from '../measure.ts'
import { isoSpec } from '../specs.ts'
import type { GrowthPoint } from './results.ts'
import { type Run, record } from './run.ts'

/** Of so many pieces, so that the curve has a form. */
const piecesMax = 60
const piecesMin = 5
const pieceSecondsMax = 60

/**
 * The canonical load, again and again, until there are so many transactions. Only the first piece begins with a
 * checkpoint, and one ends the last, so that what the WAL of all of them says is what a cycle of checkpoints costs.
 */
export async function runGrowth(run: Run): Promise<void> {
  const { options, stage, found } = run
  // It only grows once, however many runs there are.
  if (run.run > 1) return
  const on = await stage.switchOn('plain', { database: 'growth' })
  const first = await stateOf(on.facts)
  const startedAt = performance.now()
  let transactions = 0
  let seconds = options.seconds
  for (let piece = 1; piece <= piecesMax && transactions < options.growthTransactions; piece++) {
    const what = { workload: 'growth', id: `growth-${piece}`, name: `growth, ${transactions} transactions` } as const
    const isWithinCycle = piece > 1
    const spec = isoSpec(options, on.running.isoPort, options.inFlight.at(-1)!)
    const { load } = await record(
      run,
      on,
      { ...what, isWithinCycle },
      { ...spec, warmupMs: 500, measureMs: seconds * 1000 },
    )
    // Longer pieces, if otherwise there would be too many of them.
    const wanted = options.growthTransactions / (load.transactions / load.seconds)
    seconds = Math.min(pieceSecondsMax, Math.max(options.seconds, Math.ceil(wanted / piecesMax)))
    if (wanted / seconds < piecesMin) seconds = Math.max(1, Math.floor(wanted / piecesMin))
    const state = await stateOf(on.facts)
    transactions = state.transactions - first.transactions
    const wal = walBetween(first.wal, state.wal)
    found.growth.push({
      transactions,
      seconds: (performance.now() - startedAt) / 1000,
      perSecond: load.transactions / load.seconds,
      databaseBytes: state.databaseBytes,
      bytesEach: (state.databaseBytes - first.databaseBytes) / transactions,
      walBytesEach: wal.bytes / transactions,
      checkpoints: state.checkpoints - first.checkpoints,
      hotPart: await on.facts.hotPart(),
      relations: grown(first.relations, state.relations),
    } satisfies GrowthPoint)
  }
  const last = found.growth.at(-1)
  if (last === undefined) return
  await on.facts.checkpoint()
  const wal = walBetween(first.wal, await on.facts.wal())
  found.growth[found.growth.length - 1] = { ...last, walBytesEach: wal.bytes / last.transactions }
}

function grown(before: readonly RelationSize[], after: readonly RelationSize[]): RelationSize[] {
  return after
    .map(({ table, index, bytes }) => {
      const earlier = before.find(one => one.table === table && one.index === index)
      return { table, index, bytes: bytes - (earlier?.bytes ?? 0) }
    })
    .filter(({ bytes }) => bytes !== 0)
    .sort((a, b) => b.bytes - a.bytes)
}

interface State {
  readonly transactions: number
  readonly databaseBytes: number
  readonly checkpoints: number
  readonly wal: WalCounts
  readonly relations: readonly RelationSize[]
}

async function stateOf(facts: DatabaseFacts): Promise<State> {
  return {
    transactions: await facts.transactions(),
    databaseBytes: await facts.databaseBytes(),
    checkpoints: await facts.checkpoints(),
    wal: await facts.wal(),
    relations: await facts.relationSizes(),
  }
}
