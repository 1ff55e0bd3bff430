import { type Micros, microsPerSecond } from '../core/ids.ts'
import { placesPerBlock, type RowReader } from './rows.ts'

/** Seconds from 1970 to 2000, where PostgreSQL counts from. */
export const postgresEpoch = 946_684_800 * microsPerSecond

const nullLength = -1
const wordSize = 4_294_967_296
/** Type, length and the number of columns. */
const rowHeaderBytes = 7
/** Dimensions, flags, element type, length, lower bound: four bytes each. */
const arrayHeaderBytes = 20
const dataRow = 68

/**
 * The rows of one statement in the binary format (PostgreSQL manual, "Message Formats", DataRow), where they lie in the
 * buffer of the flight: they can be read until the next flight is written.
 */
export class WireRows {
  readonly count: number
  readonly #bytes: Buffer
  readonly #from: number

  /** `from`: the first of them, behind which there may be other messages in between. */
  constructor(bytes: Buffer, from: number, count: number) {
    this.#bytes = bytes
    this.#from = from
    this.count = count
  }

  each(read: (row: RowReader) => void): void {
    if (this.count === 0) return
    const row = new WireRow(this.#bytes)
    const view = viewOf(this.#bytes)
    let at = this.#from
    for (let seen = 0; seen < this.count; ) {
      if (this.#bytes[at] === dataRow) {
        seen += 1
        row.at = at + rowHeaderBytes
        read(row)
      }
      at += 1 + view.getInt32(at + 1)
    }
  }

  map<Value>(read: (row: RowReader) => Value): Value[] {
    const values: Value[] = []
    this.each(row => values.push(read(row)))
    return values
  }
}

/** A cursor: a column is its length in bytes (-1: NULL) and the bytes, and so is an element of an array. */
class WireRow implements RowReader {
  /** Of the next column. */
  at = 0
  readonly #bytes: Buffer
  readonly #view: DataView

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
  }

  isNull(): boolean {
    return this.#view.getInt32(this.at) === nullLength
  }

  number(): number {
    const value = this.numberOrNull()
    if (value === null) throw new RangeError('a column is NULL')
    return value
  }

  numberOrNull(): number | null {
    const view = this.#view
    const length = view.getInt32(this.at)
    const from = this.at + 4
    if (length === nullLength) {
      this.at = from
      return null
    }
    this.at = from + length
    if (length === 8) return this.#safeInteger(from)
    if (length === 4) return view.getInt32(from)
    if (length === 2) return view.getInt16(from)
    throw new RangeError('a column is no integer')
  }

  money(): bigint {
    return this.moneyOrNull() ?? 0n
  }

  moneyOrNull(): bigint | null {
    const from = this.#begin(8)
    return from === null ? null : this.#view.getBigInt64(from)
  }

  uuid(): string {
    return this.hex()
  }

  hex(): string {
    const length = this.#view.getInt32(this.at)
    if (length === nullLength) throw new RangeError('a column is NULL')
    const from = this.at + 4
    this.at = from + length
    return this.#bytes.toString('hex', from, this.at)
  }

  text(): string | null {
    const length = this.#view.getInt32(this.at)
    const from = this.at + 4
    if (length === nullLength) {
      this.at = from
      return null
    }
    this.at = from + length
    return this.#bytes.toString('utf8', from, this.at)
  }

  time(): Micros {
    const micros = this.timeOrNull()
    if (micros === null) throw new RangeError('a column is NULL')
    return micros
  }

  timeOrNull(): Micros | null {
    const from = this.#begin(8)
    return from === null ? null : this.#int64(from) + postgresEpoch
  }

  place(): number {
    const from = this.#begin(6)
    if (from === null) throw new RangeError('a column is NULL')
    return this.#view.getUint32(from) * placesPerBlock + this.#view.getUint16(from + 4)
  }

  list(): number {
    const length = this.#view.getInt32(this.at)
    const from = this.at + 4
    // An empty array has no dimensions, and ends before their length.
    const isEmpty = length === nullLength || this.#view.getInt32(from) === 0
    this.at = isEmpty ? from + Math.max(length, 0) : from + arrayHeaderBytes
    return isEmpty ? 0 : this.#view.getInt32(from + 12)
  }

  /** Where a value of that many bytes begins; null for NULL. */
  #begin(expected: number): number | null {
    const length = this.#view.getInt32(this.at)
    const from = this.at + 4
    if (length === nullLength) {
      this.at = from
      return null
    }
    if (length !== expected) throw new RangeError(`a column has ${length} bytes instead of ${expected}`)
    this.at = from + length
    return from
  }

  #safeInteger(from: number): number {
    const value = this.#int64(from)
    if (!Number.isSafeInteger(value)) throw new RangeError('a number is no safe integer')
    return value
  }

  /** Rounded beyond 2^53. */
  #int64(from: number): number {
    return this.#view.getInt32(from) * wordSize + this.#view.getUint32(from + 4)
  }
}

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length)
