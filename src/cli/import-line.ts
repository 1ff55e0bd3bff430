import type { Rejection } from '../store/import/people.ts'
import { type CleaningCounts, cleanCell } from './import-clean.ts'
import type { CsvRecord } from './import-csv.ts'
import type { Columns, Mapping } from './import-fields.ts'
import type { LineReason } from './import-reasons.ts'

const valueCharsMax = 64
/** Fields whose digits stay as they were written. */
const wordFields: ReadonlySet<string> = new Set(['name', 'lastName'])

/** The cells of one line, cleaned as they are asked for; it remembers the first thing that is wrong with them. */
export class LineCells {
  readonly line: number
  readonly counts: CleaningCounts
  readonly #cells: readonly string[]
  readonly #columns: Columns
  readonly #constants: Mapping['constants']
  #problem: Rejection | null = null

  constructor(record: CsvRecord, columns: Columns, { constants }: Mapping, counts: CleaningCounts) {
    this.line = record.line
    this.counts = counts
    this.#cells = record.cells
    this.#columns = columns
    this.#constants = constants
    if (record.isBroken) this.fail('line', 'line_broken')
    else if (
      record.cells.length > columns.width &&
      record.cells.slice(columns.width).some(cell => cell.trim() !== '')
    ) {
      this.fail('line', 'columns_too_many')
    }
  }

  /** What stands in a field, or the constant in its place; empty if neither is there. */
  text(field: string): string {
    const index = this.#columns.at.get(field)
    const cell = index === undefined ? '' : (this.#cells[index] ?? '')
    const text = cell === '' ? '' : cleanCell(cell, this.counts, wordFields.has(field))
    return text === '' ? (this.#constants[field] ?? '') : text
  }

  /** Notes that the line cannot be taken, if it is the first reason. Answers null, for the value that there is not. */
  fail(field: string, reason: LineReason, value = ''): null {
    this.#problem ??= { line: this.line, field, reason, value: shown(field, value) }
    return null
  }

  get problem(): Rejection | null {
    return this.#problem
  }
}

/** What people may see of a value: of card numbers the first six and last four digits, of national codes the last four. */
function shown(field: string, value: string): string {
  if (field === 'nationalCode') return value === '' ? '' : `…${value.slice(-4)}`
  const hidden = value.replace(/[0-9][0-9 _.-]{10,}[0-9]/g, digits => `${digits.slice(0, 6)}…${digits.slice(-4)}`)
  return hidden.slice(0, valueCharsMax)
}
