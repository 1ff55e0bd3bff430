import type { KeyObject } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { type CsvError, parse } from 'csv-parse/sync'
import { readSheet } from 'read-excel-file/universal'
import { dateOfDay } from '../../core/calendar.ts'
import { type ColumnsError, findColumns, type HolderField } from '../../core/load-columns.ts'
import { type LoadRow, readLoadRows } from '../../core/load-rows.ts'
import { nationalCodeHash, panToken } from '../../crypto/hash.ts'
import { unpacksWithin } from './zip-size.ts'

/** Beside the bytes, all that is needed to read a file of loads. */
export interface SheetTask {
  readonly bytes: Uint8Array
  readonly format: 'csv' | 'xlsx'
  readonly tenant: number
  readonly panKey: KeyObject
  /** Decimals of the currency. */
  readonly scale: number
  readonly linesMax: number
}

/** A line with what its holder is found by: numbers of cards and people have become hashes here, and go no further. */
export interface SheetLine extends Omit<LoadRow, 'who'> {
  readonly who: {
    readonly by: HolderField
    /** Hexadecimal hash of a card number or national code; else the text itself. */
    readonly key: string
    /** What people may see of it. */
    readonly shown: string
  } | null
}

export type SheetMessage =
  | { readonly kind: 'lines'; readonly lines: readonly SheetLine[] }
  | { readonly kind: 'done'; readonly ignored: readonly string[] }
  | { readonly kind: 'invalid'; readonly error: ColumnsError | { readonly field: 'file'; readonly message: string } }

const linesPerMessage = 5_000
const cellCharsMax = 200
const unpackedBytesMax = 256 * 1024 * 1024

async function rowsOf({ bytes, format }: SheetTask): Promise<string[][]> {
  if (format === 'csv') return csvRows(bytes)
  // A copy with a buffer of its own, which the reader asks for.
  const copy = new Uint8Array(bytes)
  if (!unpacksWithin(Buffer.from(copy.buffer), unpackedBytesMax)) throw new Error('not an archive, or too large')
  const sheet = await readSheet(copy.buffer, { parseNumber: text => text })
  return sheet.map(row => row.map(textOf))
}

/** A cell as text. Numbers have stayed the text that they were in the file. */
function textOf(cell: unknown): string {
  if (cell === null || cell === undefined) return ''
  if (cell instanceof Date) return dateOfDay(Math.floor(cell.getTime() / 86_400_000))
  return String(cell).slice(0, cellCharsMax)
}

function csvRows(bytes: Uint8Array): string[][] {
  const text = decode(bytes)
  const firstLines = text.slice(0, 4_096)
  const counts = [',', ';', '\t'].map(sign => firstLines.split(sign).length)
  const delimiter = [',', ';', '\t'][counts.indexOf(Math.max(...counts))] as string
  return parse(text, {
    delimiter,
    bom: true,
    relax_column_count: true,
    skip_empty_lines: false,
    max_record_size: 100_000,
  }).map((row: string[]) => row.map(textOf))
}

/** UTF-8, or what Excel writes as "Unicode text": UTF-16 with its mark. Throws on bytes that are neither. */
function decode(bytes: Uint8Array): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8'
  return new TextDecoder(encoding, { fatal: true }).decode(bytes)
}

function lineOf({ who, ...row }: LoadRow, { tenant, panKey }: SheetTask): SheetLine {
  if (who === null) return { ...row, who }
  const { by, text } = who
  const shown = by === 'card' || by === 'national' ? `…${text.slice(-4)}` : text
  const key = by === 'card' ? panToken(text, panKey) : by === 'national' ? nationalCodeHash(text, tenant, panKey) : text
  return { ...row, who: { by, key, shown } }
}

async function run(task: SheetTask, send: (message: SheetMessage) => void): Promise<void> {
  let rows: string[][]
  try {
    rows = await rowsOf(task)
  } catch (error) {
    // The parsers' own messages may quote what is in the file.
    const at = (error as Partial<CsvError>).lines
    const where = typeof at === 'number' ? ` (line ${at})` : ''
    send({
      kind: 'invalid',
      error: { field: 'file', message: `is not a ${task.format} file that can be read${where}` },
    })
    return
  }
  const columns = findColumns(rows)
  if ('error' in columns) return send({ kind: 'invalid', error: columns.error })
  let lines: SheetLine[] = []
  let count = 0
  for (const row of readLoadRows(rows, columns, task.scale)) {
    count += 1
    if (count > task.linesMax) {
      return send({ kind: 'invalid', error: { field: 'file', message: `must have at most ${task.linesMax} lines` } })
    }
    lines.push(lineOf(row, task))
    if (lines.length === linesPerMessage) {
      send({ kind: 'lines', lines })
      lines = []
    }
  }
  if (count === 0) return send({ kind: 'invalid', error: { field: 'file', message: 'has no lines below the titles' } })
  if (lines.length > 0) send({ kind: 'lines', lines })
  // A line in place of the titles: numbers of cards and people in it are not told.
  send({ kind: 'done', ignored: columns.ignored.map(title => title.replace(/\p{Nd}{6,}/gu, '…')) })
}

const port = parentPort
if (port !== null) await run(workerData as SheetTask, message => port.postMessage(message))
