import { constants, fstatSync, openSync, write, writeSync } from 'node:fs'

/** What pino writes to, and what it calls in `log.flush()`. */
export interface BufferedOutput {
  write(line: string): void
  /** The same of a line in UTF-8: the first `length` bytes, which are copied. */
  writeBytes(bytes: Buffer, length: number): void
  flush(): void
  /** Resolves when everything is written, and after two seconds in any case. */
  drain(): Promise<void>
  /** Since the start: they found no room, or could not be written. */
  readonly linesLeftOut: number
}

/** The system calls behind it, and time: from `from` up to `end`. */
export interface OutputFile {
  /** May call `then` before it returns. */
  write(bytes: Buffer, from: number, end: number, then: Written): void
  writeSync(bytes: Buffer, from: number, end: number): number
  after(ms: number, then: () => void): void
  waitSync(ms: number): void
}

type Written = (error: NodeJS.ErrnoException | null, bytes: number) => void

const pieceBytes = 65_536
/** With those of 64 kB it is 16 MB that a reader who does not read can cost. */
export const waitingPiecesMax = 256
const flushEveryMs = 500
const pauseMsMin = 1
const pauseMsMax = 100
const drainMsMax = 2_000
const stalledMsMax = 2_000
const utf8BytesOfCharacter = 3
const newline = 0x0a

interface Piece {
  /** The first is a newline, which is written only behind a line that was cut. */
  readonly bytes: Buffer
  end: number
  /** How many lines it says were left out. */
  readonly told: number
}

interface Progress {
  readonly piece: Piece
  readonly begin: number
  from: number
  isPaused: boolean
}

/** Standard output, written in large pieces: when there are 64 kB, twice a second, and on exit. */
export function bufferedOutput(): BufferedOutput {
  const output = new PieceWriter(standardOutput(), leftOutLine)
  setInterval(() => output.flush(), flushEveryMs).unref()
  process.on('exit', () => output.flushSync())
  return output
}

/**
 * Lines become bytes at once, in pieces that are used again, and a piece at a time is written behind the back of the
 * program: gathered as texts they would be copied five times. What cannot be written, or finds too much waiting, is
 * left out, and a line says how many were.
 */
export class PieceWriter implements BufferedOutput {
  readonly #file: OutputFile
  readonly #leftOutLine: (lines: number) => string
  #filling: Piece = newPiece(pieceBytes)
  readonly #waiting: Piece[] = []
  #current: Progress | undefined
  #spare: Piece | undefined
  #pauseMs = pauseMsMin
  #isCut = false
  #leftOut = 0
  #told = 0
  #onDrained: (() => void) | undefined

  constructor(file: OutputFile, leftOutLine: (lines: number) => string) {
    this.#file = file
    this.#leftOutLine = leftOutLine
  }

  get linesLeftOut(): number {
    return this.#leftOut
  }

