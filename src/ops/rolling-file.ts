import { createWriteStream, existsSync, renameSync, statSync, type WriteStream } from 'node:fs'

/** What may wait to be written: beyond it lines are left out, so that a slow disk costs no memory. */
const waitingBytesMax = 1_048_576

/**
 * Lines in a file that only its owner can read, and in one before it (`.1`), in all at most `bytesMax`. What cannot be
 * written is left out: nothing waits for it. `onError` gets what is wrong with the file; after that nothing is written.
 */
export class RollingFile {
  readonly #path: string
  readonly #rollAt: number
  readonly #onError: (error: Error) => void
  #stream: WriteStream
  #bytes: number
  #isBroken = false

  constructor(path: string, bytesMax: number, onError: (error: Error) => void) {
    this.#path = path
    this.#rollAt = Math.floor(bytesMax / 2)
    this.#onError = onError
    this.#bytes = existsSync(path) ? statSync(path).size : 0
    this.#stream = this.#open()
  }

  write(line: string): void {
    if (this.#isBroken || this.#stream.writableLength > waitingBytesMax) return
    const bytes = Buffer.from(`${line}\n`)
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#rollAt) this.#roll()
    this.#bytes += bytes.length
    this.#stream.write(bytes)
  }

  /** Resolves when everything is written. */
  close(): Promise<void> {
    return new Promise(resolve => this.#stream.end(() => resolve()))
  }

  #open(): WriteStream {
    const stream = createWriteStream(this.#path, { flags: 'a', mode: 0o600 })
    stream.on('error', error => {
      this.#isBroken = true
      this.#onError(error)
    })
    return stream
  }

  /** The old stream keeps writing to the file that it has opened, under its new name. */
  #roll(): void {
    try {
      if (existsSync(this.#path)) renameSync(this.#path, `${this.#path}.1`)
    } catch (error) {
      this.#isBroken = true
      this.#onError(error as Error)
      return
    }
    this.#stream.end()
    this.#bytes = 0
    this.#stream = this.#open()
  }
}

/** Rolling files by name, each as a `RollingFile`. */
export class RollingFiles {
  readonly #files: ReadonlyMap<string, RollingFile>

  constructor(
    files: readonly { readonly name: string; readonly path: string; readonly bytesMax: number }[],
    onError: (name: string, error: Error) => void,
  ) {
    this.#files = new Map(
      files.map(({ name, path, bytesMax }) => [name, new RollingFile(path, bytesMax, error => onError(name, error))]),
    )
  }

  write(name: string, line: string): void {
    this.#files.get(name)?.write(line)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map(file => file.close()))
  }
}
