import { EventEmitter } from 'node:events'
import pg from 'pg'
import { BatchError, faultOf } from './errors.ts'
import { Flight, FlightReader, type Reply } from './flight.ts'
import { type Statement, statement } from './sql.ts'
import { MessageWriter } from './wire.ts'

/**
 * Settings of a lane's connection. The planner ones keep a table without statistics (each new partition) from being
 * scanned whole; the time limits keep a frozen switch from holding its locks.
 */
const settings: Readonly<Record<string, string>> = {
  application_name: 'charsu-lane',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
  plan_cache_mode: 'force_generic_plan',
  idle_in_transaction_session_timeout: '2s',
  lock_timeout: '2s',
  transaction_timeout: '10s',
  tcp_keepalives_idle: '5',
  tcp_keepalives_interval: '1',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '5s',
  synchronous_commit: 'on',
  TimeZone: 'UTC',
}

export const laneOptions = Object.entries(settings)
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ')

/** For what a server that is there does at once: connecting, rolling back, parting. */
const promptTimeoutMs = 3_000
/** Longer than `transaction_timeout`: a server that is there has given up by then. */
const replyTimeoutMsByDefault = 12_000

/** One connection for flights of statements: each is one wait. */
export class Session {
  readonly #client: pg.Client
  readonly #replyTimeoutMs: number
  readonly #prepared = new Set<string>()
  /** One for all flights: the answer to one comes before the next is written. */
  readonly #writer = new MessageWriter()
  readonly #reader = new FlightReader()
  #isBroken = false
  #committedOnlyHere = false

  private constructor(client: pg.Client, replyTimeoutMs: number) {
    this.#client = client
    this.#replyTimeoutMs = replyTimeoutMs
    divert(client, this.#reader)
    client.on('error', () => {
      this.#isBroken = true
    })
    client.on('end', () => {
      this.#isBroken = true
    })
    client.on('notice', notice => {
      // 01000 while COMMIT waits for a standby: committed here, not known to be there.
      if (notice.code === '01000') this.#committedOnlyHere = true
    })
  }

  /** Connects to a primary. Throws what node-postgres throws, or an Error if the server is a standby. */
  static async connect(url: string, { replyTimeoutMs = replyTimeoutMsByDefault } = {}): Promise<Session> {
    const client = new pg.Client({
      connectionString: url,
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
      connectionTimeoutMillis: promptTimeoutMs,
      options: laneOptions,
    })
    const session = new Session(client, replyTimeoutMs)
    try {
      await client.connect()
      const { rows } = await session.#orDestroy(promptTimeoutMs, () =>
        client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby'),
      )
      if (rows[0]?.standby !== false) throw new Error('the database is a standby')
    } catch (error) {
      session.destroy()
      throw error
    }
    return session
  }

  /** Forgets all prepared statements, here and there: those that name a day would pile up. */
  async forgetStatements(): Promise<void> {
    await this.run([statement('forget', 'DEALLOCATE ALL')], { commits: false })
    this.#prepared.clear()
  }

  get isBroken(): boolean {
    return this.#isBroken
  }

  /**
   * Sends all statements in one flight. The rows can be read until the next one. Throws the first failure as a
   * BatchError; `inDoubt` if the flight commits.
   */
  async run(statements: readonly Statement[], { commits }: { commits: boolean }): Promise<Reply[]> {
    this.#committedOnlyHere = false
    const flight = new Flight(statements, this.#prepared, { writer: this.#writer, reader: this.#reader })
    const replies = await this.#orDestroy(this.#replyTimeoutMs, () => this.#client.query(flight).done).catch(
      (error: unknown) => {
        const fault = faultOf(error)
        throw new BatchError(fault, commits && (fault === 'away' || this.#isBroken), error)
      },
    )
    const last = replies.at(-1)
    if (commits && last?.command !== 'COMMIT') throw new BatchError('again', false, `COMMIT answered ${last?.command}`)
    if (commits && this.#committedOnlyHere) throw new BatchError('away', true, 'committed on the primary only')
    return replies
  }

  /** node-postgres cannot give a connection up: its socket can. */
  get #socket(): Socket {
    return connectionOf(this.#client).stream
  }

  /** Ends a transaction that is not to be written; a failure only means that the session is broken. */
  async rollback(): Promise<void> {
    await this.#orDestroy(promptTimeoutMs, () => this.#client.query('ROLLBACK')).catch(() => this.destroy())
  }

  async close(): Promise<void> {
    this.#isBroken = true
    await this.#orDestroy(promptTimeoutMs, () => this.#client.end()).catch(() => undefined)
  }

  /** A database that has gone silent is not waited for: the connection is given up, and what waits for it fails. */
  async #orDestroy<Value>(timeoutMs: number, ask: () => Promise<Value>): Promise<Value> {
    const watchdog = setTimeout(() => this.destroy(), timeoutMs)
    try {
      return await ask()
    } finally {
      clearTimeout(watchdog)
    }
  }

  /** Gives the connection up at once: nothing is waited for. */
  destroy(): void {
    this.#isBroken = true
    this.#socket.destroy()
  }
}

interface Socket {
  destroy(): void
  on(event: 'data', listener: (bytes: Buffer) => void): void
}

/** What node-postgres does not show. */
interface Connection {
  readonly stream: Socket
  attachListeners(stream: Socket | EventEmitter): void
}

const connectionOf = (client: pg.Client): Connection => (client as unknown as { connection: Connection }).connection

/**
 * Lets the reader of flights have what the server sends, before node-postgres, which knows rows as text only, has what
 * is left.
 */
function divert(client: pg.Client, reader: FlightReader): void {
  const connection = connectionOf(client)
  const attach = connection.attachListeners.bind(connection)
  connection.attachListeners = (socket: Socket) => {
    const others = new EventEmitter()
    attach(others)
    socket.on('data', bytes => {
      if (!reader.take(bytes, rest => others.emit('data', rest))) socket.destroy()
    })
  }
}
