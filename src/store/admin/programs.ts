import {
  type Change,
  type Changed,
  type Created,
  type Creation,
  type Page,
  type PageRequest,
  type Refused,
  refused,
} from '../../core/admin.ts'
import type { NewProgram, NewTerms, ProgramPatch, ProgramRecord } from '../../core/programs.ts'
import { idOf, idOrNull } from '../sql.ts'
import { assignments, changeOnce, codeTaken, createOnce } from './changes.ts'
import { pageOf } from './page.ts'
import type { AdminPool, Run, TextRow } from './pool.ts'
import { insertTerms, refusalOfCodes } from './terms.ts'

const entity = { name: 'program', isReference: true } as const

const selectText = `SELECT p.id, p.code, p.name, p.kind, o.code AS funder, p.funder AS funder_id, p.bin,
    a.code AS asset, p.status, p.version
  FROM programs p JOIN assets a ON a.tenant = p.tenant AND a.id = p.asset
  LEFT JOIN organisations o ON o.tenant = p.tenant AND o.id = p.funder`

export async function readProgram(run: Run, tenant: number, code: string, lock = ''): Promise<ProgramRecord | null> {
  const [row] = await run(`${selectText} WHERE p.tenant = $1 AND p.code = $2 ${lock}`, [tenant, code])
  return row === undefined ? null : programOf(row)
}

interface ProgramFilter {
  /** Only what this organisation (its id) funds, and what has no funder of its own; null: all. */
  readonly only: number | null
  readonly kind: string | null
  readonly status: string | null
}

/** In the order of their codes. */
export async function listPrograms(
  run: Run,
  tenant: number,
  { only, kind, status }: ProgramFilter,
  page: PageRequest,
): Promise<Page<ProgramRecord>> {
  const rows = await run(
    `${selectText} WHERE p.tenant = $1 AND ($2::integer IS NULL OR p.funder IS NULL OR p.funder = $2)
       AND ($3::text IS NULL OR p.kind = $3) AND ($4::text IS NULL OR p.status = $4)
       AND ($5::text IS NULL OR p.code > $5) ORDER BY p.code LIMIT $6`,
    [tenant, only, kind, status, page.after, page.limit + 1],
  )
  return pageOf(rows.map(programOf), page, ({ code }) => code)
}

/** `terms`: its first ones; null: it may be spent everywhere, without a limit, for ever. */
export function createProgram(
  pool: AdminPool,
  creation: Creation<ProgramRecord>,
  fields: NewProgram,
  terms: NewTerms | null,
): Promise<Created> {
  const { tenant, label } = creation.actor
  return createOnce(pool, entity, creation, async run => {
    const { code, funder, asset } = fields
    if ((await readProgram(run, tenant, code)) !== null) return codeTaken()
    const refusal = (await refusalOfFunder(run, tenant, funder)) ?? (await refusalOfAsset(run, tenant, asset))
    if (refusal !== null) return refusal
    const item = await insertProgram(run, tenant, fields)
    if (terms !== null) {
      const unknown = await refusalOfCodes(run, tenant, terms)
      if (unknown !== null) return unknown
      await insertTerms(run, { tenant, label, program: item, terms })
    }
    return { kind: 'made', item, id: code, version: item.version }
  })
}

/** Adds a program whose code nobody has. */
export async function insertProgram(run: Run, tenant: number, fields: NewProgram): Promise<ProgramRecord> {
  const { code, name, kind, funder, bin, asset, status } = fields
  await run(
    `INSERT INTO programs (tenant, id, code, name, kind, funder, bin, asset, status)
     SELECT $1, (SELECT coalesce(max(id), 0) + 1 FROM programs WHERE tenant = $1), $2, $3, $4,
       (SELECT id FROM organisations WHERE tenant = $1 AND code = $5), $6,
       coalesce((SELECT id FROM assets WHERE tenant = $1 AND code = $7), t.currency), $8
     FROM tenants t WHERE t.id = $1`,
    [tenant, code, name, kind, funder, bin, asset, status],
  )
  const item = await readProgram(run, tenant, code)
  if (item === null) throw new Error('a new program is not there')
  return item
}

export function changeProgram(
  pool: AdminPool,
  change: Change<ProgramRecord>,
  code: string,
  patch: ProgramPatch,
): Promise<Changed<ProgramRecord>> {
  const { tenant } = change.actor
  return changeOnce(pool, { ...entity, id: code }, change, {
    read: run => readProgram(run, tenant, code, 'FOR NO KEY UPDATE OF p'),
    write: async run => {
      const { name, funder, bin, status } = patch
      const refusal = await refusalOfFunder(run, tenant, funder ?? null)
      if (refusal !== null) return refusal
      const [found] = await run('SELECT id FROM organisations WHERE tenant = $1 AND code = $2', [tenant, funder])
      const { sql, values } = assignments(
        { name, bin, status, funder: funder === undefined ? undefined : (found?.id ?? null) },
        3,
      )
      await run(`UPDATE programs SET ${sql} WHERE tenant = $1 AND code = $2`, [tenant, code, ...values])
      return null
    },
  })
}

async function refusalOfFunder(run: Run, tenant: number, funder: string | null): Promise<Refused | null> {
  if (funder === null) return null
  const [found] = await run('SELECT id FROM organisations WHERE tenant = $1 AND code = $2', [tenant, funder])
  return found === undefined ? refused('format_invalid', '/funder', 'is not an organisation here') : null
}

async function refusalOfAsset(run: Run, tenant: number, asset: string | null): Promise<Refused | null> {
  if (asset === null) return null
  const [found] = await run('SELECT id FROM assets WHERE tenant = $1 AND code = $2', [tenant, asset])
  return found === undefined ? refused('format_invalid', '/asset', 'is not an asset here') : null
}

const programOf = (row: TextRow): ProgramRecord => ({
  id: idOf(row.id),
  code: row.code as string,
  name: row.name as string,
  kind: row.kind as ProgramRecord['kind'],
  funder: row.funder ?? null,
  funderId: idOrNull(row.funder_id),
  bin: row.bin ?? null,
  asset: row.asset as string,
  status: row.status as ProgramRecord['status'],
  version: idOf(row.version),
})
