import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Cleanup } from './cleanup.ts'
import { type BenchOptions, parseOptions, usage } from './options.ts'
import { Progress } from './progress.ts'
import { compareReports } from './report/compare.ts'
import { htmlOf } from './report/html.ts'
import { markdownOf } from './report/markdown.ts'
import { checksOf, type Report } from './report/report.ts'
import { describeReport } from './report/text.ts'
import { runBench } from './run.ts'
import { resultsFolder } from './stage.ts'

const failedStatus = 1
const usageStatus = 2
const interruptedStatus = 130

/** Answers the exit status. */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage)
    return 0
  }
  let options: BenchOptions
  try {
    if (args[0] === 'compare') return compare(args.slice(1))
    if (args[0] === 'report') return again(args.slice(1))
    options = parseOptions(args)
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n\n${usage}`)
    return usageStatus
  }
  return runAll(options)
}

function compare(files: readonly string[]): number {
  const [before, after] = files
  if (before === undefined || after === undefined) throw new Error('compare needs two files')
  process.stdout.write(compareReports(readReport(before), readReport(after)))
  return 0
}

function again([file]: readonly string[]): number {
  if (file === undefined) throw new Error('report needs a file')
  const report = readReport(file)
  process.stdout.write(describeReport(report))
  process.stderr.write(`${writePages(report, file).join('\n')}\n`)
  return 0
}

function readReport(file: string): Report {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report
  if (report.version !== 2) throw new Error(`${file} is of another version of the benchmark`)
  return report
}

/** Whatever happens, everything that was started has ended when this returns. */
async function runAll(options: BenchOptions): Promise<number> {
  const progress = new Progress()
  const cleanup = new Cleanup()
  const interruption = new AbortController()
  const interrupt = (): void => interruption.abort(new Error('interrupted'))
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  let report: Report | undefined
  try {
    report = await runBench(options, { progress, cleanup, signal: interruption.signal })
  } catch (error) {
    progress.note(`bench: ${interruption.signal.aborted ? 'interrupted' : ((error as Error).stack ?? error)}`)
  }
  progress.step('stopping')
  for (const error of await cleanup.run()) progress.note(`bench: could not clean up: ${error.message}`)
  progress.clear()
  if (report !== undefined) {
    process.stdout.write(describeReport(report))
    for (const file of writeFigures(report, options.json)) progress.note(file)
  }
  if (interruption.signal.aborted) return interruptedStatus
  if (report === undefined) return failedStatus
  return checksOf(report).every(({ ok }) => ok) ? 0 : failedStatus
}

function writeFigures(report: Report, path: string | null): string[] {
  const name = `${report.startedAt.slice(0, 19).replace(/\D/g, '')}-${report.commit?.id ?? 'unknown'}.json`
  const file = path ?? join(resultsFolder, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(report)}\n`)
  return [file, ...writePages(report, file)]
}

/** The page and the table, beside the figures. */
function writePages(report: Report, file: string): string[] {
  const stem = file.replace(/\.json$/, '')
  writeFileSync(`${stem}.html`, htmlOf(report))
  writeFileSync(`${stem}.md`, markdownOf(report))
  return [`${stem}.html`, `${stem}.md`]
}

process.exitCode = await main(process.argv.slice(2))
