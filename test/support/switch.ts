import pg from 'pg'
import type { Catalog } from '../../src/core/catalog.ts'
import { sha256Hex } from '../../src/crypto/hash.ts'
import { Engine, type EngineOptions } from '../../src/engine/engine.ts'
import { Executor } from '../../src/engine/executor.ts'
import { laneLimits } from '../../src/engine/lane.ts'
import { makeFirstLoads } from '../../src/jobs/first-loads.ts'
import { elapsedSeconds, nowMicros } from '../../src/ops/clock.ts'
import { readCatalogs } from '../../src/store/catalog.ts'
import { migrate } from '../../src/store/migrate.ts'
import { seedTenant, type TenantSeed } from '../../src/store/seed.ts'
import { Session } from '../../src/store/session.ts'
import { createDatabase } from './database.ts'

/** The token of test card number `n`; tests of the engine have no PANs. */
export const tokenOf = (n: number): string =>
  n.toString(16).padStart(2, '0').slice(-2) + n.toString(16).padStart(30, '0')

export const startBalance = 100_000_000n

export interface TestLedger {
  readonly url: string
  readonly pool: pg.Pool
  readonly catalog: Catalog
  engine(options?: Partial<EngineOptions>): Engine
  close(): Promise<void>
}

interface LedgerOptions {
  readonly cards?: number
  readonly url?: string
  /** Instead of `credit` on every card and `welfare` on the first five. */
  readonly programs?: TenantSeed['programs']
  /** What is loaded on every card. */
  readonly load?: { readonly program: string; readonly amount: bigint }[]
}

/** A migrated database with one tenant: two merchants, three terminals, and `cards` cards with credit on each. */
export async function startLedger(options: LedgerOptions = {}): Promise<TestLedger> {
  const { cards = 20 } = options
  const database =
    options.url === undefined ? await createDatabase({}) : { url: options.url, drop: async () => undefined }
  await migrate(database.url)
  const pool = new pg.Pool({ connectionString: database.url, max: 4 })
  pool.on('error', () => undefined)
  await seedTenant(pool, {
    code: 'bazaar',
    name: 'Bazaar',
    timeZone: 'Asia/Tehran',
    cutOverSeconds: 0,
    calendar: 'persian',
    currency: { code: 'IRR', numeric: '364', scale: 0 },
    organisations: [{ code: 'bazaar', name: 'Bazaar' }],
    programs: options.programs ?? [
      { code: 'credit', kind: 'credit' },
      { code: 'welfare', kind: 'welfare' },
    ],
    merchants: [
      {
        code: 'M00000000000001',
        name: 'One',
        terminals: [
          { code: 'T0000001', confirmation: 'explicit', partial: false },
          { code: 'T0000002', confirmation: 'implicit', partial: true },
        ],
      },
      {
        code: 'M00000000000002',
        name: 'Two',
        terminals: [{ code: 'T0000003', confirmation: 'explicit', partial: false }],
      },
    ],
    apiKeys: [],
    cards: Array.from({ length: cards }, (_, index) => ({ token: tokenOf(index + 1), last4: '0000' })),
  })
  const catalogs = await readCatalogs(pool)
  const catalog = [...catalogs.values()][0] as Catalog
  const engines: Engine[] = []
  const ledger: TestLedger = {
    url: database.url,
    pool,
    catalog,
    engine(given = {}) {
      const engine = new Engine({
        laneCount: 2,
        limits: laneLimits,
        connect: async () => {
          const session = await Session.connect(database.url)
          return new Executor({ session, hash: sha256Hex, clock: { elapsed: elapsedSeconds, now: nowMicros } })
        },
        catalogOf: tenant => catalogs.get(tenant),
        elapsed: elapsedSeconds,
        events: { batch() {}, fault: e => console.error('FAULT', e.cause ?? e), away() {}, back() {} },
        ...given,
      })
      engines.push(engine)
      return engine
    },
    async close() {
      await Promise.all(engines.map(engine => engine.close()))
      await pool.end()
      await database.drop()
    },
  }
  const loads = options.load ?? [
    { program: 'credit', amount: startBalance },
    { program: 'welfare', toCard: Math.min(5, cards), amount: startBalance },
  ]
  const first = { funder: 'bazaar', fromCard: 1, toCard: cards }
  await makeFirstLoads(
    pool,
    ledger.engine(),
    catalog,
    loads.map(load => ({ ...first, ...load })),
  )
  return ledger
}
