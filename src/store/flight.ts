import type pg from 'pg'
import { Surplus } from '../ops/surplus.ts'
import type { Statement } from './sql.ts'
import type { MessageWriter } from './wire.ts'
import { WireRows } from './wire-rows.ts'

/** What one statement of a flight has answered: its rows, and the first word of its command tag. */
export interface Reply {
  readonly rows: WireRows
  readonly command: string
}

/**
 * Statements that travel together: one write, one Sync, one wait, as the extended protocol allows (PostgreSQL manual,
 * "Pipelining"). The first that fails ends the flight: what follows it is not executed, COMMIT included. The rows of
 * the replies can be read until the next flight is written.
 */
export class Flight implements pg.Submittable {
  readonly done: Promise<Reply[]>
  readonly #bytes: Buffer
  readonly #reader: FlightReader
  #resolve: (replies: Reply[]) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined

  /** `prepared`: names that this connection knows. All others are prepared on the way, and then known. */
  constructor(
    statements: readonly Statement[],
    prepared: Set<string>,
    { writer, reader }: { writer: MessageWriter; reader: FlightReader },
  ) {
    this.#reader = reader
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
    this.#reader.begin()
    connection.stream.write(this.#bytes)
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#reader.replies())
  }

  handleError(error: unknown): void {
    this.#reject(error)
  }
}

/** Types of messages (PostgreSQL manual, "Message Formats"). */
const code = { parseComplete: 49, bindComplete: 50, closeComplete: 51, commandComplete: 67, dataRow: 68, ready: 90 }
/** Type and length. The length counts itself, so that it is 4 or more. */
const headerBytes = 5
const nothing = Buffer.alloc(0)
const sizeAtFirst = 65_536

/**
 * Reads the answer to a flight: what it consists of, rows above all, is kept as it came, in one buffer that is used
 * again and again. All other messages (errors, notices, the end) are left to node-postgres, whole: a message that has
 * begun before a flight would otherwise end as the beginning of its answer.
 */
export class FlightReader {
  #bytes = Buffer.allocUnsafeSlow(sizeAtFirst)
  /** Where the next message begins. */
  #at = 0
  /** Up to where the buffer is filled. */
  #end = 0
  #isUnderWay = false
  /** While nothing is under way: the beginning of a message whose rest has not come. */
  #begun: Buffer = nothing
  #replies: { from: number; count: number; command: string }[] = []
  /** Where the first row of the statement under way is, and how many there are. */
  #from = 0
  #count = 0
  readonly #surplus = new Surplus()

  begin(): void {
    if (this.#surplus.isTooLarge(this.#bytes.length, this.#end)) this.#bytes = Buffer.allocUnsafeSlow(sizeAtFirst)
    this.#at = 0
    this.#end = 0
    this.#from = 0
    this.#count = 0
    this.#replies = []
    this.#isUnderWay = true
    if (this.#begun.length > 0) {
      this.#add(this.#begun)
      this.#begun = nothing
    }
  }

  /**
   * Bytes from the server. `others` gets those messages that are not of a flight. False: what came is no message, and
   * nothing behind it can be understood.
   */
  take(chunk: Buffer, others: (bytes: Buffer) => void): boolean {
    if (!this.#isUnderWay) return this.#takeIdle(chunk, others)
    this.#add(chunk)
    while (this.#end - this.#at >= headerBytes) {
      const start = this.#at
      const next = start + 1 + this.#bytes.readInt32BE(start + 1)
      if (next > this.#end) return true
      if (next < start + headerBytes) return false
      this.#at = next
      const type = this.#bytes[start]
      if (type === code.dataRow) this.#count += 1
      else if (type === code.commandComplete) this.#complete(start, next)
      else if (type === code.ready) {
        this.#isUnderWay = false
        // The end first: it ends the flight. What comes behind it is of none.
        return this.#takeIdle(Buffer.from(this.#bytes.subarray(start, this.#end)), others)
      } else if (type !== code.parseComplete && type !== code.bindComplete && type !== code.closeComplete) {
        others(this.#bytes.subarray(start, next))
      }
    }
    return true
  }

  #takeIdle(chunk: Buffer, others: (bytes: Buffer) => void): boolean {
    const bytes = this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk])
    let at = 0
    while (bytes.length - at >= headerBytes) {
      const next = at + 1 + bytes.readInt32BE(at + 1)
      if (next > bytes.length) break
      if (next < at + headerBytes) return false
      at = next
    }
    // First, because the end of one flight may begin the next.
    this.#begun = at === bytes.length ? nothing : bytes.subarray(at)
    if (at > 0) others(bytes.subarray(0, at))
    return true
  }

  /** Of the statements that were completed. */
  replies(): Reply[] {
    const bytes = this.#bytes
    return this.#replies.map(({ from, count, command }) => ({ rows: new WireRows(bytes, from, count), command }))
  }

  #complete(start: number, next: number): void {
    const tag = this.#bytes.toString('latin1', start + headerBytes, next - 1)
    const space = tag.indexOf(' ')
    this.#replies.push({ from: this.#from, count: this.#count, command: space < 0 ? tag : tag.slice(0, space) })
    this.#from = next
    this.#count = 0
  }

  #add(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(2 * (this.#end + chunk.length))
      this.#bytes.copy(grown, 0, 0, this.#end)
      this.#bytes = grown
    }
    chunk.copy(this.#bytes, this.#end)
    this.#end += chunk.length
  }
}
