/** Five words of 32 bits. */
export type Name = Uint32Array

const nameWords = 5

export const newName = (): Name => new Uint32Array(nameWords)

/**
 * Names and two numbers for each, in arrays of numbers with open addressing. Names are compared whole: no two are ever
 * taken for each other.
 */
export class ExactTable {
  readonly #names: Uint32Array
  readonly #firsts: Float64Array
  readonly #seconds: Float64Array
  /** Place + 1 of the name that is here; 0: none. At most half of them are taken. */
  readonly #slots: Int32Array
  #size = 0

  constructor(max: number) {
    this.#names = new Uint32Array(max * nameWords)
    this.#firsts = new Float64Array(max)
    this.#seconds = new Float64Array(max)
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * max)))
  }

  get size(): number {
    return this.#size
  }

  /** Its place; -1 where it is not there. */
  find(name: Name): number {
    return this.#slots[this.#slotOf(name)]! - 1
  }

  firstOf(place: number): number {
    return this.#firsts[place]!
  }

  secondOf(place: number): number {
    return this.#seconds[place]!
  }

  /** A new name needs room: `size` below the maximum. */
  set(name: Name, first: number, second: number): void {
    const slot = this.#slotOf(name)
    let place = this.#slots[slot]! - 1
    if (place < 0) {
      place = this.#size++
      this.#slots[slot] = place + 1
      this.#names.set(name, place * nameWords)
    }
    this.#firsts[place] = first
    this.#seconds[place] = second
  }

  clear(): void {
    this.#slots.fill(0)
    this.#size = 0
  }

  /** Where it is, or would be. */
  #slotOf(name: Name): number {
    const last = this.#slots.length - 1
    let slot = hashOf(name) & last
    while (this.#slots[slot] !== 0 && !this.#isAt((this.#slots[slot]! - 1) * nameWords, name)) slot = (slot + 1) & last
    return slot
  }

  #isAt(from: number, name: Name): boolean {
    for (let word = 0; word < nameWords; word++) if (this.#names[from + word] !== name[word]) return false
    return true
  }
}

/** MurmurHash3, 32 bits: keys differ in a few digits only, and these must reach every bit. */
function hashOf(name: Name): number {
  let hash = 0
  for (let at = 0; at < nameWords; at++) {
    const word = Math.imul(name[at]!, 0xcc9e2d51)
    hash ^= Math.imul((word << 15) | (word >>> 17), 0x1b873593)
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
