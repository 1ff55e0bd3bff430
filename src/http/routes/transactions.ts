import type { FastifyReply, FastifyRequest } from 'fastify'
import { type AnswerStyle, answerCommand, type Caller } from '../answer.ts'
import { authorizeFor } from '../auth.ts'
import {
  type Asked,
  askedToAuthorize,
  askedToConfirm,
  askedToRefund,
  askedToReverse,
  askedToReverseUnseen,
  styles,
} from '../calls.ts'
import { type Attempt, type CodeAttempts, tooManyAttempts, watching } from '../code-attempts.ts'
import type { Asker } from '../commands.ts'
import type { HttpApp, HttpDeps } from '../deps.ts'
import { sendAnswer } from '../http-answer.ts'
import { type InFlight, readKey } from '../idempotency.ts'
import { sendProblem } from '../problem.ts'
import { IdParams } from '../schemas/common.ts'
import {
  AuthorizeRequest,
  ConfirmRequest,
  RefundRequest,
  ReversalRequest,
  ReverseRequest,
} from '../schemas/transactions.ts'
import { commandDocs, transactionSchema } from './docs.ts'

/** The calls that move money. */
export function addTransactionRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight, attempts: CodeAttempts): void {
  const onRequest = authorizeFor({ scopes: ['transactions:write'] }, deps)

  const answer = (
    request: FastifyRequest,
    reply: FastifyReply,
    style: AnswerStyle,
    askedBy: (asker: Asker) => Asked,
    attempt: Attempt | null = null,
  ): Promise<void> | FastifyReply => {
    const key = readKey(request)
    if ('refusal' in key) return sendProblem(reply, key.refusal)
    const catalog = deps.catalogOf(request.apiKey.tenant)
    if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
    const asked = askedBy({ apiKey: request.apiKey, key: key.key })
    if ('refusal' in asked) return sendProblem(reply, asked.refusal)
    const watched = attempt === null ? deps : { ...deps, submit: watching(deps.submit, attempt) }
    return answerCommand({ command: asked.command, catalog, style }, callerOf(request, reply), watched, inFlight)
  }

  app.post(
    '/v1/transactions',
    { onRequest, schema: { body: AuthorizeRequest, response: transactionSchema(201) }, config: commandDocs.authorize },
    (request, reply) => {
      const { body } = request
      const attempt = body.card.code === undefined ? null : attempts.begin(request.apiKey.id, body.terminal)
      if (attempt !== null && 'retryAfterSeconds' in attempt) {
        return sendProblem(reply, tooManyAttempts(attempt.retryAfterSeconds))
      }
      return answer(request, reply, styles.authorize, asker => askedToAuthorize(body, asker, deps.panKey), attempt)
    },
  )
  app.post(
    '/v1/transactions/:id/confirm',
    {
      onRequest,
      schema: { params: IdParams, body: ConfirmRequest, response: transactionSchema(200) },
      config: commandDocs.confirm,
    },
    (request, reply) =>
      answer(request, reply, styles.confirm, asker => askedToConfirm(request.params.id, request.body, asker)),
  )
  app.post(
    '/v1/transactions/:id/reverse',
    {
      onRequest,
      schema: { params: IdParams, body: ReverseRequest, response: transactionSchema(200) },
      config: commandDocs.reverse,
    },
    (request, reply) =>
      answer(request, reply, styles.reverse, asker => askedToReverse(request.params.id, request.body, asker)),
  )
  app.post(
    '/v1/transactions/:id/refund',
    {
      onRequest,
      schema: { params: IdParams, body: RefundRequest, response: transactionSchema(201) },
      config: commandDocs.refund,
    },
    (request, reply) =>
      answer(request, reply, styles.refund, asker => askedToRefund(request.params.id, request.body, asker)),
  )
  app.post(
    '/v1/reversals',
    { onRequest, schema: { body: ReversalRequest, response: transactionSchema(200) }, config: commandDocs.reversal },
    (request, reply) => answer(request, reply, styles.reversal, asker => askedToReverseUnseen(request.body, asker)),
  )
}

const callerOf = ({ apiKey }: FastifyRequest, reply: FastifyReply): Caller => ({
  apiKey,
  elapsedMs: () => reply.elapsedTime,
  send: answer => void sendAnswer(reply, answer),
})
