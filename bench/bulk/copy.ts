import { once } from 'node:events'
import type pg from 'pg'

/** What node-postgres gives a query of its own kind: its types do not have it. */
interface Connection {
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
  sendCopyFail(message: string): void
  readonly stream: NodeJS.WritableStream & { readonly writableNeedDrain: boolean }
}

const chunkBytes = 256 * 1024

/** COPY … FROM STDIN in text format. A value is put as it stands: what may hold a tab or a backslash is not for it. */
export class CopyIn {
  readonly #text: string
  readonly #ready = Promise.withResolvers<Connection>()
  readonly #done = Promise.withResolvers<void>()
  #pending = ''
  rows = 0

  private constructor(text: string) {
    this.#text = text
    this.#done.promise.catch(() => undefined)
  }

  /** Begins to fill `columns` of a table; the client can do nothing else until `end`. */
  static async begin(client: pg.Client, table: string, columns: string, options = ''): Promise<CopyIn> {
    const copy = new CopyIn(`COPY ${table} (${columns}) FROM STDIN ${options}`)
    client.query(copy as unknown as pg.Submittable)
    await copy.#ready.promise
    return copy
  }

  /** One row; null is NULL. What it answers, if anything, resolves when the server has taken enough. */
  put(values: readonly (string | number | bigint | null)[]): Promise<unknown> | undefined {
    let line = ''
    for (const value of values) line += line === '' ? (value ?? '\\N') : `\t${value ?? '\\N'}`
    this.#pending += `${line}\n`
    this.rows++
    return this.#pending.length >= chunkBytes ? this.#flush() : undefined
  }

  /** Resolves when the table has all of it. */
  async end(): Promise<void> {
    await this.#flush()
    const connection = await this.#ready.promise
    connection.endCopyFrom()
    await this.#done.promise
  }

  async #flush(): Promise<void> {
    const connection = await this.#ready.promise
    const chunk = Buffer.from(this.#pending, 'latin1')
    this.#pending = ''
    connection.sendCopyFromChunk(chunk)
    if (connection.stream.writableNeedDrain) await Promise.race([once(connection.stream, 'drain'), this.#done.promise])
  }

  // What node-postgres calls.

  submit(connection: Connection): void {
    connection.query(this.#text)
  }

  handleCopyInResponse(connection: Connection): void {
    this.#ready.resolve(connection)
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#done.resolve()
  }

  handleError(error: Error): void {
    this.#ready.reject(error)
    this.#done.reject(error)
  }
}
