import { moveReasons } from '../../core/move-reasons.ts'
import type { Reason } from '../../core/reasons.ts'
import type { RouteDocs } from '../routes/docs.ts'
import { type Filter, listParameters, queryParameters } from './lists.ts'

interface AdminDocs {
  readonly operationId: string
  readonly tag: RouteDocs['tag']
  readonly summary: string
  readonly description: string
  /** Why it may be refused, beside what every call of its kind may be refused for. */
  readonly reasons?: readonly Reason[]
  /** Parameters that are in no schema, as OpenAPI has them. */
  readonly parameters?: readonly object[]
  /** The media types of its body, where that is a file. */
  readonly fileTypes?: readonly string[]
}

const docsOf = (
  docs: AdminDocs,
  rest: Pick<RouteDocs, 'success' | 'keyed' | 'parameters'>,
  reasons: readonly Reason[],
) => ({
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

/** A call that puts something where there may be nothing; doing it again changes nothing. */
export const putDocs = (docs: AdminDocs) =>
  docsOf(docs, { success: { 200: 'As it is now.', 201: 'It was not there before.' }, keyed: false }, [])

/** A call that takes something away. */
export const removeDocs = (docs: AdminDocs) =>
  docsOf(docs, { success: { 204: 'It is gone.' }, keyed: false }, ['not_found'])

/** A call that ends something for good, and needs no key: doing it again changes nothing. */
export const disableDocs = (docs: AdminDocs) =>
  docsOf(docs, { success: { 200: 'As it is now.' }, keyed: false }, ['not_found'])

/** A read with parameters, which is no list. */
export const reportDocs = (docs: AdminDocs, filters: Readonly<Record<string, Filter<unknown>>>) =>
  docsOf(docs, { success: { 200: 'The report.' }, keyed: false, parameters: queryParameters(filters) }, ['not_found'])

const ifMatch = {
  name: 'If-Match',
  in: 'header',
  required: true,
  description: 'The ETag of what you have seen: a change by somebody else since then is not overwritten.',
  schema: { type: 'string', pattern: '^"[1-9][0-9]*"$' },
  example: '"3"',
}

const waits = 'Waits for a second person: an approval.'

/** What no call asks of the engine: schemas take no amount of zero, and organisations are found before. */
const neverRefused: readonly Reason[] = ['amount_invalid', 'organisation_unknown']

/** Why the engine may refuse a move of this kind. */
export const reasonsOf = (kind: keyof typeof moveReasons): readonly Reason[] =>
  moveReasons[kind].filter(reason => !neverRefused.includes(reason))

/** A call that moves money, or waits for a second person. */
export const moveDocs = (docs: AdminDocs) =>
  docsOf(docs, { success: { 201: 'Done.', 202: waits }, keyed: true }, ['not_found'])

/** The same, where it may have to wait for a second person: only then does it need a key. */
export const mayWait = ({ docs }: { readonly docs: RouteDocs }) => ({
  docs: {
    ...docs,
    success: { ...docs.success, 202: waits },
    reasons: [...docs.reasons, 'key_missing', 'second_person_needed', 'in_progress', 'other_content'],
    parameters: [...(docs.parameters ?? []), keyIfItWaits],
  } satisfies RouteDocs,
})

const keyIfItWaits = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Is required where a second person must agree: the approval is that of this key.',
  schema: { type: 'string' },
  example: 'holiday-1405-01-01',
}

/** A call that starts something, or waits for a second person. */
export const startDocs = (docs: AdminDocs) =>
  docsOf(docs, { success: { 202: 'Started, or it waits for a second person.' }, keyed: true }, [
    'not_found',
    'state_unsuitable',
  ])

/** A call that does something to one thing; doing it again changes nothing. */
export const actionDocs = (docs: AdminDocs) =>
  docsOf(docs, { success: { 200: 'As it is now.' }, keyed: true }, ['not_found', 'state_unsuitable'])
