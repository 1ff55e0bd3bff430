import { panKeyOf } from '../../src/crypto/pan-key.ts'
import { fill } from '../bulk/fill.ts'
import { secrets } from '../servers.ts'
import { isoSpec } from '../specs.ts'
import type { Running } from '../stage.ts'
import { type Run, record } from './run.ts'

const database = 'scale'

/**
 * The canonical load on millions of cards, and of past transactions if that is asked for: right behind a checkpoint,
 * and when it has gone on for a while. A page that is changed for the first time since a checkpoint goes into the WAL
 * as a whole, and on millions of cards nearly every change is such a one for the first minutes of a quarter of an hour.
 */
export async function runScale(run: Run): Promise<void> {
  const { options, found } = run
  if (found.scale === null) await fillDatabase(run)
  const on = await switchOnIt(run)
  const inFlight = options.inFlight.at(-1)!
  const name = `${options.scaleCards} cards`
  const spec = isoSpec({ ...options, cards: options.scaleCards }, on.running.isoPort, inFlight)
  const behind = { workload: 'scale', id: 'scale-behind', name: `${name}, behind a checkpoint` } as const
  await record(run, on, behind, spec)
  const later = { workload: 'scale', id: 'scale', name: `${name}, later`, isWithinCycle: true } as const
  await record(run, on, later, { ...spec, warmupMs: options.scaleWarmupSeconds * 1000 })
}

const switchOnIt = ({ stage }: Run): Promise<Running> => stage.switchOn('plain', { database, cards: 1 })

async function fillDatabase(run: Run): Promise<void> {
  const { options, stage, progress, signal, found } = run
  // It makes the schema and the tenant.
  const { facts } = await switchOnIt(run)
  await stage.stopSwitch()
  const steps = await fill({
    databaseUrl: stage.urlOf(database),
    panKey: panKeyOf(secrets.PAN_KEY),
    // The tenant has brought the first.
    cards: options.scaleCards - 1,
    transactions: options.scaleTransactions,
    signal,
    onStep: name => progress.step(`filling: ${name}`),
    onProgress: (rows, of) => progress.detail(`${Math.floor((100 * rows) / of)} % of ${of}`),
  })
  found.scale = {
    ...{ cards: options.scaleCards, transactions: options.scaleTransactions, steps },
    databaseBytes: await facts.databaseBytes(),
  }
}
