import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { phaseCodes } from '../core/phases.ts'
import { type Reason, reasons } from '../core/reasons.ts'
import type { HttpApp } from './deps.ts'
import { idempotencyHeader, replayedHeader } from './idempotency.ts'
import { limits } from './limits.ts'
import { pageLimits } from './list-query.ts'
import { problemMediaType, problemOf, type Refusal } from './problem.ts'
import { type RouteDocs, tags } from './routes/docs.ts'
import { roles, scopes } from './scopes.ts'

/** Why any call with a key may be refused. */
const anyCall: readonly Reason[] = [
  'format_invalid',
  'unauthenticated',
  'forbidden',
  'switch_unavailable',
  'internal_error',
]
const keyedCall: readonly Reason[] = ['key_missing', 'in_progress', 'other_content', 'switch_busy', 'outcome_unknown']
const callWithBody: readonly Reason[] = ['too_large', 'media_type_unsupported']

/** Describes every call at /openapi.json and /docs. The refusals come from the table of reasons. */
export async function describeApi(app: HttpApp, version: string): Promise<void> {
  const documented = new Map<string, RouteDocs>()
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Charsu',
        version,
        summary: 'A payment switch: authorize, confirm, reverse and settle.',
        description: introduction,
      },
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'Your API key.' } },
      },
      security: [{ apiKey: [] }],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `schema-${index}`) },
    transform: ({ schema, url, route }) => {
      const docs = route.config?.docs
      if (docs === undefined) return { schema: { ...schema, hide: true }, url }
      documented.set(docs.operationId, docs)
      const { operationId, summary, description, tag } = docs
      return { schema: { ...schema, operationId, summary, description, tags: [tag] }, url }
    },
    transformObject: document => {
      if (!('openapiObject' in document)) return document.swaggerObject
      const { openapiObject } = document
      for (const path of Object.values(openapiObject.paths ?? {})) {
        for (const operation of Object.values(path ?? {}) as Operation[]) {
          const docs = documented.get(operation.operationId ?? '')
          if (docs !== undefined) complete(operation, docs)
        }
      }
      return openapiObject
    },
  })
  await app.register(swaggerUi, { routePrefix: '/docs' })
}

interface Operation {
  operationId?: string
  parameters?: object[]
  requestBody?: { required?: boolean; content?: object }
  responses: Record<string, object>
}

function complete(operation: Operation, docs: RouteDocs): void {
  const { keyed, success, query, bodyOptional, mediaType, fileTypes, parameters } = docs
  if (parameters !== undefined) operation.parameters = [...(operation.parameters ?? []), ...parameters]
  if (keyed) operation.parameters = [...(operation.parameters ?? []), keyParameter]
  if (query === 'list') operation.parameters = listParameters
  if (fileTypes !== undefined) {
    const file = { schema: { type: 'string', format: 'binary' } }
    operation.requestBody = { required: true, content: Object.fromEntries(fileTypes.map(type => [type, file])) }
  }
  if (operation.requestBody !== undefined && bodyOptional === true) operation.requestBody.required = false
  for (const [status, description] of Object.entries(success)) {
    const content = mediaType === undefined ? {} : { content: { [mediaType]: { schema: { type: 'string' } } } }
    const headers = keyed ? { headers: { [replayedHeader]: replayed } } : {}
    operation.responses[status] = { ...operation.responses[status], description, ...headers, ...content }
  }
  const own = operation.requestBody === undefined ? docs.reasons : [...docs.reasons, ...callWithBody]
  const all = keyed ? [...own, ...keyedCall, ...anyCall] : [...own, ...anyCall]
  for (const [status, those] of Map.groupBy(all, reason => reasons[reason].http)) {
    operation.responses[String(status)] = refusalResponse(status, those)
  }
}

function refusalResponse(status: number, those: readonly Reason[]): object {
  const retryAfter = { description: 'Seconds to wait before trying again.', schema: { type: 'integer' } }
  return {
    description: those.map(reason => `\`${reason}\`: ${reasons[reason].en}`).join('\n\n'),
    ...(status === 503 && { headers: { 'Retry-After': retryAfter } }),
    content: {
      [problemMediaType]: {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(those.map(reason => [reason, { value: problemOf(exampleOf(reason, status)) }])),
      },
    },
  }
}

const mediaTypeError = { field: 'Content-Type', message: 'must be application/json' }
const amountError = { field: '/amount', message: 'must be a positive integer' }

function exampleOf(reason: Reason, status: number): Refusal {
  if (reason !== 'format_invalid') return { reason }
  return { reason, errors: [status === 415 ? mediaTypeError : amountError] }
}

const keyParameter = {
  name: idempotencyHeader,
  in: 'header',
  required: true,
  description:
    'Names this attempt. The same key with the same content gets the same answer, and has its effect once. A new ' +
    'attempt takes a new key; the number of the bill goes into `reference`.',
  schema: { type: 'string', minLength: 1, maxLength: limits.idempotencyKeyLengthMax, pattern: '^[\\x21-\\x7e]+$' },
  example: 'till-7-0001',
}

const replayed = {
  description: 'true: this is the stored answer to an earlier request with the same key.',
  schema: { type: 'string', enum: ['true'] },
}

const text = { type: 'string' }
const time = { type: 'string', format: 'date-time' }
const listParameters: object[] = [
  { name: 'reference', description: 'Number of the bill.', schema: text },
  { name: 'rrn', description: 'Retrieval reference number.', schema: text },
  { name: 'terminal', description: 'Code of the terminal.', schema: text },
  { name: 'merchant', description: 'Code of the merchant.', schema: text },
  { name: 'phase', description: 'Where the transaction is now.', schema: { ...text, enum: Object.keys(phaseCodes) } },
  { name: 'from', description: 'Created at or after.', schema: time },
  { name: 'to', description: 'Created before.', schema: time },
  {
    name: 'limit',
    description: 'How many a page has at the most.',
    schema: { type: 'integer', minimum: 1, maximum: pageLimits.max, default: pageLimits.default },
  },
  { name: 'cursor', description: 'The nextCursor of the page before.', schema: text },
].map(parameter => ({ ...parameter, in: 'query', required: false }))

const scopeRows = Object.entries(scopes).map(([scope, description]) => `| \`${scope}\` | ${description} |`)

const roleRows = Object.entries(roles).map(([role, those]) => `| \`${role}\` | ${those.join(', ')} |`)

const introduction = `Send your API key as \`Authorization: Bearer …\`. Amounts are integers in minor units of the
currency (for IRR, 1 is one rial), ids are opaque texts, times are RFC 3339.

Every call that moves money takes an \`${idempotencyHeader}\`. When an answer does not come, or is a 503 or a 504, send
the same request with the same key again: it has its effect once. A refusal (402, 409) is final for its key.

| scope | what a key with it may do |
| --- | --- |
${scopeRows.join('\n')}

Calls of \`/admin/v1\` are for people. A key for one of them has a role, which stands for scopes; \`admin\` may do all.
Reading one thing gives its version as \`ETag\`, and a change needs it as \`If-Match\`, so that nobody overwrites what
another has changed. Lists come in pages, or whole as CSV with \`Accept: text/csv\`.

| role | its scopes |
| --- | --- |
${roleRows.join('\n')}`
