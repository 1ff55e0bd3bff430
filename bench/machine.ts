import { execFileSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'

export interface Machine {
  readonly cores: number
  readonly cpu: string
  readonly memoryMb: number
  readonly system: string
  readonly node: string
}

export const thisMachine = (): Machine => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model ?? 'unknown',
  memoryMb: Math.round(totalmem() / 1024 / 1024),
  system: `${type()} ${release()}`,
  node: process.version,
})

export interface Commit {
  readonly id: string
  /** Something that runs was changed since. */
  readonly isChanged: boolean
}

/** Null where this is no git repository, or git is missing. */
export function thisCommit(): Commit | null {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: join(import.meta.dirname, '..'),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  try {
    const changed = git(
      'status',
      '--porcelain',
      '--',
      'src',
      'migrations',
      'switch-config',
      'bench',
      'package-lock.json',
    )
    return { id: git('rev-parse', '--short', 'HEAD').trim(), isChanged: changed !== '' }
  } catch {
    return null
  }
}

const tmpfsMagic = 0x01021994

/** A folder in memory: fsync costs nothing there, so nothing that is measured holds elsewhere. */
export const isInMemory = (folder: string): boolean => statfsSync(folder).type === tmpfsMagic
