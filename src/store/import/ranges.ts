import { idOf, statement } from '../sql.ts'
import type { ImportConnection } from './connection.ts'

/** Programs and what the numbers of their cards begin with, the longest first. */
export async function readRanges(connection: ImportConnection, tenant: number) {
  const text = 'SELECT id, bin FROM programs WHERE tenant = $1 AND bin IS NOT NULL ORDER BY length(bin) DESC, id'
  const rows = await connection.run(statement('import_ranges', text, [tenant]))
  return rows.map(([program, bin]) => ({ program: idOf(program), bin: bin as string }))
}
