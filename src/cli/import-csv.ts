import { createReadStream } from 'node:fs'
import { OperatorError } from './key-store.ts'

/** A record of a CSV file. `line`: that on which it begins; the first line of the file is 1. */
export interface CsvRecord {
  readonly line: number
  readonly cells: readonly string[]
  /** A quote in it is never closed, or it is too long: it is one line, without cells. */
  readonly isBroken: boolean
}

const chunkBytes = 256 * 1024
const lineCharsMax = 32_768
/** A quoted field that goes on for more lines than this has lost its closing quote. */
const quotedLinesMax = 20

/**
 * Records of a CSV file (RFC 4180; comma, semicolon, tab or bar, as the first line has it; UTF-8, or UTF-16 with its
 * mark), some at a time: the file is never in memory as a whole. Blank lines are left out. A quote that is never closed
 * costs its own line and not the rest of the file, which is why no package for CSV is used here. Throws OperatorError.
 */
export async function* readCsv(path: string): AsyncGenerator<CsvRecord[]> {
  let decoder: TextDecoder | null = null
  let carry = ''
  const records = new RecordReader()
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes }) as AsyncIterable<Buffer>) {
    decoder ??= new TextDecoder(chunk[0] === 0xff && chunk[1] === 0xfe ? 'utf-16le' : 'utf-8', { fatal: true })
    const text = carry + decoded(decoder, chunk, records.line)
    const end = text.lastIndexOf('\n')
    carry = text.slice(end + 1)
    if (end >= 0) yield records.take(text.slice(0, end).split('\n'))
    else if (carry.length > 16 * lineCharsMax) throw new OperatorError(`line ${records.line + 1} has no end`)
  }
  const last = decoder === null ? '' : carry + decoded(decoder, null, records.line)
  yield records.end(last === '' ? [] : [last])
}

function decoded(decoder: TextDecoder, chunk: Buffer | null, line: number): string {
  try {
    return chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true })
  } catch {
    throw new OperatorError(`the file is not UTF-8 after line ${line}: save it as "CSV UTF-8"`)
  }
}

/** Makes records of lines. */
class RecordReader {
  /** Lines that have been read. */
  line = 0
  #delimiter = ''
  /** Lines of a record whose quote is still open. */
  #open: string[] = []

  take(lines: readonly string[]): CsvRecord[] {
    const records: CsvRecord[] = []
    for (const line of lines) this.#next(line.endsWith('\r') ? line.slice(0, -1) : line, records)
    return records
  }

  end(lines: readonly string[]): CsvRecord[] {
    const records = this.take(lines)
    while (this.#open.length > 0) this.#giveUp(records)
    return records
  }

  #next(text: string, records: CsvRecord[]): void {
    this.line += 1
    if (this.#open.length > 0) {
      this.#open.push(text)
      const cells = quotedCells(this.#open.join('\n'), this.#delimiter)
      if (cells !== null) {
        records.push({ line: this.line - this.#open.length + 1, cells, isBroken: false })
        this.#open = []
      } else if (this.#open.length > quotedLinesMax) this.#giveUp(records)
      return
    }
    if (this.#delimiter === '') this.#delimiter = delimiterOf(text)
    if (text.length > lineCharsMax) records.push({ line: this.line, cells: [], isBroken: true })
    else if (!text.includes('"')) {
      if (text !== '') records.push({ line: this.line, cells: text.split(this.#delimiter), isBroken: false })
    } else {
      const cells = quotedCells(text, this.#delimiter)
      if (cells === null) this.#open = [text]
      else records.push({ line: this.line, cells, isBroken: false })
    }
  }

  /** The first open line is broken; those after it are read again by themselves. */
  #giveUp(records: CsvRecord[]): void {
    const [, ...again] = this.#open
    this.line -= again.length
    records.push({ line: this.line, cells: [], isBroken: true })
    this.#open = []
    for (const line of again) this.#next(line, records)
  }
}

/** The sign that the first line has most of. */
function delimiterOf(line: string): string {
  const bare = line.replace(/"[^"]*"/g, '')
  const counts = [',', ';', '\t', '|'].map(sign => ({ sign, count: bare.split(sign).length }))
  return counts.reduce((most, one) => (one.count > most.count ? one : most)).sign
}

/** The cells of a record with quotes; null: one is still open. A quote within an unquoted cell is a sign like others. */
function quotedCells(text: string, delimiter: string): string[] | null {
  const cells: string[] = []
  let at = 0
  while (at <= text.length) {
    if (text[at] !== '"') {
      const end = text.indexOf(delimiter, at)
      cells.push(text.slice(at, end < 0 ? text.length : end))
      at = (end < 0 ? text.length : end) + 1
      continue
    }
    let end = at + 1
    for (;;) {
      end = text.indexOf('"', end)
      if (end < 0) return null
      if (text[end + 1] !== '"') break
      end += 2
    }
    const next = text.indexOf(delimiter, end)
    const rest = text.slice(end + 1, next < 0 ? text.length : next)
    cells.push(text.slice(at + 1, end).replaceAll('""', '"') + rest.trimEnd())
    at = (next < 0 ? text.length : next) + 1
  }
  return cells
}
