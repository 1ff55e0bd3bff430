import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { AuditFinding } from '../src/store/audit.ts'

const program = join(import.meta.dirname, '../src/cli/charsu.ts')
const brokenStatus = 1

/** `charsu audit` on this database, in a process of its own. Rejects where it could not be made. */
export async function runAudit(databaseUrl: string, signal: AbortSignal): Promise<AuditFinding[]> {
  const child = spawn(process.execPath, [program, 'audit', '--json'], {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
    killSignal: 'SIGKILL',
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (status !== 0 && status !== brokenStatus) throw new Error(`charsu audit ended with status ${status}`)
  const { findings } = JSON.parse(text) as { findings: AuditFinding[] }
  return findings
}
