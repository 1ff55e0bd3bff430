import type { FastifyError, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { HttpApp, HttpDeps } from './deps.ts'
import { fieldErrorsOf } from './field-errors.ts'
import { MalformedJson } from './json-body.ts'
import { problemMediaType, problemOf, type Refusal, sendProblem } from './problem.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** All routes there are. */
    readonly known: readonly KnownRoute[]
  }
}

interface KnownRoute {
  readonly method: string
  /** With the names of its parameters: `/v1/transactions/:id`. */
  readonly url: string
  /** What it matches. */
  readonly pattern: RegExp
}

/** What the framework refuses by itself. Its own messages are not used: some of them repeat what was sent. */
const refusals: Readonly<Record<string, Refusal>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { reason: 'too_large' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    reason: 'media_type_unsupported',
    errors: [{ field: 'Content-Type', message: 'must be application/json' }],
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    reason: 'format_invalid',
    errors: [{ field: 'Content-Length', message: 'must be the length of the body' }],
  },
}

const malformed: Refusal = { reason: 'format_invalid', errors: [{ field: '/', message: 'must be valid JSON' }] }
const unreadable: Refusal = { reason: 'format_invalid', detail: 'The request cannot be read.' }

/** Answers what the router cannot read: a path that is not well encoded, or an id longer than any. */
export function answerUnroutable({ code }: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(reply, code === 'FST_ERR_MAX_PARAM_LENGTH' ? { reason: 'not_found' } : unreadable)
}

/** Turns everything that goes wrong into problem details. */
export function handleErrors(app: HttpApp, { logger }: HttpDeps): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = refusalOf(error)
    if (refusal !== null) return sendProblem(reply, refusal)
    logger.error({ err: error, method: request.method, route: request.routeOptions.url }, 'a request failed')
    return sendProblem(reply, isDatabaseAway(error) ? { reason: 'switch_unavailable' } : { reason: 'internal_error' })
  })
  app.setNotFoundHandler(notFoundHandler(app))
}

function refusalOf(error: FastifyError): Refusal | null {
  if (error instanceof MalformedJson) return malformed
  if (error.validation !== undefined) return { reason: 'format_invalid', errors: fieldErrorsOf(error.validation) }
  const refusal = refusals[error.code]
  if (refusal !== undefined) return refusal
  return error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500 ? unreadable : null
}

/** SQLSTATE of a database that is away or too slow for now; errors of the socket; a pool that gave up waiting. */
const isDatabaseAway = ({ code, message }: FastifyError): boolean =>
  /^(?:08|53|57)...$|^25006$|^E[A-Z]+$/.test(code ?? '') || /timeout|connection terminated/i.test(message)

/** 404, or 405 with the methods that there are. */
function notFoundHandler(app: HttpApp): (request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  const known: KnownRoute[] = []
  app.decorate('known', known)
  app.addHook('onRoute', ({ url, method }: RouteOptions) => {
    const pattern = new RegExp(`^${url.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/:[^/]+/g, '[^/]+')}$`)
    for (const one of Array.isArray(method) ? method : [method]) {
      if (!url.includes('*')) known.push({ method: one, url, pattern })
    }
  })
  return (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? ''
    const methods = app.known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)
    if (methods.length === 0) return sendProblem(reply, { reason: 'not_found' })
    reply.header('Allow', [...new Set(methods)].join(', '))
    return sendProblem(reply, { reason: 'method_not_allowed' })
  }
}

/** What a connection gets for something that is not HTTP, or came too slowly or too large to become a request. */
export function answerClientError(error: { readonly code?: string }, socket: RawSocket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, phrase] = clientErrors[error.code ?? ''] ?? [400, 'Bad Request']
  const body = JSON.stringify(problemOf({ ...unreadable, status }))
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\nContent-Type: ${problemMediaType}; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

interface RawSocket {
  readonly destroyed: boolean
  readonly writable: boolean
  end(text: string): void
  destroy(): void
}

const clientErrors: Readonly<Record<string, readonly [status: number, phrase: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
}
