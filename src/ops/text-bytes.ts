import { Surplus } from './surplus.ts'

const sizeAtFirst = 2_048
const utf8BytesOfCharacter = 3
const zero = 0x30
const minus = 0x2d
const quote = 0x22
const backslash = 0x5c
const digitsMax = 20
const billion = 1_000_000_000
const digitsOfBillion = 9
const wordSize = 2 ** 32
/** The high word of 2^53: beyond it a number is not exact. */
const highMax = 2 ** 21

/** A part of a text that never changes, as bytes. */
export const fixed = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))

/**
 * A text that is written as bytes, into the same place again and again. Joined out of sixty texts it would take three
 * times as long, and five times its own size in memory.
 */
export class TextBytes {
  #bytes = Buffer.allocUnsafeSlow(sizeAtFirst)
  #end = 0
  #isAscii = true
  readonly #surplus = new Surplus()

  /** Those up to `length`. Another text is written over them. */
  get bytes(): Buffer {
    return this.#bytes
  }

  get length(): number {
    return this.#end
  }

  begin(): void {
    if (this.#surplus.isTooLarge(this.#bytes.length, this.#end)) this.#bytes = Buffer.allocUnsafeSlow(sizeAtFirst)
    this.#end = 0
    this.#isAscii = true
  }

  fixed(part: Uint8Array): void {
    this.#reserve(part.length)
    this.#bytes.set(part, this.#end)
    this.#end += part.length
  }

  /** As it is: nothing but ASCII. */
  ascii(text: string): void {
    this.#reserve(text.length)
    const bytes = this.#bytes
    let end = this.#end
    for (let at = 0; at < text.length; at++) bytes[end++] = text.charCodeAt(at)
    this.#end = end
  }

  /** Any text as JSON has it, in quotes. */
  quoted(text: string | null): void {
    if (text === null) {
      this.fixed(nothing)
      return
    }
    this.#reserve(text.length + 2)
    const bytes = this.#bytes
    let end = this.#end
    bytes[end++] = quote
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code < 0x20 || code > 0x7e || code === quote || code === backslash) {
        this.utf8(JSON.stringify(text))
        return
      }
      bytes[end++] = code
    }
    bytes[end++] = quote
    this.#end = end
  }

  /** As it is: any text. */
  utf8(text: string): void {
    this.#reserve(text.length * utf8BytesOfCharacter)
    this.#end += this.#bytes.write(text, this.#end)
    this.#isAscii = false
  }

  /** A whole number, up to 2^53 - 1 in size. */
  integer(value: number): void {
    this.#reserve(digitsMax)
    let rest = value
    if (rest < 0) {
      this.#bytes[this.#end++] = minus
      rest = -rest
    }
    if (rest < billion) {
      this.#digits(rest | 0, 1)
      return
    }
    // Division of whole numbers is quick only up to 2^31.
    const high = Math.floor(rest / billion)
    this.#digits(high | 0, 1)
    this.#digits((rest - high * billion) | 0, digitsOfBillion)
  }

  bigint(value: bigint): void {
    word64[0] = value
    const high = words[1] as number
    if (high < highMax && high >= -highMax && BigInt.asIntN(64, value) === value) {
      this.integer(high * wordSize + ((words[0] as number) >>> 0))
    } else this.ascii(`${value}`)
  }

  toString(): string {
    return this.#bytes.toString(this.#isAscii ? 'latin1' : 'utf8', 0, this.#end)
  }

  #reserve(length: number): void {
    const needed = this.#end + length
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(2 * needed)
    this.#bytes.copy(larger, 0, 0, this.#end)
    this.#bytes = larger
  }

  /** Up to ten digits, with zeros in front if they are fewer than `least`. */
  #digits(value: number, least: number): void {
    let digits = least
    for (let limit = 10 ** least; limit <= value; limit *= 10) digits++
    const bytes = this.#bytes
    const end = this.#end + digits
    let rest = value
    for (let at = end - 1; at >= this.#end; at--) {
      const tenth = (rest / 10) | 0
      bytes[at] = zero + rest - tenth * 10
      rest = tenth
    }
    this.#end = end
  }
}

const nothing = fixed('null')
const word64 = new BigInt64Array(1)
const words = new Int32Array(word64.buffer)
