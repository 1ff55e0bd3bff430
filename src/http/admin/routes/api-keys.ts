import { randomBytes } from 'node:crypto'
import type { ApiKeyRecord } from '../../../core/tenants.ts'
import { sha256Hex } from '../../../crypto/hash.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import type { InFlight } from '../../idempotency.ts'
import { type FieldError, sendProblem } from '../../problem.ts'
import { organisationScopes, roles, type Scope } from '../../scopes.ts'
import { rfc3339 } from '../../times.ts'
import { actorOf, allow, allowList } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { createDocs, disableDocs, listDocs, readDocs } from '../docs.ts'
import { answerCreate, sendItem } from '../items.ts'
import { answerList, parseId } from '../lists.ts'
import { IdParams, namesOf } from '../schemas/common.ts'
import { ApiKeyBody, ApiKeyList, NewApiKeyAnswer, NewApiKeyBody } from '../schemas/setup.ts'

const tag = 'API keys'
const secretBytes = 32

/** Who may call, and for what. */
export function addApiKeyRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const { setup } = deps.admin
  const onRequest = allow('admin', deps)

  app.post(
    '/admin/v1/api-keys',
    {
      onRequest,
      schema: { body: NewApiKeyBody, response: { 201: NewApiKeyAnswer } },
      config: createDocs({
        operationId: 'createApiKey',
        tag,
        summary: 'Make an API key',
        description: 'The answer has the key itself, which is never told again: only its hash is kept.',
      }),
    },
    async (request, reply) => {
      const { body } = request
      const errors = errorsOf(body)
      if (errors.length > 0) return sendProblem(reply, { reason: 'format_invalid', errors })
      const { label, role = null, scopes = [], merchants = ['*'], organisation = null } = body
      const secret = `ck_${randomBytes(secretBytes).toString('base64url')}`
      const hash = sha256Hex(secret)
      return answerCreate(
        { request, reply, deps, inFlight },
        { names: namesOf(NewApiKeyBody), render: bodyOf, extra: { secret } },
        creation => setup.createApiKey(creation, { label, role, scopes, merchants, organisation, hash }),
      )
    },
  )

  app.get(
    '/admin/v1/api-keys',
    {
      onRequest: allowList('admin', deps),
      schema: { response: { 200: ApiKeyList } },
      config: listDocs({
        operationId: 'listApiKeys',
        tag,
        summary: 'List API keys',
        description: 'In the order in which they were made, those that are disabled as well.',
      }),
    },
    async (request, reply) =>
      answerList(request, reply, {
        filters: {},
        cursor: 'id',
        read: (_values, page) => setup.apiKeys(request.apiKey.tenant, page),
        render: bodyOf,
        columns: columnsOf(ApiKeyBody),
        name: 'api-keys',
      }),
  )

  app.get(
    '/admin/v1/api-keys/:id',
    {
      onRequest,
      schema: { params: IdParams, response: { 200: ApiKeyBody } },
      config: readDocs({
        operationId: 'getApiKey',
        tag,
        summary: 'Read an API key',
        description: 'What it may do; the key itself is nowhere.',
      }),
    },
    async ({ apiKey, params }, reply) => {
      const id = parseId(params.id)
      return sendItem(reply, id === null ? null : await setup.apiKey(apiKey.tenant, id), bodyOf)
    },
  )

  app.post(
    '/admin/v1/api-keys/:id/disable',
    {
      onRequest,
      schema: { params: IdParams, response: { 200: ApiKeyBody } },
      config: disableDocs({
        operationId: 'disableApiKey',
        tag,
        summary: 'Disable an API key',
        description: 'It is not taken any more, within a second on every switch. There is no way back: make another.',
        reasons: ['forbidden'],
      }),
    },
    async (request, reply) => {
      const id = parseId(request.params.id)
      const found = id === null ? null : await setup.apiKey(request.apiKey.tenant, id)
      if (found === null) return sendProblem(reply, { reason: 'not_found' })
      // So that the last key of a tenant cannot lock everybody out.
      if (found.id === request.apiKey.id) {
        return sendProblem(reply, { reason: 'forbidden', detail: 'A key cannot disable itself.' })
      }
      if (found.disabledAt !== null) return sendItem(reply, found, bodyOf)
      const bodyText = (item: ApiKeyRecord): string => JSON.stringify(bodyOf(item))
      const change = { actor: actorOf(request), version: null, bodyOf: bodyText }
      const changed = await setup.disableApiKey(change, found.id)
      if (changed.kind !== 'changed') return sendProblem(reply, { reason: 'not_found' })
      await deps.admin.refresh()
      return sendItem(reply, changed.item, bodyOf)
    },
  )
}

/** What does not go together. */
function errorsOf({ role, scopes, merchants, organisation }: NewApiKeyBody): FieldError[] {
  const errors: FieldError[] = []
  if ((role ?? null) === null && (scopes ?? []).length === 0) {
    errors.push({ field: '/scopes', message: 'must have a scope where there is no role' })
  }
  if (role === 'merchant' && (merchants === undefined || merchants.includes('*'))) {
    errors.push({ field: '/merchants', message: 'must name the merchants of a key with the role merchant' })
  }
  if (role === 'organisation' && (organisation ?? null) === null) {
    errors.push({ field: '/organisation', message: 'must name the organisation of a key with the role organisation' })
  }
  if ((organisation ?? null) !== null) {
    const isTooMuch = (scope: Scope): boolean => scope !== 'admin' && !organisationScopes.includes(scope)
    const tooMany = (scopes ?? []).filter(isTooMuch)
    const message = (names: readonly Scope[]): string =>
      `must not have ${names.join(', ')} in a key of one organisation`
    if (tooMany.length > 0) errors.push({ field: '/scopes', message: message(tooMany) })
    const byRole = role === undefined || role === null ? [] : roles[role].filter(isTooMuch)
    if (byRole.length > 0) errors.push({ field: '/role', message: message(byRole) })
  }
  const isLimited = (organisation ?? null) !== null || (merchants !== undefined && !merchants.includes('*'))
  if (isLimited && scopes?.includes('admin') === true) {
    errors.push({ field: '/scopes', message: 'must not have admin in a key that sees only a part' })
  }
  if (merchants?.includes('*') === true && merchants.length > 1) {
    errors.push({ field: '/merchants', message: 'must be codes of merchants, or `*` alone' })
  }
  return errors
}

const bodyOf = ({ id, madeAt, disabledAt, version, ...rest }: ApiKeyRecord) => ({
  id: String(id),
  ...rest,
  createdAt: rfc3339(madeAt),
  disabledAt: disabledAt === null ? null : rfc3339(disabledAt),
  version,
})