  /** A line with its newline. */
  write(line: string): void {
    const bytesMax = line.length * utf8BytesOfCharacter
    if (this.#filling.end + bytesMax > this.#filling.bytes.length) this.#next(bytesMax)
    const piece = this.#filling
    piece.end += piece.bytes.write(line, piece.end)
  }

  writeBytes(bytes: Buffer, length: number): void {
    if (this.#filling.end + length > this.#filling.bytes.length) this.#next(length)
    const piece = this.#filling
    piece.end += bytes.copy(piece.bytes, piece.end, 0, length)
  }

  /** What is behind another piece fills up meanwhile: small pieces would soon be as many as may wait. */
  flush(): void {
    if (this.#current === undefined && (!isEmpty(this.#filling) || this.#told < this.#leftOut)) this.#next(0)
  }

  async drain(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#onDrained = resolve
      this.#file.after(drainMsMax, resolve)
      if (this.#current === undefined) this.#writeNext()
    })
    this.#onDrained = undefined
  }

  /**
   * Waits for what is written here, though not for a reader who has stalled. The piece that the system is writing at
   * this moment cannot be waited for: who can should `drain` before.
   */
  flushSync(): void {
    const paused = this.#current?.isPaused ? this.#current : undefined
    if (paused !== undefined) this.#current = undefined
    this.#tellLeftOut()
    if (!isEmpty(this.#filling)) this.#waiting.push(this.#filling)
    this.#filling = newPiece(pieceBytes)
    const patience = { leftMs: stalledMsMax }
    if (paused !== undefined) this.#writeSync(paused, patience)
    for (const piece of this.#waiting.splice(0)) this.#writeSync(this.#begin(piece), patience)
  }

  #next(bytesMin: number): void {
    if (this.#waiting.length >= waitingPiecesMax) {
      this.#leaveOut(this.#filling, firstByte)
      this.#spare = this.#filling.bytes.length === pieceBytes ? this.#filling : this.#spare
    } else {
      this.#tellLeftOut()
      if (!isEmpty(this.#filling)) this.#waiting.push(this.#filling)
    }
    const isLarge = bytesMin + firstByte > pieceBytes
    this.#filling = isLarge ? newPiece(bytesMin + firstByte) : (this.#spare ?? newPiece(pieceBytes))
    this.#filling.end = firstByte
    if (this.#filling === this.#spare) this.#spare = undefined
    if (this.#current === undefined) this.#writeNext()
  }

  /** A piece of its own: behind what waits already, and before what came after those that were left out. */
  #tellLeftOut(): void {
    const told = this.#leftOut - this.#told
    if (told === 0) return
    const bytes = Buffer.from(`\n${this.#leftOutLine(told)}`)
    this.#waiting.push({ bytes, end: bytes.length, told })
    this.#told += told
  }

  #writeNext(): void {
    const piece = this.#waiting.shift()
    if (piece !== undefined) {
      this.#current = this.#begin(piece)
      this.#write(this.#current)
    } else if (this.#onDrained !== undefined) {
      if (isEmpty(this.#filling)) this.#onDrained()
      else this.#next(0)
    }
  }

  #begin(piece: Piece): Progress {
    const begin = this.#isCut ? 0 : firstByte
    return { piece, begin, from: begin, isPaused: false }
  }

  #write(progress: Progress): void {
    const { piece, from } = progress
    this.#file.write(piece.bytes, from, piece.end, (error, bytes) => {
      progress.from += bytes
      if (error === null) this.#pauseMs = pauseMsMin
      // What was taken in part has no more room at this moment.
      if (isBusy(error) || (error === null && progress.from < piece.end)) {
        this.#pause(progress)
        return
      }
      this.#end(progress)
      if (piece.bytes.length === pieceBytes) this.#spare = piece
      this.#current = undefined
      this.#writeNext()
    })
  }

  /** Short at first: a pipe takes 64 kB at a time, and a reader who is awake has read them soon. */
  #pause(progress: Progress): void {
    progress.isPaused = true
    this.#file.after(this.#pauseMs, () => {
      if (this.#current !== progress) return
      progress.isPaused = false
      this.#write(progress)
    })
    this.#pauseMs = Math.min(2 * this.#pauseMs, pauseMsMax)
  }

  #writeSync(progress: Progress, patience: { leftMs: number }): void {
    const { piece } = progress
    let pauseMs = pauseMsMin
    while (progress.from < piece.end && patience.leftMs > 0) {
      try {
        progress.from += this.#file.writeSync(piece.bytes, progress.from, piece.end)
        pauseMs = pauseMsMin
      } catch (error) {
        if (!isBusy(error as NodeJS.ErrnoException)) break
        this.#file.waitSync(pauseMs)
        patience.leftMs -= pauseMs
        pauseMs = Math.min(2 * pauseMs, pauseMsMax)
      }
    }
    this.#end(progress)
  }

  #end({ piece, begin, from }: Progress): void {
    if (from > begin) this.#isCut = piece.bytes[from - 1] !== newline
    if (from < piece.end) this.#leaveOut(piece, Math.max(from, firstByte))
  }

  /** The rest of a piece. Its newlines are counted: those that find a reader need no count. */
  #leaveOut({ bytes, end, told }: Piece, from: number): void {
    if (told > 0) this.#told -= told
    else this.#leftOut += newlinesIn(bytes.subarray(from, end))
  }
}

const firstByte = 1

function newPiece(size: number): Piece {
  const bytes = Buffer.allocUnsafeSlow(size)
  bytes[0] = newline
  return { bytes, end: firstByte, told: 0 }
}

const isEmpty = ({ end }: Piece): boolean => end === firstByte

/** A pipe whose reader is slow, where the pipe does not wait. */
const isBusy = (error: NodeJS.ErrnoException | null): boolean => error?.code === 'EAGAIN' || error?.code === 'EBUSY'

function newlinesIn(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) count++
  return count
}

const leftOutLine = (lines: number): string =>
  `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), lines, msg: 'log lines left out' })}\n`

/**
 * A pipe is opened anew, for this program alone, so that it does not wait: a reader who has stalled would keep the
 * process from ending, even after a crash. A file is not, because it would be written from its beginning. Where there
 * is no /proc, or the pipe is not ours to open, it is written as it is.
 */
function standardOutput(): OutputFile {
  if (!fstatSync(1).isFIFO()) return waitingFile(1)
  try {
    return promptFile(openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK))
  } catch {
    return waitingFile(1)
  }
}

const waitingFile = (file: number): OutputFile => ({
  write: (bytes, from, end, then) => write(file, bytes, from, end - from, null, then),
  writeSync: (bytes, from, end) => writeSync(file, bytes, from, end - from),
  after: (ms, then) => void setTimeout(then, ms),
  waitSync: ms => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
})

/** One that does not wait is written at once: of a piece under way the end would not know how much was written. */
const promptFile = (file: number): OutputFile => ({
  ...waitingFile(file),
  write: (bytes, from, end, then) => {
    let written: number
    try {
      written = writeSync(file, bytes, from, end - from)
    } catch (error) {
      then(error as NodeJS.ErrnoException, 0)
      return
    }
    then(null, written)
  },
})
