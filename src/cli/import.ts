import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { loadConfig } from '../config/load.ts'
import { readOrMakeSecret } from '../config/secret-file.ts'
import type { Catalog } from '../core/catalog.ts'
import { panToken, sha256Hex } from '../crypto/hash.ts'
import { newPanKey, panKeyOf } from '../crypto/pan-key.ts'
import { vaultKeyOf } from '../crypto/pan-vault.ts'
import { elapsedSeconds, nowMicros } from '../ops/clock.ts'
import { readCatalogs } from '../store/catalog.ts'
import { BatchError } from '../store/errors.ts'
import { ImportConnection } from '../store/import/connection.ts'
import { type ImportKind, importKinds } from '../store/import/progress.ts'
import { openPool } from '../store/pool.ts'
import { isSameSecret } from '../store/secret-check.ts'
import { databaseUrl } from './audit.ts'
import { type Mapping, readMapping } from './import-fields.ts'
import { durationOf, leftOut, RejectsFile, reportText } from './import-report.ts'
import { readColumns, runImport } from './import-run.ts'
import { openState } from './import-state.ts'
import { targetOf } from './import-target.ts'
import { OperatorError, optionsOf } from './key-store.ts'

const usage = `Usage: charsu import --kind KIND --file FILE.csv [options]

First loads from CSV files: cardholders, cards with their opening balances, merchants, terminals. Lines that are no good
are left out and listed in FILE.csv.rejects.csv with field and reason; what is there already is never written twice.

  --kind KIND          cardholders, cards, merchants or terminals
  --file FILE.csv      UTF-8, with titles in its first line, English or Persian
  --mapping FILE.json  {"columns": {"pan": "Card No."}, "constants": {"program": "credit"}}
  --dry-run            checks everything and changes nothing
  --resume             goes on with an import that was interrupted
  --again              tries a file once more that has been imported: for lines that were left out
  --program CODE       cards: of lines that do not say it, and so on
  --funder CODE        cards: the organisation that pays for opening balances
  --expires DATE       cards: the last day of opening balances (as the program has it)
  --batch LINES        lines of a transaction (${2000}): fewer are lighter on a switch that is running
  --tenant CODE        where there are several
  --json               the report as JSON

Exit status 0: all lines are there; 1: lines were left out, or it was interrupted; 2: it could not be done.
`

const batchLinesByDefault = 2_000
const batchLinesMax = 20_000

