import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { compileDialect, type Dialect } from '../../src/codec/dialect.ts'
import { importDialect } from '../../src/codec/import-dialect.ts'
import vectors from '../../src/codec/vectors/messages.json' with { type: 'json' }

const root = join(import.meta.dirname, '../..')
const folder = join(root, 'test/corpus')

/** Messages of one dialect, good and bad, that every run of the fuzzer begins from. */
export interface Corpus {
  readonly name: string
  readonly dialect: Dialect
  readonly messages: readonly Buffer[]
}

/**
 * The kept corpus: a file a dialect, a message a line in hexadecimal, `#` before remarks. The file has the name of a
 * shipped dialect, of a packager under test, or of one of the published vectors. A message that broke something is
 * added here.
 */
export function readCorpus(): Corpus[] {
  return readdirSync(folder).map(file => {
    const name = basename(file, '.hex')
    const lines = readFileSync(join(folder, file), 'utf8').split(/\r?\n/)
    const messages = lines.filter(line => line !== '' && !line.startsWith('#')).map(line => Buffer.from(line, 'hex'))
    return { name, dialect: dialectOf(name), messages }
  })
}

function dialectOf(name: string): Dialect {
  const files = [`switch-config/dialects/${name}.json`, `src/codec/vectors/packagers/${name}.xml`]
  const path = files.map(file => join(root, file)).find(file => existsSync(file))
  if (path !== undefined) return compileDialect(importDialect(readFileSync(path, 'utf8'), name).json)
  const published = (vectors.dialects as Record<string, unknown>)[name]
  if (published === undefined) throw new Error(`test/corpus/${name}.hex: there is no dialect of this name`)
  return compileDialect(published)
}
