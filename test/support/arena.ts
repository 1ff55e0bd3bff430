import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Engine } from '../../src/engine/engine.ts'
import { type LaneLimits, laneLimits } from '../../src/engine/lane.ts'
import type { BatchError } from '../../src/store/errors.ts'
import { audit } from './checker.ts'
import type { Finding } from './checker-words.ts'
import { type CommandsOf, commandsOf, JournaledClient } from './commands.ts'
import { Journal } from './journal.ts'
import { Meeting, type Rigging, riggedConnect } from './rigging.ts'
import { startLedger, type TestLedger } from './switch.ts'

/** Two engines on one ledger, each with one lane, and a client with a journal that speaks to both. */
export interface Arena {
  readonly ledger: TestLedger
  readonly commands: CommandsOf
  readonly client: JournaledClient
  readonly one: Engine
  readonly other: Engine
  /** Every failed batch, with its size. */
  readonly faults: { error: BatchError; size: number }[]
  /** A session from outside that locks the row of a holder until it is released. */
  lockHolder(holder: number): Promise<{ release(): Promise<void> }>
}

export interface ArenaOptions {
  readonly cards?: number
  readonly rigging?: Rigging
  /** Of the second engine, where it differs. */
  readonly otherRigging?: Rigging
  /** Batches of the two engines meet between their reads and their writes: see `Meeting`. */
  readonly meets?: boolean
  /** Statements that take protections of the schema away. */
  readonly sql?: readonly string[]
  readonly limits?: Partial<LaneLimits>
  /** An empty database elsewhere than on the PostgreSQL of the test run. */
  readonly url?: string
}

/** Lets `play` happen in a fresh arena, then checks the ledger against the journal. */
export async function inArena(options: ArenaOptions, play: (arena: Arena) => Promise<void>): Promise<Finding[]> {
  const { cards = 20, rigging = {}, otherRigging = rigging, meets = false, sql = [], limits = {}, url } = options
  const folder = await mkdtemp(join(tmpdir(), 'charsu-arena-'))
  const journal = await Journal.create(join(folder, 'journal'))
  const ledger = await startLedger(url === undefined ? { cards } : { cards, url })
  for (const statement of sql) await ledger.pool.query(statement)
  const faults: Arena['faults'] = []
  const events = {
    batch() {},
    fault: (error: BatchError, size: number) => faults.push({ error, size }) > 0,
    away() {},
    back() {},
  }
  const meeting = meets ? { meeting: new Meeting(ledger.pool) } : {}
  const engineOf = (own: Rigging): Engine =>
    ledger.engine({
      laneCount: 1,
      connect: riggedConnect(ledger.url, { ...own, ...meeting }),
      limits: { ...laneLimits, ...limits },
      events,
    })
  const [one, other] = [engineOf(rigging), engineOf(otherRigging)]
  try {
    const client = new JournaledClient(one, journal)
    const commands = commandsOf(ledger.catalog.tenant.id)
    await play({ ledger, commands, client, one, other, faults, lockHolder: holder => lockHolder(ledger, holder) })
    await Promise.all([one.close(), other.close()])
    return await audit(ledger.url, journal.entries)
  } finally {
    // The engines first: what is still under way has its outcome then, and its line in the journal.
    await ledger.close()
    await journal.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function lockHolder({ url, catalog }: TestLedger, holder: number): Promise<{ release(): Promise<void> }> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  await client.query('BEGIN')
  await client.query('SELECT FROM cardholders WHERE tenant = $1 AND id = $2 FOR UPDATE', [catalog.tenant.id, holder])
  return {
    async release() {
      await client.query('COMMIT')
      await client.end()
    },
  }
}
