const sizeAtFirst = 2_048
const utf8BytesOfCharacter = 3
const zero = 0x30
const quote = 0x22
const backslash = 0x5c
const digitsMax = 20

/** A part of a text that never changes, as bytes. */
export const fixed = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))

/**
 * A JSON text that is written as bytes, into the same place again and again. Joined out of sixty texts it would take
 * three times as long, and five times its own size in memory.
 */
export class JsonBytes {
  #bytes = Buffer.allocUnsafeSlow(sizeAtFirst)
  #end = 0
  #isAscii = true

  /** Those up to `length`. Another text is written over them. */
  get bytes(): Buffer {
    return this.#bytes
  }

  get length(): number {
    return this.#end
  }

  begin(): void {
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

  /** Any text, in quotes. */
  text(text: string | null): void {
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
        this.json(JSON.stringify(text))
        return
      }
      bytes[end++] = code
    }
    bytes[end++] = quote
    this.#end = end
  }

  /** As it is: any JSON. */
  json(text: string): void {
    this.#reserve(text.length * utf8BytesOfCharacter)
    this.#end += this.#bytes.write(text, this.#end)
    this.#isAscii = false
  }

  /** A whole number, up to 2^53 - 1 in size. */
  integer(value: number): void {
    this.#reserve(digitsMax)
    const bytes = this.#bytes
    let rest = value
    if (rest < 0) {
      bytes[this.#end++] = 0x2d
      rest = -rest
    }
    let digits = 1
    for (let limit = 10; limit <= rest; limit *= 10) digits++
    const end = this.#end + digits
    // Division of whole numbers is quick only up to 2^31.
    let at = end
    for (; rest > 0x7fffffff; rest = Math.floor(rest / 10)) bytes[--at] = zero + (rest % 10)
    let small = rest | 0
    for (; at > this.#end; small = (small / 10) | 0) bytes[--at] = zero + (small % 10)
    this.#end = end
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
}

const nothing = fixed('null')
