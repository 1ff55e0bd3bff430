import { luhnDigit } from '../core/card-numbers.ts'
import type { CardSet } from './spec.ts'

export const panDigits = 16

/** The card numbers of a load, written where they are needed: a table of five million would be memory for nothing. */
export class Cards {
  readonly count: number
  /** The digits before the serial, or all numbers one behind the other. */
  readonly #text: Buffer
  readonly #first: number | null

  /** Throws where a number has not 16 digits. */
  constructor(set: CardSet) {
    if (set.kind === 'range') {
      this.count = set.count
      this.#first = set.first
      this.#text = Buffer.from(set.bin, 'latin1')
    } else {
      if (set.pans.some(pan => !/^\d{16}$/.test(pan))) throw new Error('a card number has 16 digits')
      this.count = set.pans.length
      this.#first = null
      this.#text = Buffer.from(set.pans.join(''), 'latin1')
    }
  }

  /** Writes 16 digits of card number `index`, from 0. */
  write(bytes: Buffer, at: number, index: number): void {
    if (this.#first === null) {
      this.#text.copy(bytes, at, index * panDigits, (index + 1) * panDigits)
      return
    }
    this.#text.copy(bytes, at)
    const serialAt = at + this.#text.length
    writeDigits(bytes, serialAt, panDigits - 1 - this.#text.length, this.#first + index)
    bytes[at + panDigits - 1] = luhnDigit(bytes.toString('latin1', at, at + panDigits - 1)).charCodeAt(0)
  }
}

/** So many ASCII digits of a whole number, zeros in front. */
export function writeDigits(bytes: Buffer, at: number, digits: number, value: number): void {
  let rest = value
  for (let index = at + digits - 1; index >= at; index--) {
    const tenth = Math.floor(rest / 10)
    bytes[index] = 48 + rest - tenth * 10
    rest = tenth
  }
}
