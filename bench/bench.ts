import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Cleanup } from './cleanup.ts'
import { benchCodec, describeCodecFigures } from './codec.ts'
import { type BenchOptions, parseOptions, usage } from './options.ts'
import { Progress } from './progress.ts'
import { checksOf, type Report } from './report.ts'
import { describeReport } from './report-text.ts'
import { resultsFolder, runBench } from './run.ts'

const failedStatus = 1
const usageStatus = 2
const interruptedStatus = 130

/** Answers the exit status. */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage)
    return 0
  }
  if (args[0] === 'codec') return runCodec()
  let options: BenchOptions
  try {
    options = parseOptions(args)
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n\n${usage}`)
    return usageStatus
  }
  return runAll(options)
}

function runCodec(): number {
  const { ok, text } = describeCodecFigures(benchCodec())
  process.stdout.write(`${text}\n`)
  return ok ? 0 : failedStatus
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
  if (interruption.signal.aborted) return interruptedStatus
  if (report === undefined) return failedStatus
  process.stdout.write(describeReport(report))
  progress.note(`figures: ${writeFigures(report, options.json)}`)
  return checksOf(report).every(({ ok }) => ok) ? 0 : failedStatus
}

function writeFigures(report: Report, path: string | null): string {
  const name = `${report.startedAt.slice(0, 19).replace(/\D/g, '')}-${report.commit?.id ?? 'unknown'}.json`
  const file = path ?? join(resultsFolder, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ ...report, checks: checksOf(report) }, null, 2)}\n`)
  return file
}

process.exitCode = await main(process.argv.slice(2))
