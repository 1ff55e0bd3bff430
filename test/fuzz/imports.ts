import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileDialect } from '../../src/codec/dialect.ts'
import { ImportError } from '../../src/codec/dialect-json.ts'
import { importDialect } from '../../src/codec/import-dialect.ts'
import { DialectError } from '../../src/codec/json-shape.ts'
import { mutate, Random } from './random.ts'

const root = join(import.meta.dirname, '../..')
const folders = ['src/codec/vectors/packagers', 'switch-config/dialects']

/** Damaged dialect files: imported and compiled, or refused by an error of theirs, never by another. */
export function fuzzImports(seed: number, count: number): void {
  const random = new Random(seed)
  const texts = folders.flatMap(folder =>
    readdirSync(join(root, folder)).map(file => readFileSync(join(root, folder, file))),
  )
  for (let done = 0; done < count; done++) {
    const text = mutate(random, random.pick(texts), random.pick(texts)).toString('latin1')
    try {
      compileDialect(importDialect(text, 'fuzz').json)
    } catch (error) {
      const isKnown = error instanceof ImportError || error instanceof DialectError || error instanceof SyntaxError
      if (!isKnown) throw new Error(`seed ${seed}, file ${done} is refused by a strange error`, { cause: error })
    }
  }
}
