import type { AdminPool } from './pool.ts'
import { changeProgram, createProgram, listPrograms, readProgram } from './programs.ts'
import { changeTerms, listTerms } from './terms.ts'

/** Programs and their terms. */
export const createPrograms = (pool: AdminPool) => ({
  program: readProgram.bind(null, pool.run),
  programs: listPrograms.bind(null, pool.run),
  createProgram: createProgram.bind(null, pool),
  changeProgram: changeProgram.bind(null, pool),
  terms: listTerms.bind(null, pool.run),
  changeTerms: changeTerms.bind(null, pool),
})
