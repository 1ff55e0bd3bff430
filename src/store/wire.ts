import { Surplus } from '../ops/surplus.ts'
import { placesPerBlock } from './rows.ts'
import { type Column, type ElementType, isColumn, type Statement, type Value } from './sql.ts'
import { postgresEpoch } from './wire-rows.ts'

/** Their object ids (PostgreSQL, pg_type.dat). */
const oids: Readonly<Record<ElementType, number>> = {
  bigint: 20,
  integer: 23,
  smallint: 21,
  uuid: 2950,
  text: 25,
  bytea: 17,
  timestamptz: 1184,
  tid: 27,
}

const code = { bind: 66, close: 67, execute: 69, parse: 80, sync: 83, statement: 83 }
const sizeAtFirst = 65_536
const textFormat = 0
const binaryFormat = 1
/** Dimensions, flags, element type, length, lower bound: four bytes each. */
const arrayHeaderBytes = 20
const nullLength = -1
const wordSize = 4_294_967_296

/**
 * Writes messages of the extended query protocol into one buffer, which it uses again and again (PostgreSQL manual,
 * "Message Formats"). Columns go in the binary format of arrays: to make and to read a number as text costs each side
 * several times as much. Rows are asked for in the binary format too, see `WireRows`; single values go as text. Throws
 * a RangeError for a value that its type cannot hold.
 */
export class MessageWriter {
  #bytes = Buffer.allocUnsafeSlow(sizeAtFirst)
  #view = new DataView(this.#bytes.buffer)
  #at = 0
  readonly #surplus = new Surplus()

  /** Begins anew. What was written before is overwritten: the server must have read it. */
  reset(): void {
    if (this.#surplus.isTooLarge(this.#bytes.length, this.#at)) this.#use(Buffer.allocUnsafeSlow(sizeAtFirst))
    this.#at = 0
  }

  /** Everything since `reset`. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  /** Forgets a prepared statement: no error where there is none. */
  close({ name }: Statement): void {
    const start = this.#open(code.close)
    this.#byte(code.statement)
    this.#name(name)
    this.#end(start)
  }

  parse({ name, text }: Statement): void {
    const start = this.#open(code.parse)
    this.#name(name)
    this.#name(text)
    this.#int16(0)
    this.#end(start)
  }

  /** Binds a prepared statement to its values, and executes it. */
  execute({ name, values }: Statement): void {
    const bind = this.#open(code.bind)
    this.#byte(0)
    this.#name(name)
    this.#int16(values.length)
    for (const value of values) this.#int16(isColumn(value) ? binaryFormat : textFormat)
    this.#int16(values.length)
    for (const value of values) this.#value(value)
    this.#int16(1)
    this.#int16(binaryFormat)
    this.#end(bind)
    const execute = this.#open(code.execute)
    this.#byte(0)
    this.#int32(0)
    this.#end(execute)
  }

  sync(): void {
    this.#end(this.#open(code.sync))
  }

  #value(value: Value): void {
    if (value === null) this.#int32(nullLength)
    else if (!isColumn(value)) this.#text(String(value))
    else {
      const start = this.#at
      this.#int32(0)
      this.#column(value)
      this.#view.setInt32(start, this.#at - start - 4)
    }
  }

  #column({ type, values }: Column): void {
    this.#room(arrayHeaderBytes)
    const header = this.#at
    this.#int32(1)
    this.#int32(0)
    this.#int32(oids[type])
    this.#int32(values.length)
    this.#int32(1)
    let nulls = 0
    // By index: of arrays of many sorts an iterator makes an object for each value.
    for (let index = 0; index < values.length; index++) {
      const value = values[index] as NonNullable<(typeof values)[number]> | null
      if (value === null) {
        nulls += 1
        this.#int32(nullLength)
      } else this.#element(type, value)
    }
    if (nulls > 0) this.#view.setInt32(header + 4, 1)
  }

  #element(type: ElementType, value: number | bigint | string): void {
    if (type === 'bigint') this.#bigint(value as number | bigint)
    else if (type === 'timestamptz') this.#bigint((value as number) - postgresEpoch)
    else if (type === 'text') this.#text(value as string)
    else if (type === 'uuid') this.#uuid(value as string)
    else if (type === 'bytea') this.#bytea(value as string)
    else if (type === 'tid') this.#place(value as number)
    else if (type === 'smallint') {
      if (((value as number) << 16) >> 16 !== value) throw new RangeError('a value is no smallint')
      this.#int32(2)
      this.#int16(value)
    } else {
      if (((value as number) | 0) !== value) throw new RangeError('a value is no integer')
      this.#int32(4)
      this.#int32(value)
    }
  }

  #uuid(digits: string): void {
    if (digits.length !== 32) throw new RangeError('a value is no uuid')
    this.#bytea(digits)
  }

  /** From hexadecimal digits. */
  #bytea(digits: string): void {
    const bytes = digits.length / 2
    this.#int32(bytes)
    this.#room(bytes)
    if (this.#bytes.write(digits, this.#at, 'hex') !== bytes) throw new RangeError('a value is not hexadecimal')
    this.#at += bytes
  }

  #place(place: number): void {
    this.#int32(6)
    this.#room(6)
    this.#view.setUint32(this.#at, Math.floor(place / placesPerBlock))
    this.#view.setUint16(this.#at + 4, place % placesPerBlock)
    this.#at += 6
  }

  #bigint(value: number | bigint): void {
    this.#room(12)
    this.#view.setInt32(this.#at, 8)
    if (typeof value === 'bigint') {
      if (BigInt.asIntN(64, value) !== value) throw new RangeError('a value is no bigint')
      this.#view.setBigInt64(this.#at + 4, value)
    } else {
      if (!Number.isInteger(value)) throw new RangeError('a value is no integer')
      const high = Math.floor(value / wordSize)
      if ((high | 0) !== high) throw new RangeError('a value is no bigint')
      this.#view.setInt32(this.#at + 4, high)
      this.#view.setUint32(this.#at + 8, value - high * wordSize)
    }
    this.#at += 12
  }

  /** Length and bytes. */
  #text(value: string): void {
    this.#room(4 + value.length * 3)
    const bytes = this.#bytes.write(value, this.#at + 4)
    this.#view.setInt32(this.#at, bytes)
    this.#at += 4 + bytes
  }

  /** Bytes up to a zero. */
  #name(value: string): void {
    this.#room(value.length * 3 + 1)
    this.#at += this.#bytes.write(value, this.#at)
    this.#byte(0)
  }

  #byte(value: number): void {
    this.#room(1)
    this.#view.setUint8(this.#at, value)
    this.#at += 1
  }

  #int16(value: number): void {
    this.#room(2)
    this.#view.setInt16(this.#at, value)
    this.#at += 2
  }

  #int32(value: number): void {
    this.#room(4)
    this.#view.setInt32(this.#at, value)
    this.#at += 4
  }

  /** Begins a message; `#end` puts its length in. */
  #open(type: number): number {
    this.#byte(type)
    const start = this.#at
    this.#int32(0)
    return start
  }

  #end(start: number): void {
    this.#view.setInt32(start, this.#at - start)
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(2 * (this.#at + bytes))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#use(grown)
  }

  #use(bytes: Buffer<ArrayBuffer>): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}
