import pg from 'pg'
import { BatchError, faultOf } from '../errors.ts'
import { isColumn, type Row, type Statement } from '../sql.ts'

/** Plans as for the lanes: by the indexes, whatever the statistics of a table that is being filled may say. */
const settings: Readonly<Record<string, string>> = {
  application_name: 'charsu-import',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
  plan_cache_mode: 'force_generic_plan',
  idle_in_transaction_session_timeout: '60s',
  lock_timeout: '10s',
  statement_timeout: '120s',
  TimeZone: 'UTC',
  DateStyle: 'ISO',
}

const options = Object.entries(settings)
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ')

const connectTimeoutMs = 5_000

/** Rows for one table, as COPY takes them: see `copyLine`. */
export interface Copy {
  readonly table: string
  readonly columns: string
  readonly text: string
}

/** The one connection of an import: its batches follow each other. */
export class ImportConnection {
  readonly #client: pg.Client

  private constructor(client: pg.Client) {
    this.#client = client
  }

  static async connect(url: string): Promise<ImportConnection> {
    const client = new pg.Client({
      connectionString: url,
      keepAlive: true,
      connectionTimeoutMillis: connectTimeoutMs,
      options,
      types: { getTypeParser: () => (text: string) => text },
    })
    // Told to the statement that runs, or to the next one.
    client.on('error', () => undefined)
    await client.connect()
    return new ImportConnection(client)
  }

  /** Throws BatchError. */
  async run({ values, ...statement }: Statement): Promise<Row[]> {
    // The client has no columns, but it makes arrays of its own of lists.
    const given = values.map(value => (isColumn(value) ? value.values : value))
    try {
      const { rows } = await this.#client.query<string[]>({ ...statement, values: given })
      return rows
    } catch (error) {
      throw new BatchError(faultOf(error), false, error)
    }
  }

  /** Copies rows into their tables, all in one flight. Throws BatchError. */
  async copy(copies: readonly Copy[]): Promise<void> {
    const filled = copies.filter(({ text }) => text !== '')
    if (filled.length === 0) return
    try {
      await new Promise<void>((resolve, reject) => {
        this.#client.query(new CopyIn(filled, error => (error === null ? resolve() : reject(error))))
      })
    } catch (error) {
      throw new BatchError(faultOf(error), false, error)
    }
  }

  /** Commits. Throws BatchError, `inDoubt` if the connection was lost on the way. */
  async commit(): Promise<void> {
    try {
      const { command } = await this.#client.query('COMMIT')
      if (command !== 'COMMIT') throw new BatchError('again', false, `COMMIT answered ${command}`)
    } catch (error) {
      if (error instanceof BatchError) throw error
      const fault = faultOf(error)
      throw new BatchError(fault, fault === 'away', error)
    }
  }

  async rollback(): Promise<void> {
    await this.#client.query('ROLLBACK').catch(() => undefined)
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined)
  }
}

/** What COPY needs of the wire of node-postgres. */
interface Wire {
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}

/**
 * Several COPY FROM STDIN as one simple query. The rows are sent at once, without waiting to be asked for them: the
 * server reads them when it comes to their statement, and drops them if one before it has failed.
 */
class CopyIn implements pg.Submittable {
  readonly #copies: readonly Copy[]
  readonly #done: (error: Error | null) => void

  constructor(copies: readonly Copy[], done: (error: Error | null) => void) {
    this.#copies = copies
    this.#done = done
  }

  submit(connection: pg.Connection): void {
    const wire = connection as unknown as Wire
    wire.query(this.#copies.map(({ table, columns }) => `COPY ${table} (${columns}) FROM STDIN`).join('; '))
    for (const { text } of this.#copies) {
      wire.sendCopyFromChunk(Buffer.from(text))
      wire.endCopyFrom()
    }
  }

  handleError(error: Error): void {
    this.#done(error)
  }

  handleReadyForQuery(): void {
    this.#done(null)
  }

  handleCopyInResponse(): void {}
  handleCommandComplete(): void {}
}
