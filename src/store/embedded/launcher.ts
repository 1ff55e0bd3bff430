import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process'
import { chmod, cp, lstat, mkdtemp, rename, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Programs } from './programs.ts'

const runFile = promisify(execFile)

/**
 * PostgreSQL refuses uid 0, and root is what containers and CI runners often are. How root can start it all the same:
 * namespace: in a user namespace that calls root nobody. Files stay root's, so a 0700 folder on the way is no obstacle.
 * nobody: as the user nobody, for containers that forbid user namespaces. The data folder is given to nobody.
 */
export type RootMeans = 'namespace' | 'nobody'

/** Starts PostgreSQL's programs as a user that PostgreSQL accepts. */
export type Launcher = {
  readonly programs: Programs
  /** The returned child has the program's own pid: nothing stands between. Its working directory is `/`. */
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess
  /** Gives a file to the user that the programs run as. */
  handOver(path: string): Promise<void>
}

// The caller's PG* variables must not reach initdb or postgres, and LC_ALL keeps their messages in English.
const environment = { LC_ALL: 'C', PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' }

const userNamespace = ['unshare', '--user', '--map-user=65534', '--map-group=65534'] as const

/**
 * The launcher for the present user. Not root: as that user. Root: as the owner of the data folder; where that is root
 * too, by the first of `rootMeans` that works. Throws an Error that says which were tried and why they failed.
 */
export async function chooseLauncher(
  dataDir: string,
  programs: Programs,
  rootMeans: readonly RootMeans[] = ['namespace', 'nobody'],
): Promise<Launcher> {
  const ownUid = process.getuid?.()
  if (ownUid === undefined) throw new Error('The embedded PostgreSQL needs a Unix: set DATABASE_URL to one of yours')
  if (ownUid !== 0) return launcher(programs, await prefixFor(ownUid), {})
  const folder = await stat(dataDir)
  if (folder.uid !== 0) return asUser(dataDir, programs, folder.uid, folder.gid)

  const failures: string[] = []
  for (const means of rootMeans) {
    try {
      return means === 'namespace' ? await inNamespace(dataDir, programs) : await asNobody(dataDir, programs)
    } catch (error) {
      failures.push(`${means}: ${messageOf(error)}`)
    }
  }
  throw new Error(`PostgreSQL cannot run as root, and no other user could be had. ${failures.join('; ')}`)
}

function launcher(
  programs: Programs,
  prefix: readonly string[],
  user: { readonly uid?: number; readonly gid?: number },
): Launcher {
  return {
    programs,
    spawn(program, args, options) {
      const [file = program, ...rest] = [...prefix, program, ...args]
      return spawn(file, rest, { ...options, ...user, env: environment, cwd: '/' })
    },
    async handOver(path) {
      if (user.uid !== undefined) await runFile('chown', ['-R', `${user.uid}:${user.gid}`, path])
    },
  }
}

async function inNamespace(dataDir: string, programs: Programs): Promise<Launcher> {
  const candidate = launcher(programs, userNamespace, {})
  await mustRun(candidate)
  await mustReach(candidate, dataDir)
  return candidate
}

async function asNobody(dataDir: string, programs: Programs): Promise<Launcher> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async flag => Number.parseInt((await runFile('id', [flag, 'nobody'])).stdout, 10)),
  )
  if (uid === undefined || gid === undefined) throw new Error('there is no user nobody')
  const nobody = launcher(programs, [], { uid, gid })
  // Asked before the folder changes hands, so that a failure leaves everything as it was.
  await mustReach(nobody, dirname(dataDir), '-x')
  await nobody.handOver(dataDir)
  return asUser(dataDir, programs, uid, gid)
}

async function asUser(dataDir: string, programs: Programs, uid: number, gid: number): Promise<Launcher> {
  const prefix = await prefixFor(uid)
  const inPlace = launcher(programs, prefix, { uid, gid })
  const candidate = (await succeeds(inPlace, programs.postgres, ['--version']))
    ? inPlace
    : launcher(await copyWithinReach(programs), prefix, { uid, gid })
  await mustRun(candidate)
  await mustReach(candidate, dataDir)
  return candidate
}

// initdb also refuses a uid without a name, as containers with `--user 12345` have; in the namespace it is nobody.
async function prefixFor(uid: number): Promise<readonly string[]> {
  const named = await runFile('id', ['-un', String(uid)]).then(
    () => true,
    () => false,
  )
  return named ? [] : userNamespace
}

async function mustRun(candidate: Launcher): Promise<void> {
  if (await succeeds(candidate, candidate.programs.postgres, ['--version'])) return
  throw new Error(`${candidate.programs.postgres} could not be started`)
}

async function mustReach(candidate: Launcher, folder: string, access: '-w' | '-x' = '-w'): Promise<void> {
  if (await succeeds(candidate, '/bin/sh', ['-c', 'cd "$1" && test "$2" .', 'sh', folder, access])) return
  throw new Error(`${folder} is out of that user's reach: set DATA_DIR to a folder whose parents everybody may pass`)
}

function succeeds(candidate: Launcher, program: string, args: readonly string[]): Promise<boolean> {
  return new Promise(resolve => {
    try {
      const child = candidate.spawn(program, args, { stdio: 'ignore' })
      child.once('error', () => resolve(false))
      child.once('exit', code => resolve(code === 0))
    } catch {
      // Without the right to change its user, spawn throws instead of emitting an error.
      resolve(false)
    }
  })
}

// Copied once per version. The folder's name is known, and anybody may write in the folder for temporary files, so one
// that is not root's own, or that others may write, is not trusted.
async function copyWithinReach(programs: Programs): Promise<Programs> {
  const { stdout } = await runFile(programs.postgres, ['--version'], { env: environment })
  const version = stdout.match(/\d+\.\d+/)?.[0] ?? 'unknown'
  const target = join(tmpdir(), `charsu-postgres-${version}-${process.arch}`)
  const existing = await lstat(target).catch(() => undefined)
  if (existing === undefined) {
    const fresh = await mkdtemp(`${target}-`)
    await cp(dirname(dirname(programs.postgres)), fresh, { recursive: true, verbatimSymlinks: true })
    await chmod(fresh, 0o755)
    await runFile('chmod', ['-R', 'a+rX,go-w', fresh])
    await rename(fresh, target)
  } else if (!existing.isDirectory() || existing.uid !== 0 || (existing.mode & 0o022) !== 0) {
    throw new Error(`${target} is in the way: it is not a folder that only root can write`)
  }
  return { initdb: join(target, 'bin/initdb'), postgres: join(target, 'bin/postgres') }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
