import type { Micros } from '../core/ids.ts'
import { integersOf } from './sql.ts'

/**
 * Reads the columns of one row, each call the next one, in the order of the SELECT. What may be NULL says so; money
 * that is NULL is zero. Throws a RangeError for a number beyond 2^53 that is no money.
 */
export interface RowReader {
  /** Whether the next column is NULL, which is not read yet. */
  isNull(): boolean
  /** A smallint, an integer, or a bigint that is an id or a count. */
  number(): number
  numberOrNull(): number | null
  money(): bigint
  moneyOrNull(): bigint | null
  /** 32 hexadecimal digits. */
  uuid(): string
  /** A bytea, as hexadecimal digits. */
  hex(): string
  text(): string | null
  /** A timestamptz: to the microsecond until the year 2255, beyond it nearly. */
  time(): Micros
  timeOrNull(): Micros | null
  /** Where a row is (its `ctid`), as one number: block * 65,536 + place in it. */
  place(): number
  /** Begins an array: tells how many elements it has, each of which is then read as a column is. NULL is empty. */
  list(): number
}

/** A row that came as text, from a connection of node-postgres. */
export class TextReader implements RowReader {
  #values: readonly (string | null)[]
  #next = 0

  constructor(values: readonly (string | null)[]) {
    this.#values = values
  }

  isNull(): boolean {
    return (this.#values[this.#next] ?? null) === null
  }

  number(): number {
    return integerOf(this.#digits())
  }

  numberOrNull(): number | null {
    const digits = this.text()
    return digits === null ? null : integerOf(digits)
  }

  money(): bigint {
    return this.moneyOrNull() ?? 0n
  }

  moneyOrNull(): bigint | null {
    const digits = this.text()
    return digits === null ? null : BigInt(digits)
  }

  uuid(): string {
    return this.#digits().replaceAll('-', '')
  }

  hex(): string {
    return this.#digits().slice('\\x'.length)
  }

  text(): string | null {
    return this.#values[this.#next++] ?? null
  }

  time(): Micros {
    return microsOfText(this.#digits())
  }

  timeOrNull(): Micros | null {
    const text = this.text()
    return text === null ? null : microsOfText(text)
  }

  place(): number {
    const [block = '', offset = ''] = this.#digits().slice(1, -1).split(',')
    return integerOf(block) * placesPerBlock + integerOf(offset)
  }

  list(): number {
    const elements = integersOf(this.text())
    this.#values = [...elements, ...this.#values.slice(this.#next)]
    this.#next = 0
    return elements.length
  }

  #digits(): string {
    const text = this.text()
    if (text === null) throw new RangeError('a column is NULL')
    return text
  }
}

export const placesPerBlock = 65_536

function integerOf(digits: string): number {
  const value = Number.parseInt(digits, 10)
  if (!Number.isSafeInteger(value)) throw new RangeError('a number is no safe integer')
  return value
}

/** `2026-11-22 08:27:21.123456+00`, as DateStyle ISO has it. */
function microsOfText(text: string): Micros {
  const found = /^(\d{4,6})(-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?([+-]\d\d)(:\d\d)?$/.exec(text)
  if (found === null) throw new RangeError('a time is not in the ISO style')
  const [, year = '', day, time, fraction = '', hours, minutes = ':00'] = found
  // ECMAScript wants a sign and six digits beyond the year 9999.
  const expanded = year.length === 4 ? year : `+${year.padStart(6, '0')}`
  return Date.parse(`${expanded}${day}T${time}${hours}${minutes}`) * 1_000 + integerOf(fraction.padEnd(6, '0'))
}