/** Answers the exit status. */
export async function runImportCommand(args: string[]): Promise<number> {
  const texts = ['kind', 'file', 'mapping', 'program', 'funder', 'expires', 'batch', 'tenant']
  const options = optionsOf(args, texts, ['dry-run', 'resume', 'again', 'json'])
  if (options.isSet('help')) {
    process.stdout.write(usage)
    return 0
  }
  const kind = importKinds.find(one => one === options.textOf('kind'))
  const path = options.textOf('file')
  if (kind === undefined || path === undefined) throw new OperatorError(`--kind and --file are needed\n\n${usage}`)
  const mapping = mappingOf(kind, options)
  const columns = await readColumns(path, kind, mapping)
  const tell = (line: string): void => void process.stderr.write(line)
  if (columns.ignored.length > 0) tell(`not used: ${columns.ignored.join(', ')}\n`)
  const { hash, lines: linesTotal } = await scan(path)

  const url = await databaseUrl()
  if (url === null) throw new OperatorError('no database: set DATABASE_URL, or start the switch with its embedded one')
  const { catalog, panKey } = await readContext(url, options.textOf('tenant'))
  const connection = await ImportConnection.connect(url)
  const isDry = options.isSet('dry-run')
  const isTerminal = process.stderr.isTTY === true
  const since = elapsedSeconds()
  let isStopped = false
  const stop = (): void => {
    isStopped = true
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const rejectsPath = `${path}.rejects.csv`
  let rejects: RejectsFile | null = null
  try {
    const settings = JSON.stringify(mapping)
    const file = { tenant: catalog.tenant.id, kind, hash, name: basename(path), settings }
    const wish = { isDry, resumes: options.isSet('resume'), repeats: options.isSet('again') }
    const state = await openState(connection, file, wish)
    if (state === 'finished') {
      tell('this file has been imported: --again tries the lines that were left out once more\n')
      return 0
    }
    if (state.lines > 0) tell(`going on after line ${state.lines.toLocaleString('en')}\n`)
    rejects = new RejectsFile(rejectsPath, state.rejectsBytes)
    const context = { catalog, panKey, vaultKey: vaultKeyOf(panKey), now: nowMicros() }
    const target = await targetOf({ connection, kind, context, state, isDry, hash: sha256Hex })
    const { report, lines, isFinished } = await runImport(
      {
        path,
        columnsOf: () => columns,
        mapping,
        batchLines: batchLinesOf(options.textOf('batch')),
        linesTotal,
        linesDone: state.lines,
        report: state.report,
        rejects,
        tell: line => tell(isTerminal ? `\r\u001b[K${line}` : `${line}\n`),
        isTerminal,
        isStopped: () => isStopped,
      },
      target,
    )
    if (isTerminal) tell('\r\u001b[K')
    const seconds = elapsedSeconds() - since
    if (!isFinished) tell(`stopped after line ${lines.toLocaleString('en')}: --resume goes on from there\n`)
    if (options.isSet('json')) {
      const result = { kind, file: path, isDry, isFinished, lines, seconds: Math.round(seconds), ...report }
      process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
    } else {
      const what = isDry ? 'would be imported' : 'imported'
      const done = `${lines.toLocaleString('en')} lines in ${durationOf(seconds)}`
      process.stdout.write(`${basename(path)}, ${kind} ${what}: ${done}\n${reportText(report, rejectsPath)}`)
    }
    return isFinished && leftOut(report) === 0 ? 0 : 1
  } catch (error) {
    if (!(error instanceof BatchError)) throw error
    throw new OperatorError(`${error.message}. What was imported stays: --resume goes on after it`)
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    await rejects?.close()
    await connection.close()
  }
}

function mappingOf(kind: ImportKind, { textOf }: ReturnType<typeof optionsOf>): Mapping {
  const path = textOf('mapping')
  const { columns, constants } = path === undefined ? { columns: {}, constants: {} } : readMapping(path, kind)
  const given = ['program', 'funder', 'expires'].flatMap(name => {
    const value = textOf(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  if (given.length > 0 && kind !== 'cards') throw new OperatorError(`--${given[0]?.[0]} is for cards`)
  return { columns, constants: { ...constants, ...Object.fromEntries(given) } }
}

function batchLinesOf(text: string | undefined): number {
  if (text === undefined) return batchLinesByDefault
  const lines = /^[0-9]{1,6}$/.test(text) ? Number.parseInt(text, 10) : 0
  if (lines < 1 || lines > batchLinesMax) throw new OperatorError(`--batch must be from 1 to ${batchLinesMax}`)
  return lines
}

/** The SHA-256 of a file, and how many lines it has. */
async function scan(path: string): Promise<{ hash: string; lines: number }> {
  const sum = createHash('sha256')
  let lines = 0
  let last = 10
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    sum.update(chunk)
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1
    last = chunk[chunk.length - 1] ?? last
  }
  return { hash: sum.digest('hex'), lines: last === 10 ? lines : lines + 1 }
}

async function readContext(url: string, code: string | undefined) {
  const config = loadConfig()
  const panKey = panKeyOf(config.panKey ?? readOrMakeSecret(`${config.dataDir}/pan.key`, newPanKey))
  const pool = openPool(url, { connectionsMax: 1 })
  try {
    const catalogs: Catalog[] = [...(await readCatalogs(pool)).values()]
    const found = code === undefined ? catalogs : catalogs.filter(({ tenant }) => tenant.code === code)
    const [catalog] = found
    if (catalog === undefined || found.length > 1) {
      throw new OperatorError(`--tenant must be one of ${catalogs.map(({ tenant }) => tenant.code).join(', ')}`)
    }
    if (!(await isSameSecret(pool, 'PAN key', panToken('check value', panKey)))) {
      throw new OperatorError('the PAN key is not the one that this database was first used with')
    }
    return { catalog, panKey }
  } finally {
    await pool.end()
  }
}
