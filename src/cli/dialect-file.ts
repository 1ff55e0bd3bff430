import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { compileDialect, type Dialect } from '../codec/dialect.ts'
import { ImportError } from '../codec/dialect-json.ts'
import { type DialectSource, importDialect } from '../codec/import-dialect.ts'
import { DialectError } from '../codec/json-shape.ts'
import { dialectsFolder } from '../config/load.ts'
import { UsageError } from './io.ts'

/** A dialect file that is wrong; the message names the file, and in it the field or path. */
export class DialectFileError extends Error {}

interface DialectFile {
  readonly path: string
  readonly source: DialectSource
  /** What the import left out, a line each. */
  readonly warnings: readonly string[]
  /** In our format, not yet checked. */
  readonly json: unknown
}

/** Reads a path, or the name of a dialect in switch-config/dialects; also a jPOS packager or moov specification. */
export function readDialectFile(given: string, name = basename(given, extname(given))): DialectFile {
  const path = pathOf(given)
  const text = readText(path, given)
  const warnings: string[] = []
  const warn = (field: string, problem: string) => warnings.push(`${path}: field ${field}: ${problem}`)
  return { path, warnings, ...explained(path, () => importDialect(text, name, warn)) }
}

/** The same, checked and compiled; what its import left out goes to `err`. */
export function loadDialect(given: string, err: (warning: string) => void): Dialect {
  const { path, json, warnings } = readDialectFile(given)
  const dialect = explained(path, () => compileDialect(json))
  for (const warning of warnings) err(warning)
  return dialect
}

/** What `work` throws about the file, with its path. */
export function explained<Result>(path: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    if (error instanceof DialectError || error instanceof ImportError) {
      throw new DialectFileError(`${path}: ${error.message}`, { cause: error })
    }
    if (error instanceof SyntaxError) {
      throw new DialectFileError(`${path}: neither XML nor JSON: ${onOneLine(error.message)}`, { cause: error })
    }
    throw error
  }
}

/** What a parser says may quote lines of its text. */
export const onOneLine = (message: string) => message.replace(/\s+/g, ' ')

function pathOf(given: string) {
  if (existsSync(given) || !/^[\w.-]+$/.test(given)) return given
  const shipped = join(dialectsFolder(), `${given}.json`)
  return existsSync(shipped) ? shipped : given
}

function readText(path: string, given: string) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? `there is no file and no dialect "${given}"` : `${given} can't be read (${code})`
    throw new UsageError(`${reason}; dialects by name: ${shippedNames().join(', ')}`)
  }
}

function shippedNames() {
  const folder = dialectsFolder()
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap(file => (/^[\w-]+\.json$/.test(file) ? [basename(file, '.json')] : []))
}
