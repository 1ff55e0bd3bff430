import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What `postmaster.pid` says. */
type Postmaster = {
  readonly pid: number
  readonly port: number
  readonly status: string
}

/** The postmaster that last started on this cluster, alive or not; undefined where there is no readable pid file. */
export async function readPostmaster(clusterDir: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => '')
  const lines = text.split('\n')
  const pid = Number.parseInt(lines[0] ?? '', 10)
  const port = Number.parseInt(lines[3] ?? '', 10)
  if (!(pid > 0)) return undefined
  return { pid, port, status: (lines[7] ?? '').trim() }
}

/** Whether this process is alive and is the postmaster of this cluster, and not a stranger that got its number. */
export async function isPostmasterOf(clusterDir: string, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false
  const command = await commandLine(pid)
  return command.includes('postgres') && command.includes(clusterDir)
}

/**
 * Makes a pid file that was left behind harmless. After a reboot or in a new container its number often belongs to
 * another living process, or to a dead one that nobody waited for, and postgres would refuse to start. Removing the
 * file would also remove its note of the shared memory, by which postgres sees surviving backends; postgres takes its
 * parent's number for a stale one, so it gets ours.
 */
export async function defuseStalePidFile(clusterDir: string, stale: Postmaster): Promise<void> {
  if (!isAlive(stale.pid)) return
  const path = join(clusterDir, 'postmaster.pid')
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace(/^\d+/, String(process.pid)))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function commandLine(pid: number): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
  } catch {
    const shown = promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)])
    return shown.then(
      ({ stdout }) => stdout,
      () => '',
    )
  }
}
