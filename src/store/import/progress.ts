import { type Statement, statement } from '../sql.ts'
import type { ImportConnection } from './connection.ts'

export const importKinds = ['cardholders', 'cards', 'merchants', 'terminals'] as const
export type ImportKind = (typeof importKinds)[number]

/** Which file is imported, and how: the same file with the same settings goes on where it was. */
export interface ImportFile {
  readonly tenant: number
  readonly kind: ImportKind
  /** SHA-256, 64 hexadecimal digits. */
  readonly hash: string
  readonly name: string
  /** Mapping and constants, as text. */
  readonly settings: string
}

interface StoredImport {
  readonly id: number
  /** As PostgreSQL writes it. All rows of an import carry it, so that duplicates within the file are known as such. */
  readonly startedAt: string
  readonly isFinished: boolean
  readonly settings: string
  /** Lines of the file that are done. */
  readonly lines: number
  readonly rejectsBytes: number
  /** JSON text. */
  readonly report: string
}

const columns = `id, started_at::text, finished_at IS NOT NULL, settings, lines, rejects_bytes, report::text`

const importOf = (row: readonly (string | null)[]): StoredImport => ({
  id: Number.parseInt(row[0] as string, 10),
  startedAt: row[1] as string,
  isFinished: row[2] === 't',
  settings: row[3] as string,
  lines: Number.parseInt(row[4] as string, 10),
  rejectsBytes: Number.parseInt(row[5] as string, 10),
  report: row[6] as string,
})

/** Keeps a second process from importing the same file; held by the session. Throws BatchError `locked`. */
export async function lockImport(connection: ImportConnection, { tenant, kind, hash }: ImportFile): Promise<void> {
  const text = 'SELECT pg_advisory_lock(hashtextextended($1::text, 0))'
  await connection.run(statement('lock_import', text, [`charsu import ${tenant} ${kind} ${hash}`]))
}

/** The latest import of this file; null: it has never been imported. */
export async function findImport(
  connection: ImportConnection,
  { tenant, kind, hash }: ImportFile,
): Promise<StoredImport | null> {
  const [row] = await connection.run(
    statement(
      'find_import',
      `SELECT ${columns} FROM imports WHERE tenant = $1 AND kind = $2 AND file_hash = decode($3, 'hex')
       ORDER BY id DESC LIMIT 1`,
      [tenant, kind, hash],
    ),
  )
  return row === undefined ? null : importOf(row)
}

export async function startImport(connection: ImportConnection, file: ImportFile, report: string) {
  const { tenant, kind, hash, name, settings } = file
  const [row] = await connection.run(
    statement(
      'start_import',
      `INSERT INTO imports (started_at, changed_at, tenant, kind, file_name, file_hash, settings, report)
       SELECT at, at, $1::integer, $2::text, $3::text, decode($4::text, 'hex'), $5::text, $6::json
       FROM clock_timestamp() AS at RETURNING ${columns}`,
      [tenant, kind, name, hash, settings, report],
    ),
  )
  return importOf(row as readonly string[])
}

/** How far an import has come with a batch. */
export interface Progress {
  /** Lines that were done before the batch, and with it. */
  readonly linesBefore: number
  readonly lines: number
  readonly rejectsBytes: number
  /** JSON text. */
  readonly report: string
  readonly isFinished: boolean
}

/**
 * Moves an import on, if it is still where this process has left it, within the transaction of the batch. Its end is
 * noted in the audit log.
 */
export async function saveProgress(
  connection: ImportConnection,
  { tenant, number }: { readonly tenant: number; readonly number: number },
  progress: Progress,
): Promise<void> {
  await connection.run(moveOn(tenant, number, progress))
  if (progress.isFinished) await connection.run(logEnd(tenant, number, progress.report))
}

const logEnd = (tenant: number, id: number, report: string): Statement =>
  statement(
    'log_import',
    `INSERT INTO audit_log (at, tenant, api_key, actor, action, entity, entity_id, after)
     VALUES (clock_timestamp(), $1, 0, 'charsu import ' || $2::text, 'import', 'import', $2::text, $3::json)`,
    [tenant, String(id), report],
  )

const moveOn = (tenant: number, id: number, progress: Progress): Statement =>
  statement(
    'save_progress',
    `WITH moved AS (
       UPDATE imports SET lines = $4, rejects_bytes = $5, report = $6, changed_at = clock_timestamp(),
         finished_at = CASE WHEN $7 THEN clock_timestamp() END
       WHERE tenant = $1 AND id = $2 AND lines = $3 AND finished_at IS NULL RETURNING 1)
     SELECT expect_rows((SELECT count(*) FROM moved), 1, 'progress of the import')`,
    [tenant, id, progress.linesBefore, progress.lines, progress.rejectsBytes, progress.report, progress.isFinished],
  )
