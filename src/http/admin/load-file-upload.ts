import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Catalog, Program } from '../../core/catalog.ts'
import type { NewLine, NewList } from '../../core/load-lists.ts'
import { startOfDay } from '../../core/local-time.ts'
import { unknownParameter } from '../auth.ts'
import { holdsCardNumber } from '../card-number.ts'
import type { HttpDeps } from '../deps.ts'
import { tellable } from '../field-errors.ts'
import type { FieldError, Refusal } from '../problem.ts'
import { parseRfc3339 } from '../times.ts'
import { funderOf, programOf } from './holders.ts'
import type { SheetLine } from './sheet-worker.ts'
import { readSheetFile } from './sheets.ts'

export const xlsxType = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
export const fileBytesMax = 20 * 1024 * 1024
export const linesMax = 100_000

/** What is said of a file beside its bytes, in the query. */
export const uploadParameters = {
  program: 'Code of the program, for lines that do not say it.',
  funder: 'Code of the organisation that pays. Left out: that of each program.',
  expiresAt: 'When the loads expire, for lines that do not say it; RFC 3339. Left out: as the terms say.',
  reference: 'Your own number of it. The same file may be loaded again only under another.',
  reason: 'Why, in words of your own.',
  name: 'Name of the file.',
} as const
type Parameter = keyof typeof uploadParameters

/** A file that was read, ready to be stored; or why it cannot be. */
export async function readUpload(
  request: FastifyRequest,
  catalog: Catalog,
  deps: HttpDeps,
): Promise<{ readonly list: NewList } | { readonly refusal: Refusal }> {
  const { apiKey, query, body } = request
  const given = query as Readonly<Record<string, unknown>>
  const errors = queryErrors(given)
  if (errors.length > 0) return { refusal: { reason: 'format_invalid', errors } }
  const {
    program: programCode,
    funder: funderCode,
    expiresAt,
    reference,
    reason,
    name,
  } = given as Partial<Record<Parameter, string>>
  const program = programCode === undefined ? null : programOf(programCode, catalog, 'program')
  if (program !== null && 'refusal' in program) return program
  // Without one that is named, each line is paid by the funder of its program: see `linesOf`.
  const own = catalog.fundersById.get(apiKey.organisation ?? 0)?.code
  const code = funderCode ?? own
  const paid = code === undefined ? null : funderOf(code, null, apiKey, catalog)
  if (paid !== null && 'refusal' in paid) return paid
  if (!Buffer.isBuffer(body) || body.length === 0) {
    return { refusal: { reason: 'format_invalid', errors: [{ field: '/', message: 'must be a CSV or XLSX file' }] } }
  }
  const { tenant } = catalog
  const sheet = await readSheetFile({
    bytes: body,
    format: request.headers['content-type']?.startsWith('text/csv') ? 'csv' : 'xlsx',
    tenant: tenant.id,
    panKey: deps.panKey,
    scale: tenant.currency.scale,
    linesMax,
  })
  if (sheet.kind === 'invalid') return { refusal: { reason: 'format_invalid', errors: [sheet.error] } }
  const defaults = { program: program?.program ?? null, funder: paid?.funder.id ?? null }
  return {
    list: {
      name: name ?? 'file',
      size: body.length,
      hash: createHash('sha256')
        .update(`${(reference ?? '').length}:${reference ?? ''}|`)
        .update(body)
        .digest('hex'),
      program: defaults.program?.id ?? null,
      funder: defaults.funder,
      expiresAt: expiresAt === undefined ? null : parseRfc3339(expiresAt),
      reason: reason ?? null,
      reference: reference ?? null,
      ignored: sheet.ignored,
      lines: linesOf(sheet.lines, defaults, expiresAt === undefined ? null : parseRfc3339(expiresAt), catalog),
    },
  }
}

function queryErrors(given: Readonly<Record<string, unknown>>): FieldError[] {
  const errors: FieldError[] = []
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(uploadParameters, name)) errors.push({ field: tellable(name), message: unknownParameter })
    else if (typeof value !== 'string') errors.push({ field: name, message: 'must be given once' })
    else if (!/^[^\p{Cc}\p{Cs}]{1,100}$/u.test(value) || (name === 'reference' && value.length > 64)) {
      errors.push({ field: name, message: 'must be 1 to 64 characters without control characters' })
    } else if (holdsCardNumber(value)) errors.push({ field: name, message: 'must not look like a card number' })
    else if (name === 'expiresAt' && parseRfc3339(value) === null) {
      errors.push({ field: name, message: 'must be an RFC 3339 time such as 2026-12-31T20:30:00Z' })
    }
  }
  return errors
}

/** The lines with programs and funders by id, and what is wrong with those that have none. */
function linesOf(
  lines: readonly SheetLine[],
  defaults: { readonly program: Program | null; readonly funder: number | null },
  expiresAt: number | null,
  { programsById, tenant }: Catalog,
): NewLine[] {
  const byCode = new Map([...programsById.values()].map(program => [program.code, program]))
  return lines.map(({ program: code, expiry, error: own, ...line }) => {
    const program = code === null ? defaults.program : (byCode.get(code) ?? null)
    const funder = defaults.funder ?? program?.funder ?? null
    const error: NewLine['error'] =
      own ??
      (program === null
        ? { field: 'program', reason: code === null ? 'program_missing' : 'program_unknown' }
        : funder === null
          ? { field: 'program', reason: 'funder_missing' }
          : null)
    return {
      ...line,
      program: program?.id ?? null,
      funder,
      expiresAt: expiry === null ? expiresAt : startOfDay(expiry + 1, tenant.timeZone),
      error,
    }
  })
}
