/** Up to here a buffer is not worth a question. */
const keptBytes = 1_048_576
const partNeeded = 1 / 8
const smallUses = 256

/**
 * Tells when a buffer that is used again and again is much larger than its uses need: after 256 small ones in a row,
 * because large answers and small ones take turns in a batch, and to grow costs more than to keep.
 */
export class Surplus {
  #smallInARow = 0

  /** Asked before each use: the size of the buffer, and what the last use needed of it. */
  isTooLarge(size: number, needed: number): boolean {
    if (size <= keptBytes) return false
    this.#smallInARow = needed < size * partNeeded ? this.#smallInARow + 1 : 0
    if (this.#smallInARow < smallUses) return false
    this.#smallInARow = 0
    return true
  }
}
