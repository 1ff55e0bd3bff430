/** How much the last batch counts against those before it. */
const lastPart = 1 / 8

/**
 * How fast the new commands of a lane go into batches while more of them wait than a batch takes. While all that wait
 * are taken, nothing is known of how fast it could go, and nobody waits for more than a batch. Times in seconds.
 */
export class Pace {
  #takenAt = 0
  #taken = 0
  #secondsEach = 0

  /** A batch is made up: it takes so many new commands, and so many are left. */
  note(now: number, taken: number, left: number): void {
    // The time of a batch without new commands is part of what those who are left wait.
    if (taken === 0 && left > 0) return
    if (this.#taken > 0) {
      const last = (now - this.#takenAt) / this.#taken
      this.#secondsEach = this.#secondsEach === 0 ? last : this.#secondsEach + (last - this.#secondsEach) * lastPart
    }
    if (left === 0) this.reset()
    else {
      this.#taken = taken
      this.#takenAt = now
    }
  }

  /** Forgets what was measured: nobody is left who waits. */
  reset(): void {
    this.#taken = 0
    this.#secondsEach = 0
  }

  /** How long the last of so many that wait will wait, in milliseconds; 0 while that is not known. */
  waitMs(waiting: number): number {
    return waiting * this.#secondsEach * 1000
  }
}
