import { parseArgs } from 'node:util'
import { loadConfig } from '../config/load.ts'
import { elapsedSeconds } from '../ops/clock.ts'
import { type AuditFinding, audit, auditChecks } from '../store/audit.ts'
import { findEmbeddedPostgres } from '../store/embedded-postgres.ts'

const usage = `charsu audit [--json]
Checks what must always hold on a live database (DATABASE_URL, else the embedded one of a running switch).
Exit status 1 if something does not hold.
`

/** Prints a line for each invariant, with the ids of what is wrong. Answers the exit status. */
export async function runAudit(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const url = await databaseUrl()
  if (url === null) {
    process.stderr.write('charsu audit: no database: set DATABASE_URL, or start the switch with its embedded one\n')
    return 2
  }
  const findings: AuditFinding[] = []
  const progress = showProgress()
  try {
    for await (const finding of audit(url, progress.at)) {
      findings.push(finding)
      progress.clear()
      if (!values.json) process.stdout.write(lineOf(finding))
    }
  } finally {
    progress.end()
  }
  const broken = findings.filter(({ offenders }) => offenders.length > 0).length
  if (values.json) process.stdout.write(`${JSON.stringify({ ok: broken === 0, findings }, null, 2)}\n`)
  else process.stdout.write(`\n${auditChecks - broken} of ${auditChecks} hold\n`)
  return broken === 0 ? 0 : 1
}

/** Tells on the error output what is looked at, once that takes long: each second on a terminal, else less often. */
function showProgress() {
  const { stderr } = process
  const isTerminal = stderr.isTTY === true
  let now = ''
  let since = elapsedSeconds()
  const clear = (): void => void (isTerminal && stderr.write('\r\x1b[K'))
  const tell = (): void => {
    clear()
    stderr.write(`${now}, ${Math.round(elapsedSeconds() - since)} s${isTerminal ? '' : '\n'}`)
  }
  const timer = setInterval(tell, isTerminal ? 1_000 : 10_000)
  return {
    at(number: number, name: string): void {
      now = `${number} of ${auditChecks}: ${name}`
      since = elapsedSeconds()
    },
    clear,
    end(): void {
      clearInterval(timer)
      clear()
    },
  }
}

function lineOf({ name, checked, offenders }: AuditFinding): string {
  const isFine = offenders.length === 0
  const line = `${isFine ? 'ok    ' : 'BROKEN'}  ${name.padEnd(62)} ${String(checked).padStart(10)} checked\n`
  return isFine ? line : `${line}        ${offenders.join(', ')}\n`
}

/** DATABASE_URL, else that of the embedded PostgreSQL that runs in the data folder; null if there is none. */
export async function databaseUrl(): Promise<string | null> {
  const { databaseUrl: url, dataDir } = loadConfig()
  return url ?? (await findEmbeddedPostgres(`${dataDir}/postgres`))?.url ?? null
}
