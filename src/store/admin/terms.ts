import { type Created, type Creation, type Page, type PageRequest, type Refused, refused } from '../../core/admin.ts'
import type { NamedCode, NewTerms, TermsRecord } from '../../core/programs.ts'
import { idOf, microsOf, timestampOf } from '../sql.ts'
import { createOnce } from './changes.ts'
import { pageOf } from './page.ts'
import type { AdminPool, Run, TextRow } from './pool.ts'

const entity = { name: 'terms', isReference: true } as const

const selectText = `SELECT p.code AS program, t.version, ${microsOf('t.starts_at')} AS starts_at,
    ${microsOf('t.made_at')} AS made_at, t.made_by, t.terms
  FROM program_terms t JOIN programs p ON p.tenant = t.tenant AND p.id = t.program`

/** All versions, the latest first. */
export async function listTerms(
  run: Run,
  tenant: number,
  program: string,
  page: PageRequest,
): Promise<Page<TermsRecord>> {
  const rows = await run(
    `${selectText} WHERE t.tenant = $1 AND p.code = $2 AND t.version < coalesce($3::integer, 2147483647)
     ORDER BY t.version DESC LIMIT $4`,
    [tenant, program, page.after, page.limit + 1],
  )
  return pageOf(rows.map(termsOf), page, ({ version }) => String(version))
}

/**
 * Adds a version of the terms: those before it stay as they were. `late`: what happens where they were to start in the
 * past: `refuse`, or `now` for terms that had to wait for a second person.
 */
export function changeTerms(
  pool: AdminPool,
  creation: Creation<TermsRecord>,
  program: string,
  given: NewTerms,
  late: 'refuse' | 'now',
): Promise<Created> {
  const { tenant, label } = creation.actor
  return createOnce(pool, entity, creation, async run => {
    const [found] = await run('SELECT id FROM programs WHERE tenant = $1 AND code = $2', [tenant, program])
    if (found === undefined) return refused('not_found')
    const [clock] = await run(`SELECT ${microsOf('clock_timestamp()')} AS now`)
    const isLate = given.startsAt !== null && given.startsAt < idOf(clock?.now)
    if (isLate && late === 'refuse') return refused('format_invalid', '/startsAt', 'must not be in the past')
    const refusal = await refusalOfCodes(run, tenant, given)
    if (refusal !== null) return refusal
    const terms = isLate ? { ...given, startsAt: null } : given
    const item = await insertTerms(run, { tenant, label, program: { id: idOf(found.id), code: program }, terms })
    return { kind: 'made', item, id: `${program}/${item.version}`, version: null }
  })
}

/** Codes of merchants and programs that are not there. */
export async function refusalOfCodes(run: Run, tenant: number, terms: NewTerms): Promise<Refused | null> {
  const errors = [
    ...(await unknownOf(run, 'merchants', tenant, terms.merchants, 'is not a merchant here')),
    ...(await unknownOf(run, 'programs', tenant, terms.programs, 'is not a program here')),
  ]
  return errors.length === 0 ? null : { kind: 'refused', reason: 'format_invalid', errors }
}

async function unknownOf(
  run: Run,
  table: 'merchants' | 'programs',
  tenant: number,
  named: readonly NamedCode[],
  message: string,
): Promise<{ field: string; message: string }[]> {
  if (named.length === 0) return []
  const codes = named.map(({ code }) => code)
  const rows = await run(`SELECT code FROM ${table} WHERE tenant = $1 AND code = ANY ($2)`, [tenant, codes])
  const known = new Set(rows.map(({ code }) => code))
  return named.filter(({ code }) => !known.has(code)).map(({ field }) => ({ field, message }))
}

interface Insertion {
  readonly tenant: number
  /** Who has made them. */
  readonly label: string
  readonly program: { readonly id: number; readonly code: string }
  readonly terms: NewTerms
}

/** Adds them as the next version. */
export async function insertTerms(run: Run, { tenant, label, program, terms }: Insertion): Promise<TermsRecord> {
  const [made] = await run(
    `INSERT INTO program_terms (starts_at, made_at, tenant, program, version, made_by, terms)
     SELECT coalesce(${timestampOf('$3::bigint')}, at), at, $1, $2,
       (SELECT coalesce(max(version), 0) + 1 FROM program_terms WHERE tenant = $1 AND program = $2), $4, $5::json
     FROM (SELECT clock_timestamp() AS at) AS c RETURNING version`,
    [tenant, program.id, terms.startsAt, label, JSON.stringify(terms.terms)],
  )
  const [row] = await run(`${selectText} WHERE t.tenant = $1 AND t.program = $2 AND t.version = $3`, [
    tenant,
    program.id,
    made?.version,
  ])
  if (row === undefined) throw new Error('new terms are not there')
  return termsOf(row)
}

const termsOf = (row: TextRow): TermsRecord => ({
  program: row.program as string,
  version: idOf(row.version),
  startsAt: idOf(row.starts_at),
  madeAt: idOf(row.made_at),
  madeBy: row.made_by as string,
  terms: JSON.parse(row.terms as string),
})
