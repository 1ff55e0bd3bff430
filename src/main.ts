import { mkdirSync, readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import { ConfigError } from './config/errors.ts'
import { type Config, loadConfig } from './config/load.ts'
import type { DemoTenant } from './config/schema.ts'
import { readOrMakeSecret } from './config/secret-file.ts'
import { readTlsFiles } from './config/tls-files.ts'
import { cardNumber } from './core/card-numbers.ts'
import type { Catalog } from './core/catalog.ts'
import { formatTransactionId } from './core/ids.ts'
import { panToken, sha256Hex } from './crypto/hash.ts'
import { keyEncryptionKeyOf, newKeyEncryptionKey } from './crypto/key-encryption.ts'
import { LiveKeys } from './crypto/live-keys.ts'
import { newPanKey, panKeyOf } from './crypto/pan-key.ts'
import { Engine } from './engine/engine.ts'
import { Executor } from './engine/executor.ts'
import { laneLimits } from './engine/lane.ts'
import { SettlementService } from './engine/settlement.ts'
import { ApiKeys } from './http/api-keys.ts'
import { createHttpApp } from './http/app.ts'
import { createIsoServer, type IsoListener } from './iso8583/server.ts'
import { expireHolds } from './jobs/expiry.ts'
import { makeFirstLoads } from './jobs/first-loads.ts'
import { runLists } from './jobs/load-lists.ts'
import { beginDuePeriods } from './jobs/load-schedules.ts'
import { startJobs } from './jobs/schedule.ts'
import { sweepLots } from './jobs/sweep-lots.ts'
import { elapsedSeconds, nowMicros } from './ops/clock.ts'
import { greeting } from './ops/greeting.ts'
import { createLog, type SwitchLog } from './ops/log.ts'
import { Metrics } from './ops/metrics.ts'
import { RollingFiles } from './ops/rolling-file.ts'
import { createAdmin } from './store/admin/admin.ts'
import { createAdminPool } from './store/admin/pool.ts'
import { openCatalogs } from './store/catalog.ts'
import { startWatchedPostgres } from './store/embedded/watched.ts'
import { deleteForgottenReversals } from './store/expiry.ts'
import { readKeys, retireOverdueKeys, storeKey, takeCounter } from './store/keys.ts'
import { makePartitions, migrate } from './store/migrate.ts'
import { openPool, type Pool } from './store/pool.ts'
import { readApiKeys } from './store/reads/api-keys.ts'
import { readCardPin } from './store/reads/card-pins.ts'
import { createReadPool } from './store/reads/pool.ts'
import { createReads } from './store/reads/reads.ts'
import { isSameSecret } from './store/secret-check.ts'
import { isEmpty, seedTenant, type TenantSeed } from './store/seed.ts'
import { Session } from './store/session.ts'

export interface RunningSwitch {
  readonly httpUrl: string
  readonly isoPorts: readonly number[]
  readonly databaseUrl: string
  /** Reads certificates again. Throws, with nothing changed, if they are no good. */
  reload(): void
  /** Stops reading, answers what is in flight, closes. */
  stop(): Promise<void>
}

const drainMaxMs = 10_000
const jobConnectionsMax = 6
const readConnectionsMax = 4
const readTimeoutMs = 5_000

/** Puts the rooms together and starts them. Throws, with nothing left running, if a part cannot start. */
export async function startSwitch(config: Config, log: SwitchLog): Promise<RunningSwitch> {
  const stops: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).reverse()) await step()
  }
  const startDatabase = async (): Promise<string> => {
    const database = await startWatchedPostgres(`${config.dataDir}/postgres`, log)
    stops.push(() => database.stop())
    return database.url
  }
  try {
    mkdirSync(config.dataDir, { recursive: true, mode: 0o755 })
    const databaseUrl = config.databaseUrl ?? (await startDatabase())
    const applied = await migrate(databaseUrl)
    if (applied.length > 0) log.info({ applied }, 'schema brought up to date')
    return { ...(await startRooms(config, databaseUrl, log, stops)), databaseUrl, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startRooms(config: Config, databaseUrl: string, log: SwitchLog, stops: (() => Promise<unknown>)[]) {
  const panKey = panKeyOf(config.panKey ?? readOrMakeSecret(`${config.dataDir}/pan.key`, newPanKey))
  const pool = openPool(databaseUrl, { connectionsMax: jobConnectionsMax })
  stops.push(() => pool.end())
  const readPool = createReadPool(
    { url: databaseUrl, connectionsMax: readConnectionsMax, statementTimeoutMs: readTimeoutMs },
    error => log.warn({ error: error.message }, 'read connection lost'),
  )
  stops.push(() => readPool.close())
  if (!(await isSameSecret(pool, 'PAN key', panToken('check value', panKey)))) {
    throw new ConfigError('the PAN key is not the one that this database was first used with: no card would be known')
  }
  if (config.demo !== null && (await isEmpty(pool))) {
    await seedTenant(
      pool,
      seedOf(config.demo, pan => panToken(pan, panKey)),
    )
  }

  const keys = await openKeys(config, pool, log)
  const catalogs = await openCatalogs(pool)
  const catalogOf = (tenant: number): Catalog | undefined => catalogs.byTenant.get(tenant)
  const apiKeys = new ApiKeys(() => readApiKeys(readPool.query))
  await apiKeys.refresh()

  let isReachable = true
  const isDatabaseAway = (): boolean => engine.isAway || !isReachable
  const metrics = new Metrics({
    queued: () => engine.queued,
    isAway: () => isDatabaseAway(),
    connections: () => iso.connectionCount,
    linesLeftOut: () => log.linesLeftOut(),
  })
  const engine: Engine = new Engine({
    laneCount: config.engine.lanes,
    limits: { ...laneLimits, ...config.engine },
    connect: async () => {
      const session = await Session.connect(databaseUrl)
      return new Executor({ session, hash: sha256Hex, clock: { elapsed: elapsedSeconds, now: nowMicros } })
    },
    catalogOf,
    elapsed: elapsedSeconds,
    events: {
      batch: (size, stages) => metrics.batch(size, stages),
      fault: (error, commands) => {
        metrics.fault(error.fault)
        const { fault, inDoubt, message } = error
        log[fault === 'poison' ? 'error' : 'warn']({ fault, inDoubt, commands, error: message }, 'batch failed')
      },
      away: error => log.error({ error }, 'database away: refusing until it is back'),
      back: () => log.info('database back'),
    },
  })
  stops.push(() => engine.close())
  if (config.demo !== null) await loadDemo(config.demo, catalogs.byTenant, pool, engine)

  const settlements = new SettlementService({
    pool,
    query: readPool.query,
    submit: engine,
    catalogOf,
    now: nowMicros,
  })
  const adminPool = createAdminPool(databaseUrl, error => log.warn({ error: error.message }, 'admin connection lost'))
  stops.push(() => adminPool.close())
  const jobs = startJobs(
    [
      {
        name: 'expire holds',
        everyMs: 500,
        run: async () => {
          for (const tenant of catalogs.byTenant.keys()) metrics.expired(await expireHolds(pool, engine, tenant))
        },
      },
      {
        name: 'read reference data',
        everyMs: 1_000,
        run: async () => {
          // Finds out about a database that is away even while no payment asks for it.
          isReachable = await Promise.all([catalogs.refresh(), apiKeys.refresh(), keys.refresh()]).then(
            () => true,
            () => false,
          )
        },
      },
      {
        name: 'finish settlements',
        everyMs: 30_000,
        run: async () => {
          for (const tenant of catalogs.byTenant.keys()) await settlements.finish(tenant)
        },
      },
      {
        name: 'sweep expired lots',
        everyMs: 10_000,
        run: async () => {
          for (const tenant of catalogs.byTenant.keys()) await sweepLots(pool, engine, tenant)
        },
      },
      {
        name: 'begin scheduled loads',
        everyMs: 5_000,
        run: async () => {
          for (const { tenant } of catalogs.byTenant.values()) await beginDuePeriods(adminPool, tenant)
        },
      },
      {
        name: 'run lists of loads',
        everyMs: 500,
        run: async () => {
          for (const catalog of catalogs.byTenant.values()) await runLists(adminPool, engine, catalog)
        },
      },
      { name: 'make partitions', everyMs: 3_600_000, run: () => makePartitions(pool) },
      { name: 'retire keys', everyMs: 60_000, run: () => retireOverdueKeys(pool) },
      { name: 'forget old reversals', everyMs: 3_600_000, run: () => deleteForgottenReversals(pool) },
    ],
    log,
  )
  stops.push(() => jobs.stop())

  const frameLogs = openFrameLogs(config, log)
  stops.push(() => frameLogs.close())
  const iso = createIsoServer({
    listeners: isoListeners(config, catalogs.byTenant, frameLogs),
    keys: keys.ring,
    pinSources: {
      pinDataOf: (tenant, token) => readCardPin(readPool.query, tenant, token),
      takeCounter: use => takeCounter(pool, use),
    },
    storeKey: (...key) => keys.store(...key),
    submit: engine,
    pressure: engine,
    panKey,
    log,
    tenantOf: tenant => catalogOf(tenant)?.tenant,
    now: nowMicros,
    onExchange: record => {
      const { kind, reason, transaction, micros } = record
      metrics.answered(kind, 'terminal', reason ?? 'unknown', micros / 1e6)
      log.transactions.terminal(record, transaction === null ? null : formatTransactionId(transaction))
    },
    onConnectionClosed: reason => metrics.connectionClosed(reason),
  })
  const http = await createHttpApp({
    submit: engine,
    settlements,
    reads: createReads(readPool.query),
    admin: createAdmin({
      pool: adminPool,
      refresh: () =>
        // What was changed is stored: it is found out within a second anyhow.
        Promise.all([catalogs.refresh(), apiKeys.refresh()]).catch((error: Error) =>
          log.warn({ error: error.message }, 'reference data not read again'),
        ),
    }),
    apiKeys,
    catalogOf,
    panKey,
    ready: () => ({ ok: !isDatabaseAway(), parts: { database: isDatabaseAway() ? 'away' : 'up' } }),
    metricsText: () => metrics.text(),
    observer: {
      onTransaction: line => {
        metrics.answered(line.command, line.channel, line.reason, line.elapsedMs / 1000)
        log.transactions.api(line)
      },
      onResponse: ({ route, status }) => metrics.request(route, status),
    },
    logger: log,
    demo: config.demo !== null,
    now: nowMicros,
    version: versionOf(),
  })
  stops.push(() => Promise.all([http.close(), iso.close(drainMaxMs)]))
  const httpUrl = await http.listen({ ...config.http })
  const isoPorts = await iso.listen()
  log.info({ http: httpUrl, iso: isoPorts }, 'listening')
  return { httpUrl, isoPorts, reload: () => iso.reloadTls() }
}

async function openKeys({ keyEncryptionKey, dataDir }: Config, pool: Pool, log: Logger): Promise<LiveKeys> {
  const secret = keyEncryptionKeyOf(keyEncryptionKey ?? readOrMakeSecret(`${dataDir}/kek.key`, newKeyEncryptionKey))
  if (!(await isSameSecret(pool, 'key-encryption key', panToken('check value', secret)))) {
    throw new ConfigError('the key-encryption key is not the one that the keys in this database are stored under')
  }
  const keys = new LiveKeys({
    keyEncryptionKey: secret,
    now: nowMicros,
    read: since => readKeys(pool, since),
    write: (key, overlapSeconds) => storeKey(pool, key, overlapSeconds),
    onUnreadable: key =>
      log.error({ key }, 'a stored key cannot be read: altered, or under another key-encryption key'),
  })
  await keys.refresh()
  return keys
}

function openFrameLogs({ listeners, dataDir }: Config, log: Logger): RollingFiles {
  return new RollingFiles(
    listeners.flatMap(({ name, frameLog: of }) =>
      of === undefined ? [] : [{ name, path: `${dataDir}/${of.file}`, bytesMax: of.bytesMax }],
    ),
    (listener, { message }) => log.error({ listener, error: message }, 'frames are not logged any more'),
  )
}

function isoListeners(config: Config, catalogs: ReadonlyMap<number, Catalog>, logs: RollingFiles): IsoListener[] {
  const ids = new Map([...catalogs.values()].map(({ tenant }) => [tenant.code, tenant.id]))
  const idOf = (code: string, listener: string): number => {
    const id = ids.get(code)
    if (id === undefined) throw new ConfigError(`listener ${listener}: tenant "${code}" is not in the database`)
    return id
  }
  return config.listeners.map(({ name, tenant, tls, frameLog, ...listener }) => ({
    ...listener,
    name,
    ...(frameLog === undefined ? {} : { frameLog: line => logs.write(name, line) }),
    ...(tls === undefined ? {} : { tls: () => readTlsFiles(tls) }),
    tenant:
      typeof tenant === 'string'
        ? idOf(tenant, name)
        : new Map(Object.entries(tenant).map(([acquirer, code]) => [acquirer, idOf(code, name)])),
  }))
}

function seedOf(demo: DemoTenant, tokenOf: (pan: string) => string): TenantSeed {
  const { bin, count } = demo.cards
  const pans = Array.from({ length: count }, (_, index) => cardNumber(bin, index + 1))
  return {
    ...demo,
    apiKeys: demo.apiKeys.map(({ key, ...rest }) => ({ ...rest, hash: sha256Hex(key) })),
    cards: pans.map(pan => ({ token: tokenOf(pan), last4: pan.slice(-4) })),
    calendar: demo.calendar ?? 'gregorian',
  }
}

async function loadDemo(demo: DemoTenant, catalogs: ReadonlyMap<number, Catalog>, pool: Pool, engine: Engine) {
  const catalog = [...catalogs.values()].find(({ tenant }) => tenant.code === demo.code)
  if (catalog === undefined) return
  const loads = demo.loads.map(load => ({ ...load, fromCard: load.fromCard ?? 1, amount: BigInt(load.amount) }))
  await makeFirstLoads(pool, engine, catalog, loads)
}

function versionOf(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** `charsu start`: runs until SIGTERM or SIGINT. Why it cannot start is told in a sentence, with exit status 1. */
export const main = (): Promise<void> => run().catch(fail)

async function run(): Promise<void> {
  const config = loadConfig()
  const log = createLog(config.logLevel)
  const running = await startSwitch(config, log)
  const isPlain = config.listeners[0]?.tls === undefined && config.listeners[0]?.mac === undefined
  const isDemo = config.demo !== null && isPlain
  process.stderr.write(greeting({ ...running, isDemo, isEmbedded: config.databaseUrl === null }))
  let isStopping = false
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isStopping) return
    isStopping = true
    log.info({ signal }, 'draining')
    running.stop().then(
      async () => {
        log.info('stopped')
        await log.drain()
        process.exit(0)
      },
      async (error: Error) => {
        await log.drain()
        fail(error)
      },
    )
  }
  process.on('SIGHUP', () => {
    try {
      running.reload()
      log.info('certificates read again')
    } catch (error) {
      log.error({ error: (error as Error).message }, 'certificates not read: the old ones stay')
    }
  })
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

function fail(error: NodeJS.ErrnoException & { port?: number }): never {
  process.stderr.write(`charsu: ${sentenceOf(error)}\n`)
  process.exit(1)
}

function sentenceOf(error: NodeJS.ErrnoException & { port?: number }): string {
  if (error instanceof ConfigError) return error.message
  if (error.code === 'EADDRINUSE') return `port ${error.port} is taken: choose others with PORT and ISO_PORT`
  // A plain Error is a sentence for the operator; anything else is a defect.
  return error.constructor === Error ? error.message : (error.stack ?? error.message)
}
