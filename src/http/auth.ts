import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { ApiKey, ApiKeys } from './api-keys.ts'
import { tellable } from './field-errors.ts'
import { type FieldError, sendProblem } from './problem.ts'
import type { Scope } from './scopes.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls. Set on every route that asks for a scope. */
    apiKey: ApiKey
  }
}

export interface AuthOptions {
  readonly apiKeys: ApiKeys
  /** Whether the demo keys are taken, from this machine. */
  readonly demo: boolean
}

interface Access {
  /** A key with any one of these may call. */
  readonly scopes: readonly Scope[]
  /** Whether no key is needed on this machine. */
  readonly openOnLoopback?: boolean
  /** Whether the route reads its own query; otherwise any parameter is refused by name. */
  readonly readsQuery?: boolean
}

/** Refuses whoever may not call this route: 401 without a known key, 403 with one that may not. */
export function authorizeFor(access: Access, { apiKeys, demo }: AuthOptions): onRequestHookHandler {
  return (request, reply, done) => {
    const apiKey = apiKeyOf(request, apiKeys)
    if (apiKey === undefined || (apiKey.demo && !(demo && isOnLoopback(request)))) {
      const isUnnamed = request.headers.authorization === undefined
      if (access.openOnLoopback === true && isUnnamed && isOnLoopback(request)) return done()
      reply.header('WWW-Authenticate', 'Bearer')
      sendProblem(reply, { reason: 'unauthenticated' })
      return
    }
    if (!access.scopes.some(scope => apiKey.scopes.has(scope))) {
      sendProblem(reply, { reason: 'forbidden', detail: `The API key needs the scope ${access.scopes.join(' or ')}.` })
      return
    }
    request.apiKey = apiKey
    if (access.readsQuery !== true && refusesQuery(request, reply)) return
    done()
  }
}

function apiKeyOf({ headers }: FastifyRequest, apiKeys: ApiKeys): ApiKey | undefined {
  const [, key] = /^bearer +([\x21-\x7e]{1,512})$/i.exec(headers.authorization ?? '') ?? []
  return key === undefined ? undefined : apiKeys.find(key)
}

/** Whether the caller is on this machine. One that a proxy forwards is not, though the proxy may be. */
function isOnLoopback({ socket, headers }: FastifyRequest): boolean {
  const address = socket.remoteAddress ?? ''
  const isLocal = address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')
  return isLocal && headers.forwarded === undefined && headers['x-forwarded-for'] === undefined
}

function refusesQuery({ query }: FastifyRequest, reply: FastifyReply): boolean {
  const errors: FieldError[] = []
  for (const field in query as Record<string, unknown>) {
    errors.push({ field: tellable(field), message: unknownParameter })
  }
  if (errors.length > 0) sendProblem(reply, { reason: 'format_invalid', errors })
  return errors.length > 0
}

export const unknownParameter = 'is not a parameter of this call'
