import { elapsedSeconds, jittered, pause } from '../ops/clock.ts'
import { BatchError } from '../store/errors.ts'
import type { Rejection } from '../store/import/people.ts'
import type { Progress } from '../store/import/progress.ts'
import { type CleaningCounts, noCleanings } from './import-clean.ts'
import { readCsv } from './import-csv.ts'
import { type Columns, findImportColumns, type Mapping } from './import-fields.ts'
import { LineCells } from './import-line.ts'
import { addToReport, type BatchCounts, type ImportReport, ProgressLine, type RejectsFile } from './import-report.ts'
import { OperatorError } from './key-store.ts'

/** What a kind of file is to the run: how its lines are read, and how they are written. */
export interface ImportTarget<Item> {
  /** Null: something is wrong with the line, which it then knows. */
  read(cells: LineCells): Item | null
  /** Writes what is new with what `progressOf` makes of it, in one transaction. Throws BatchError. */
  write(items: readonly Item[], progressOf: (outcome: TargetOutcome) => Promise<Progress>): Promise<TargetOutcome>
}

export interface TargetOutcome extends BatchCounts {
  readonly rejections: readonly Rejection[]
}

interface RunOptions {
  readonly path: string
  readonly columnsOf: (titles: readonly string[]) => Columns
  readonly mapping: Mapping
  readonly batchLines: number
  /** Lines of the file, and how many of them are done. */
  readonly linesTotal: number
  readonly linesDone: number
  readonly report: ImportReport
  readonly rejects: RejectsFile
  /** Tells how far it is. */
  readonly tell: (line: string) => void
  readonly isTerminal: boolean
  /** Asked after each batch: to stop there. */
  readonly isStopped: () => boolean
}

interface RunResult {
  readonly report: ImportReport
  readonly lines: number
  readonly isFinished: boolean
}

interface Batch<Item> {
  readonly items: Item[]
  readonly rejections: Rejection[]
  readonly cleaned: CleaningCounts
  /** Lines of the file that are done with it. */
  lines: number
  isLast: boolean
}

const attemptsMax = 5
/** Lines that are read at one go: between, the answers of the database are seen to. */
const sliceLines = 100

/** Reads the file, and writes it in batches: while one is written the next is read. */
export async function runImport<Item>(options: RunOptions, target: ImportTarget<Item>): Promise<RunResult> {
  const { rejects, linesTotal, linesDone, tell, isTerminal, isStopped } = options
  const progressLine = new ProgressLine(linesTotal, linesDone, elapsedSeconds())
  let { report } = options
  let lines = linesDone
  const batches = readBatches(options, target)
  let next = batches.next()
  for (;;) {
    const { value: batch, done } = await next
    if (done || batch === undefined) break
    next = batches.next()
    // Awaited when this batch is done: until then a failure of it must not count as unhandled.
    next.catch(() => undefined)
    const written = await writeBatch(target, batch, report, lines, rejects)
    report = written.report
    lines = batch.lines
    const line = progressLine.at(lines, report, elapsedSeconds(), isTerminal)
    if (line !== null) tell(line)
    if (isStopped() && !batch.isLast) return { report, lines, isFinished: false }
  }
  return { report, lines, isFinished: true }
}

async function writeBatch<Item>(
  target: ImportTarget<Item>,
  batch: Batch<Item>,
  before: ImportReport,
  linesBefore: number,
  rejects: RejectsFile,
): Promise<{ report: ImportReport }> {
  for (let attempt = 1; ; attempt++) {
    let report = before
    let rejectsBytes = 0
    try {
      await target.write(batch.items, async outcome => {
        const rejections = [...batch.rejections, ...outcome.rejections]
        report = addToReport(before, outcome, rejections, batch.cleaned)
        rejectsBytes = await rejects.write(rejections)
        const { lines, isLast: isFinished } = batch
        return { linesBefore, lines, rejectsBytes, report: JSON.stringify(report), isFinished }
      })
      rejects.committed(rejectsBytes)
      return { report }
    } catch (error) {
      const isPassing = error instanceof BatchError && (error.fault === 'again' || error.fault === 'locked')
      if (!isPassing || attempt >= attemptsMax) throw error
      await pause(jittered(50 * attempt))
    }
  }
}

async function* readBatches<Item>(
  options: RunOptions,
  target: ImportTarget<Item>,
): AsyncGenerator<Batch<Item>, undefined> {
  const { path, columnsOf, mapping, batchLines, linesDone, linesTotal } = options
  let columns: Columns | null = null
  let batch = emptyBatch<Item>()
  let count = 0
  for await (const records of readCsv(path)) {
    for (const record of records) {
      if (columns === null) {
        columns = columnsOf(record.cells)
        continue
      }
      if (record.line <= linesDone) continue
      const cells = new LineCells(record, columns, mapping, batch.cleaned)
      const item = cells.problem === null ? target.read(cells) : null
      if (item !== null && cells.problem === null) batch.items.push(item)
      else if (cells.problem !== null) batch.rejections.push(cells.problem)
      batch.lines = record.line
      count += 1
      if (count >= batchLines) {
        yield batch
        batch = emptyBatch()
        count = 0
      } else if (count % sliceLines === 0) await new Promise(resolve => setImmediate(resolve))
    }
  }
  if (columns === null) throw new OperatorError('the file is empty')
  yield { ...batch, lines: linesTotal, isLast: true }
}

const emptyBatch = <Item>(): Batch<Item> => ({
  items: [],
  rejections: [],
  cleaned: noCleanings(),
  lines: 0,
  isLast: false,
})

/** The columns of the first record of a file. */
export async function readColumns(path: string, kind: Parameters<typeof findImportColumns>[1], mapping: Mapping) {
  for await (const records of readCsv(path)) {
    const [first] = records
    if (first !== undefined) return findImportColumns(first.cells, kind, mapping)
  }
  throw new OperatorError('the file is empty')
}
