import type { Reason } from '../../core/reasons.ts'
import type { RouteDocs } from '../routes/docs.ts'
import { type Filter, listParameters } from './lists.ts'

interface AdminDocs {
  readonly operationId: string
  readonly tag: RouteDocs['tag']
  readonly summary: string
  readonly description: string
  /** Why it may be refused, beside what every call of its kind may be refused for. */
  readonly reasons?: readonly Reason[]
}

const docsOf = (docs: AdminDocs, rest: Omit<RouteDocs, keyof AdminDocs | 'reasons'>, reasons: readonly Reason[]) => ({
  docs: { ...docs, ...rest, reasons: [...reasons, ...(docs.reasons ?? [])] } satisfies RouteDocs,
})

/** A call that makes something, or moves money. */
export const createDocs = (docs: AdminDocs) => docsOf(docs, { success: { 201: 'Done.' }, keyed: true }, [])

/** A call that changes something with If-Match. */
export const changeDocs = (docs: AdminDocs) =>
  docsOf(docs, { success: { 200: 'As it is now.' }, keyed: false, parameters: [ifMatch] }, [
    'not_found',
    'version_missing',
    'version_mismatch',
  ])

export const readDocs = (docs: AdminDocs) =>
  docsOf(docs, { success: { 200: 'As it is now.' }, keyed: false }, ['not_found'])

export const listDocs = (docs: AdminDocs, filters: Readonly<Record<string, Filter<unknown>>> = {}) =>
  docsOf(docs, { success: { 200: 'A page.' }, keyed: false, parameters: listParameters(filters) }, [])

const ifMatch = {
  name: 'If-Match',
  in: 'header',
  required: true,
  description: 'The ETag of what you have seen: a change by somebody else since then is not overwritten.',
  schema: { type: 'string', pattern: '^"[1-9][0-9]*"$' },
  example: '"3"',
}
