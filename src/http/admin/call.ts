import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../../core/admin.ts'
import { type AuthOptions, authorizeFor } from '../auth.ts'
import type { HttpDeps } from '../deps.ts'
import type { InFlight } from '../idempotency.ts'
import type { Scope } from '../scopes.ts'

/** What the handlers of the admin API pass on. */
export interface Call {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly deps: HttpDeps
  readonly inFlight: InFlight
}

export const actorOf = ({ apiKey }: FastifyRequest): Actor => ({
  tenant: apiKey.tenant,
  apiKey: apiKey.id,
  label: apiKey.label,
})

/** Lets keys with any of these scopes call, and those that may do everything. */
export const allow = (scope: Scope | readonly Scope[], deps: AuthOptions) =>
  authorizeFor({ scopes: withAll(scope) }, deps)

/** The same for a list, which reads its own query. */
export const allowList = (scope: Scope | readonly Scope[], deps: AuthOptions) =>
  authorizeFor({ scopes: withAll(scope), readsQuery: true }, deps)

const withAll = (scope: Scope | readonly Scope[]): Scope[] => [...new Set([scope, 'admin' as const].flat())]

/** The same with any one of several scopes. */
export const allowAny = (scopes: readonly Scope[], deps: AuthOptions) =>
  authorizeFor({ scopes: [...scopes, 'admin'], readsQuery: true }, deps)

/** Sends JSON that is text already, or is made text here: no schema drops a field of it. */
export const sendJson = (reply: FastifyReply, status: number, body: string | object): FastifyReply =>
  reply
    .code(status)
    .header('Content-Type', 'application/json; charset=utf-8')
    .send(typeof body === 'string' ? body : JSON.stringify(body))
