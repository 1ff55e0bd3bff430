import { BatchError } from '../store/errors.ts'
import type { ImportConnection } from '../store/import/connection.ts'
import { findImport, type ImportFile, lockImport, startImport } from '../store/import/progress.ts'
import { emptyReport, type ImportReport } from './import-report.ts'
import { OperatorError } from './key-store.ts'

/** Where an import begins. */
export interface ImportState {
  /** Number of the import; 0 of a dry run. */
  readonly id: number
  readonly tenant: number
  readonly startedAt: string
  readonly lines: number
  readonly rejectsBytes: number
  readonly report: ImportReport
}

interface Wish {
  readonly isDry: boolean
  readonly resumes: boolean
  readonly repeats: boolean
}

/** Begins an import of a file, or goes on with one; `finished`: it has been done. Throws OperatorError. */
export async function openState(
  connection: ImportConnection,
  file: ImportFile,
  { isDry, resumes, repeats }: Wish,
): Promise<ImportState | 'finished'> {
  const { tenant } = file
  if (isDry) return { id: 0, tenant, startedAt: 'epoch', lines: 0, rejectsBytes: 0, report: emptyReport }
  try {
    await lockImport(connection, file)
  } catch (error) {
    if (!(error instanceof BatchError) || error.fault !== 'locked') throw error
    throw new OperatorError('another process is importing this file')
  }
  const found = await findImport(connection, file)
  if (found === null || (found.isFinished && repeats)) {
    if (resumes) throw new OperatorError('there is no interrupted import of this file')
    const { id, startedAt } = await startImport(connection, file, JSON.stringify(emptyReport))
    return { id, tenant, startedAt, lines: 0, rejectsBytes: 0, report: emptyReport }
  }
  if (found.isFinished) return 'finished'
  const { id, startedAt, lines, rejectsBytes } = found
  if (!resumes) throw new OperatorError(`an import of this file was interrupted after line ${lines}: --resume goes on`)
  if (found.settings !== file.settings) {
    throw new OperatorError(`it must go on with the mapping and options that it began with: ${found.settings}`)
  }
  return { id, tenant, startedAt, lines, rejectsBytes, report: JSON.parse(found.report) as ImportReport }
}
