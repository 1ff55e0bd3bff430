import { panKeyOf } from '../../src/crypto/pan-key.ts'
import { fill } from '../bulk/fill.ts'
import { secrets } from '../servers.ts'
import { isoSpec } from '../specs.ts'
import type { Running } from '../stage.ts'
import { type Run, record } from './run.ts'

const database = 'scale'

/** The canonical load on millions of cards, and of past transactions if that is asked for. */
export async function runScale(run: Run): Promise<void> {
  const { options, found } = run
  if (found.scale === null) await fillDatabase(run)
  const on = await switchOnIt(run)
  const inFlight = options.inFlight.at(-1)!
  const what = { workload: 'scale', id: 'scale', name: `${options.scaleCards} cards, ${inFlight} in flight` } as const
  const spec = isoSpec({ ...options, cards: options.scaleCards }, on.running.isoPort, inFlight)
  await record(run, on, what, spec)
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
