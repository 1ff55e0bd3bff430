import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../src/store/embedded-postgres.ts'
import type { Cleanup } from './cleanup.ts'
import { DatabaseFacts, statementSettings, wellKnownSettings } from './database.ts'
import { type FsyncTimes, measureFsync } from './fsync.ts'
import { isInMemory } from './machine.ts'
import type { BenchOptions } from './options.ts'
import type { Progress } from './progress.ts'
import { type BenchSwitch, type EngineSettings, shippedEngine, startSwitch } from './servers.ts'
import { benchTenant, type Shape } from './tenant.ts'

export const resultsFolder = join(import.meta.dirname, 'results')
/** On the disk of the repository: what else is called temporary is often in memory, where fsync costs nothing. */
const dataFolder = join(import.meta.dirname, '../data')

/**
 * Each has 16 MB. A server uses those from before its last checkpoint again; it fills a new one with zeros first, which
 * none would do that has run for a while.
 */
async function makeWalFiles({ client }: DatabaseFacts, count: number): Promise<void> {
  for (let made = 0; made < count; made++) {
    await client.query("SELECT pg_logical_emit_message(false, 'bench', 'one record for each'), pg_switch_wal()")
  }
  await client.query('CHECKPOINT')
}

export interface Running {
  readonly database: string
  readonly running: BenchSwitch
  readonly facts: DatabaseFacts
}

/** Where it differs: the engine as shipped, a database of the shape's name, as many cards as the run has. */
interface SwitchChoice {
  readonly engine?: EngineSettings
  readonly database?: string
  readonly cards?: number
}

interface StageParts {
  readonly options: BenchOptions
  readonly progress: Progress
  readonly cleanup: Cleanup
  readonly signal: AbortSignal
}

/** The PostgreSQL of a run, its databases, and the one switch that runs at a time. What it starts ends by `cleanup`. */
export class Stage {
  readonly folder: string
  readonly fsync: FsyncTimes
  readonly postgresPid: number
  readonly facts: DatabaseFacts
  readonly #parts: StageParts
  readonly #url: string
  /** By database: a connection of the harness. */
  readonly #factsOf = new Map<string, DatabaseFacts>()
  #current: (Running & { readonly engine: EngineSettings }) | null = null

  private constructor(
    parts: StageParts,
    given: { folder: string; fsync: FsyncTimes; postgresPid: number; facts: DatabaseFacts; url: string },
  ) {
    this.#parts = parts
    this.folder = given.folder
    this.fsync = given.fsync
    this.postgresPid = given.postgresPid
    this.facts = given.facts
    this.#url = given.url
  }

  static async open(parts: StageParts): Promise<Stage> {
    const { options, progress, cleanup } = parts
    const folder = makeFolder(options, cleanup, progress)
    progress.step('measuring fsync')
    const fsync = measureFsync(folder)
    progress.step('starting PostgreSQL')
    const settings = { ...wellKnownSettings, ...(options.profile ? statementSettings : {}) }
    const postgres = await startEmbeddedPostgres({
      dataDir: join(folder, 'postgres'),
      settings,
      ...(options.postgres === null ? {} : { programsFolder: options.postgres }),
    })
    cleanup.add(() => postgres.stop())
    const facts = await DatabaseFacts.connect(postgres.url)
    cleanup.add(() => facts.close())
    progress.step('making WAL files, as a server has them that has run for a while')
    await makeWalFiles(facts, options.walFiles)
    return new Stage(parts, { folder, fsync, postgresPid: postgres.pid, facts, url: postgres.url })
  }

  urlOf(database: string): string {
    const url = new URL(this.#url)
    url.pathname = database
    return url.href
  }

  /** Databases that a switch was started on. */
  get databases(): readonly string[] {
    return [...this.#factsOf.keys()]
  }

  /** A connection to one of those. */
  factsOf(database: string): DatabaseFacts {
    const facts = this.#factsOf.get(database)
    if (facts === undefined) throw new Error(`no switch has run on the database ${database}`)
    return facts
  }

  /**
   * The switch on this database (of the shape's name, unless it is told), which is made with the tenant of this shape;
   * another that runs is stopped.
   */
  async switchOn(
    shape: Shape,
    { engine = shippedEngine, database = shape, cards = this.#parts.options.cards }: SwitchChoice = {},
  ): Promise<Running> {
    const current = this.#current
    if (current?.database === database && current.engine === engine) return current
    await this.stopSwitch()
    const { options, progress, cleanup, signal } = this.#parts
    progress.step(`starting the switch on ${database}`)
    if (!this.#factsOf.has(database)) await this.#makeDatabase(database)
    const terminals = Math.max(options.connections, options.httpConnections)
    const running = await startSwitch(
      {
        folder: join(this.folder, `${database}-${engine.batchMax}`),
        databaseUrl: this.urlOf(database),
        engine,
        tenant: benchTenant(shape, terminals, { cards }),
        profileInto: options.profile ? resultsFolder : null,
      },
      signal,
    )
    cleanup.add(() => running.stop())
    this.#current = { database, running, facts: this.factsOf(database), engine }
    return this.#current
  }

  async stopSwitch(): Promise<void> {
    await this.#current?.running.stop()
    this.#current = null
  }

  async #makeDatabase(database: string): Promise<void> {
    await this.facts.createDatabase(database)
    const facts = await DatabaseFacts.connect(this.urlOf(database))
    this.#parts.cleanup.add(() => facts.close())
    this.#factsOf.set(database, facts)
    if (this.#parts.options.profile) await facts.countStatements()
  }
}

function makeFolder({ keep, profile }: BenchOptions, cleanup: Cleanup, progress: Progress): string {
  mkdirSync(dataFolder, { recursive: true })
  if (profile) mkdirSync(resultsFolder, { recursive: true })
  const folder = mkdtempSync(join(dataFolder, 'bench-'))
  // PostgreSQL may run as another user than this process, and must get in.
  chmodSync(folder, 0o755)
  cleanup.add(() => {
    if (keep) progress.note(`kept: ${folder}`)
    else rmSync(folder, { recursive: true, force: true })
  })
  if (isInMemory(folder)) progress.note(`${folder} is in memory: fsync costs nothing here, and the figures say little`)
  return folder
}
