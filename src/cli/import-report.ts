import { type FileHandle, open } from 'node:fs/promises'
import type { Rejection } from '../store/import/people.ts'
import { type CleaningCounts, cleanings, noCleanings } from './import-clean.ts'
import { isDuplicate, sentenceOf } from './import-reasons.ts'

/** What an import has come to so far; it is kept as JSON beside its progress. */
export interface ImportReport {
  readonly cardholders: number
  readonly cards: number
  readonly merchants: number
  readonly terminals: number
  readonly loads: number
  /** By code of the program, in minor units. */
  readonly loaded: Readonly<Record<string, string>>
  readonly rejected: number
  readonly duplicatesInFile: number
  readonly alreadyThere: number
  readonly cleaned: Readonly<CleaningCounts>
}

export const emptyReport: ImportReport = {
  cardholders: 0,
  cards: 0,
  merchants: 0,
  terminals: 0,
  loads: 0,
  loaded: {},
  rejected: 0,
  duplicatesInFile: 0,
  alreadyThere: 0,
  cleaned: noCleanings(),
}

/** What one batch adds to a report. */
export interface BatchCounts {
  readonly cardholders?: number
  readonly cards?: number
  readonly merchants?: number
  readonly terminals?: number
  /** Program codes and amounts. */
  readonly loads?: readonly (readonly [program: string, amount: bigint])[]
}

export function addToReport(
  report: ImportReport,
  counts: BatchCounts,
  rejections: readonly Rejection[],
  cleaned: Readonly<CleaningCounts>,
): ImportReport {
  const loaded = new Map(Object.entries(report.loaded).map(([program, amount]) => [program, BigInt(amount)]))
  for (const [program, amount] of counts.loads ?? []) loaded.set(program, (loaded.get(program) ?? 0n) + amount)
  const because = (reason: string): number => rejections.filter(one => one.reason === reason).length
  return {
    cardholders: report.cardholders + (counts.cardholders ?? 0),
    cards: report.cards + (counts.cards ?? 0),
    merchants: report.merchants + (counts.merchants ?? 0),
    terminals: report.terminals + (counts.terminals ?? 0),
    loads: report.loads + (counts.loads?.length ?? 0),
    loaded: Object.fromEntries([...loaded].map(([program, amount]) => [program, `${amount}`])),
    rejected: report.rejected + rejections.filter(({ reason }) => !isDuplicate(reason)).length,
    duplicatesInFile: report.duplicatesInFile + because('duplicate_in_file'),
    alreadyThere: report.alreadyThere + because('already_there'),
    cleaned: Object.fromEntries(
      cleanings.map(cleaning => [cleaning, report.cleaned[cleaning] + cleaned[cleaning]]),
    ) as CleaningCounts,
  }
}

export const leftOut = ({ rejected, duplicatesInFile, alreadyThere }: ImportReport): number =>
  rejected + duplicatesInFile + alreadyThere

const cleaningWords: Readonly<Record<keyof CleaningCounts, string>> = {
  letters: 'Arabic letters for Persian ones',
  digits: 'Persian and Arabic digits',
  spaces: 'superfluous blanks',
  invisible: 'signs that cannot be seen',
  separators: 'separators and quotes within numbers',
  zeros: 'lost zeros at the front of national codes',
}

const counted = (count: number): string => count.toLocaleString('en')

/** The report as people read it. */
export function reportText(report: ImportReport, rejectsPath: string): string {
  const rows: [string, string][] = []
  for (const what of ['cardholders', 'cards', 'merchants', 'terminals', 'loads'] as const) {
    if (report[what] > 0) rows.push([what, counted(report[what])])
  }
  for (const [program, amount] of Object.entries(report.loaded)) {
    rows.push([`  ${program}`, BigInt(amount).toLocaleString('en')])
  }
  rows.push(['duplicates in the file', counted(report.duplicatesInFile)])
  rows.push(['there already', counted(report.alreadyThere)])
  rows.push(['rejected', counted(report.rejected)])
  for (const cleaning of cleanings) {
    if (report.cleaned[cleaning] > 0) {
      rows.push([`cleaned: ${cleaningWords[cleaning]}`, counted(report.cleaned[cleaning])])
    }
  }
  const lines = rows.map(([what, count]) => `  ${what.padEnd(52)}${count.padStart(16)}\n`)
  return lines.join('') + (leftOut(report) > 0 ? `  lines left out, and why: ${rejectsPath}\n` : '')
}

const header = 'line,field,reason,value,message\r\n'

/** The list of lines that were left out. What was written after the last commit is cut off when it is opened again. */
export class RejectsFile {
  readonly #path: string
  #handle: FileHandle | null = null
  #bytes: number

  /** `bytes`: how long it was at the last commit; 0: it is begun anew. */
  constructor(path: string, bytes: number) {
    this.#path = path
    this.#bytes = bytes
  }

  /** Writes lines behind those of the last commit, for good on disk. Answers how long it is then. */
  async write(rejections: readonly Rejection[]): Promise<number> {
    if (rejections.length === 0) return this.#bytes
    const lines = rejections
      .toSorted((one, other) => one.line - other.line)
      .map(({ line, field, reason, value }) => [`${line}`, field, reason, value, sentenceOf(reason)])
      .map(cells => `${cells.map(csvCell).join(',')}\r\n`)
    const text = Buffer.from((this.#bytes === 0 ? header : '') + lines.join(''))
    this.#handle ??= await open(this.#path, this.#bytes === 0 ? 'w' : 'r+', 0o600)
    await this.#handle.write(text, 0, text.length, this.#bytes)
    await this.#handle.truncate(this.#bytes + text.length)
    await this.#handle.sync()
    return this.#bytes + text.length
  }

  committed(bytes: number): void {
    this.#bytes = bytes
  }

  async close(): Promise<void> {
    if (this.#handle !== null) await this.#handle.truncate(this.#bytes)
    await this.#handle?.close()
  }
}

function csvCell(cell: string): string {
  // A spreadsheet would take such a text for a formula.
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

const ttyEverySeconds = 0.5
const logEverySeconds = 10

/** Tells how far it is: rewritten in place on a terminal, else a line now and then. */
export class ProgressLine {
  readonly #total: number
  readonly #startedFrom: number
  readonly #startedAt: number
  #toldAt: number

  constructor(total: number, startedFrom: number, now: number) {
    this.#total = total
    this.#startedFrom = startedFrom
    this.#startedAt = now
    this.#toldAt = now
  }

  /** The line to write now; null: it was told a moment ago. `now`: seconds. */
  at(lines: number, report: ImportReport, now: number, isTerminal: boolean): string | null {
    if (now - this.#toldAt < (isTerminal ? ttyEverySeconds : logEverySeconds)) return null
    this.#toldAt = now
    const rate = (lines - this.#startedFrom) / (now - this.#startedAt)
    const left = rate > 0 ? durationOf((this.#total - lines) / rate) : 'unknown time'
    const percent = ((lines / Math.max(1, this.#total)) * 100).toFixed(1)
    const out = leftOut(report) === 0 ? '' : `, ${counted(leftOut(report))} left out`
    const text = `${counted(lines)} of ${counted(this.#total)} lines (${percent} %), ${counted(Math.round(rate))} a second`
    return `${text}, ${left} left${out}`
  }
}

export function durationOf(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}
