import type { Program } from './catalog.ts'
import type { Micros } from './ids.ts'
import { readTerms, type TermsError, termsJson } from './terms-json.ts'

export const programStatuses = ['active', 'closed'] as const

/** A program as the admin API has it. */
export interface ProgramRecord {
  readonly id: number
  readonly code: string
  readonly name: string
  readonly kind: Program['kind']
  /** Code of the organisation that pays for loads which do not say it. */
  readonly funder: string | null
  readonly funderId: number | null
  /** What the numbers of its cards begin with. */
  readonly bin: string | null
  /** Code of the asset. */
  readonly asset: string
  readonly status: (typeof programStatuses)[number]
  readonly version: number
}

/** `asset` null: the currency of the tenant. */
export interface NewProgram extends Omit<ProgramRecord, 'id' | 'version' | 'funderId' | 'asset'> {
  readonly asset: string | null
}
export type ProgramPatch = Partial<Pick<ProgramRecord, 'name' | 'funder' | 'bin' | 'status'>>

/** One version of the terms of a program. */
export interface TermsRecord {
  readonly program: string
  readonly version: number
  readonly startsAt: Micros
  readonly madeAt: Micros
  /** What people call the API key. */
  readonly madeBy: string
  /** As `termsJson` writes them. */
  readonly terms: unknown
}

/** `startsAt` null: at once. */
export interface NewTerms {
  readonly startsAt: Micros | null
  readonly terms: unknown
  /** Codes that must be those of merchants and programs, with where each of them is named. */
  readonly merchants: readonly NamedCode[]
  readonly programs: readonly NamedCode[]
}

export interface NamedCode {
  readonly field: string
  readonly code: string
}

/** Terms as they are stored, and the codes in them; or what is wrong, each by its JSON pointer below `/terms`. */
export function newTermsOf(json: unknown): Omit<NewTerms, 'startsAt'> | { readonly errors: readonly TermsError[] } {
  const { terms, errors } = readTerms(json)
  if (terms === null) return { errors: errors.map(({ field, message }) => ({ field: pointerOf(field), message })) }
  const named = (codes: readonly string[], field: string): NamedCode[] =>
    codes.map((code, index) => ({ field: pointerOf(`${field}[${index}]`), code }))
  const { allow, deny } = terms.where
  return {
    terms: termsJson(terms),
    merchants: [...named(allow.merchants, 'where.allow.merchants'), ...named(deny.merchants, 'where.deny.merchants')],
    programs: named(terms.transfersTo, 'transfersTo'),
  }
}

/** `limits[0].amount` → `/terms/limits/0/amount` */
function pointerOf(field: string): string {
  if (field === 'terms') return '/terms'
  return `/terms/${field.replace(/\[(\d+)\]/g, '.$1').replaceAll('.', '/')}`
}
