import type { Change, Changed, Created, Creation, Page, PageRequest } from '../../core/admin.ts'
import type { NewProgram, NewTerms, ProgramPatch, ProgramRecord, TermsRecord } from '../../core/programs.ts'

/** Programs and their terms. */
export interface ProgramsAdmin {
  program(tenant: number, code: string): Promise<ProgramRecord | null>
  /** `only`: what this organisation (its id) funds, and what has no funder of its own; null: all. */
  programs(
    tenant: number,
    filter: {
      readonly only: number | null
      readonly kind: ProgramRecord['kind'] | null
      readonly status: ProgramRecord['status'] | null
    },
    page: PageRequest,
  ): Promise<Page<ProgramRecord>>
  createProgram(creation: Creation<ProgramRecord>, fields: NewProgram, terms: NewTerms | null): Promise<Created>
  changeProgram(change: Change<ProgramRecord>, code: string, patch: ProgramPatch): Promise<Changed<ProgramRecord>>
  terms(tenant: number, program: string, page: PageRequest): Promise<Page<TermsRecord>>
  /** `late`: what happens where they were to start in the past. */
  changeTerms(
    creation: Creation<TermsRecord>,
    program: string,
    terms: NewTerms,
    late: 'refuse' | 'now',
  ): Promise<Created>
}
