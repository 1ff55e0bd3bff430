import type pg from 'pg'
import type { Row, Statement } from './sql.ts'
import type { MessageWriter } from './wire.ts'

/** What one statement of a flight has answered: its rows, and the first word of its command tag. */
export interface Reply {
  readonly rows: Row[]
  readonly command: string
}

/**
 * Statements that travel together: one write, one Sync, one wait, as the extended protocol allows (PostgreSQL manual,
 * "Pipelining"). The first that fails ends the flight: what follows it is not executed, COMMIT included. Rows come as
 * the text that the server sends.
 */
export class Flight implements pg.Submittable {
  readonly done: Promise<Reply[]>
  readonly #bytes: Buffer
  readonly #replies: Reply[] = []
  #rows: Row[] = []
  #resolve: (replies: Reply[]) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined

  /** `prepared`: names that this connection knows. All others are prepared on the way, and then known. */
  constructor(statements: readonly Statement[], prepared: Set<string>, writer: MessageWriter) {
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    const unknown = new Set<string>()
    writer.reset()
    for (const statement of statements) {
      const { name } = statement
      if (!prepared.has(name) && !unknown.has(name)) {
        unknown.add(name)
        // A flight that failed may have prepared it.
        writer.close(statement)
        writer.parse(statement)
      }
      writer.execute(statement)
    }
    writer.sync()
    this.#bytes = writer.bytes
    void this.done.then(
      () => {
        for (const name of unknown) prepared.add(name)
      },
      () => undefined,
    )
  }

  submit(connection: pg.Connection): void {
    connection.stream.write(this.#bytes)
  }

  handleDataRow({ fields }: { fields: Row }): void {
    this.#rows.push(fields)
  }

  handleCommandComplete({ text }: { text: string }): void {
    const space = text.indexOf(' ')
    this.#replies.push({ rows: this.#rows, command: space < 0 ? text : text.slice(0, space) })
    this.#rows = []
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#replies)
  }

  handleError(error: unknown): void {
    this.#reject(error)
  }

  // A portal that is not described has no description, and none of these is suspended or empty.
  handleRowDescription(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
}
