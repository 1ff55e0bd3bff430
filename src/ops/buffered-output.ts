import { write, writeSync } from 'node:fs'

/** What pino writes to, and what it calls in `log.flush()`. */
export interface BufferedOutput {
  write(line: string): void
  flush(): void
}

const pieceBytes = 65_536
const flushEveryMs = 500
const busyPauseMs = 100
const utf8BytesOfCharacter = 3

interface Piece {
  readonly bytes: Buffer
  end: number
}

/** Standard output, written in large pieces: when there are 64 kB, twice a second, and on exit. */
export function bufferedOutput(): BufferedOutput {
  const output = new PieceWriter(1)
  setInterval(() => output.flush(), flushEveryMs).unref()
  process.on('exit', () => output.flushSync())
  return output
}

/**
 * Lines become bytes at once, in pieces that are used again, and a piece at a time is written behind the back of the
 * program: gathered as texts they would be copied five times. What cannot be written is left out.
 */
class PieceWriter implements BufferedOutput {
  readonly #file: number
  #filling: Piece = newPiece(pieceBytes)
  readonly #waiting: Piece[] = []
  #spare: Piece | undefined
  #isWriting = false

  constructor(file: number) {
    this.#file = file
  }

  write(line: string): void {
    const bytesMax = line.length * utf8BytesOfCharacter
    if (this.#filling.end + bytesMax > this.#filling.bytes.length) this.#next(bytesMax)
    const piece = this.#filling
    piece.end += piece.bytes.write(line, piece.end)
  }

  flush(): void {
    if (this.#filling.end > 0) this.#next(0)
  }

  /** Waits for what is written here, and not for the one piece that is being written. */
  flushSync(): void {
    this.#waiting.push(this.#filling)
    for (const { bytes, end } of this.#waiting.splice(0)) writeAll(this.#file, bytes.subarray(0, end))
    this.#filling = newPiece(pieceBytes)
  }

  #next(bytesMin: number): void {
    this.#waiting.push(this.#filling)
    this.#filling = bytesMin > pieceBytes ? newPiece(bytesMin) : (this.#spare ?? newPiece(pieceBytes))
    if (this.#filling === this.#spare) this.#spare = undefined
    this.#writeNext()
  }

  #writeNext(): void {
    if (this.#isWriting) return
    const piece = this.#waiting.shift()
    if (piece === undefined) return
    this.#isWriting = true
    this.#write(piece, 0)
  }

  #write(piece: Piece, from: number): void {
    write(this.#file, piece.bytes, from, piece.end - from, null, (error, written) => {
      if (isBusy(error)) setTimeout(() => this.#write(piece, from), busyPauseMs)
      else if (error === null && from + written < piece.end) this.#write(piece, from + written)
      else {
        piece.end = 0
        if (piece.bytes.length === pieceBytes) this.#spare = piece
        this.#isWriting = false
        this.#writeNext()
      }
    })
  }
}

const newPiece = (bytes: number): Piece => ({ bytes: Buffer.allocUnsafeSlow(bytes), end: 0 })

/** A pipe whose reader is slow, where the pipe does not wait. */
const isBusy = (error: NodeJS.ErrnoException | null): boolean => error?.code === 'EAGAIN' || error?.code === 'EBUSY'

function writeAll(file: number, bytes: Buffer): void {
  for (let from = 0; from < bytes.length; ) {
    try {
      from += writeSync(file, bytes, from)
    } catch (error) {
      if (!isBusy(error as NodeJS.ErrnoException)) return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, busyPauseMs)
    }
  }
}
