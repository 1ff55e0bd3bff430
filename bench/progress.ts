const plainEveryMs = 5_000

/** What is going on, on standard error: one line that is written over on a terminal, else a line now and then. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #startedAt = performance.now()
  #step = ''
  #lastPlainAt = 0
  #expectedSeconds = 0

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream
  }

  /** How long all of it will take, about. */
  expect(seconds: number): void {
    this.#expectedSeconds = seconds
  }

  step(name: string): void {
    this.#step = name
    this.#lastPlainAt = performance.now()
    if (this.#stream.isTTY) this.#overwrite(name)
    else this.#stream.write(`${this.#clock()} ${name}\n`)
  }

  detail(text: string): void {
    if (this.#stream.isTTY) this.#overwrite(`${this.#step}: ${text}`)
    else if (performance.now() - this.#lastPlainAt >= plainEveryMs) {
      this.#lastPlainAt = performance.now()
      this.#stream.write(`${this.#clock()} ${this.#step}: ${text}\n`)
    }
  }

  /** A line that stays. */
  note(text: string): void {
    this.clear()
    this.#stream.write(`${text}\n`)
  }

  clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K')
  }

  #overwrite(text: string): void {
    const width = (this.#stream.columns ?? 80) - 1
    this.#stream.write(`\r\x1b[K${`${this.#clock()} ${text}`.slice(0, width)}`)
  }

  #clock(): string {
    const seconds = String(Math.round((performance.now() - this.#startedAt) / 1000)).padStart(4)
    return this.#expectedSeconds === 0 ? `${seconds} s` : `${seconds} of about ${Math.round(this.#expectedSeconds)} s`
  }
}
