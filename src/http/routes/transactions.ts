import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Command } from '../../core/commands.ts'
import { parseTransactionId, type TransactionId } from '../../core/ids.ts'
import { type AnswerStyle, answerCommand, type Caller } from '../answer.ts'
import { speaksFor } from '../api-keys.ts'
import { authorizeFor } from '../auth.ts'
import { holdsCardNumber } from '../card-number.ts'
import { type Attempt, type CodeAttempts, tooManyAttempts, watching } from '../code-attempts.ts'
import { type Asker, authorizeOf, confirmOf, names, refundOf, reversalOf, reverseOf, tokenOf } from '../commands.ts'
import type { HttpApp, HttpDeps } from '../deps.ts'
import { type InFlight, readKey } from '../idempotency.ts'
import { sendAnswer, sendProblem } from '../problem.ts'
import { IdParams } from '../schemas/common.ts'
import {
  AuthorizeRequest,
  ConfirmRequest,
  RefundRequest,
  ReversalRequest,
  ReverseRequest,
} from '../schemas/transactions.ts'
import { commandDocs, transactionSchema } from './docs.ts'

const styles = {
  authorize: { status: 201, names: names.authorize, opens: true },
  confirm: { status: 200, names: names.confirm, opens: false },
  reverse: { status: 200, names: names.reverse, opens: false },
  refund: { status: 201, names: names.refund, opens: false },
  reversal: { status: 200, names: names.reversal, opens: false },
} as const satisfies Record<string, AnswerStyle>

const cardNumberMessage = 'must not look like a card number'

/** The calls that move money. */
export function addTransactionRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight, attempts: CodeAttempts): void {
  const onRequest = authorizeFor({ scopes: ['transactions:write'] }, deps)

  const answer = (
    request: FastifyRequest,
    reply: FastifyReply,
    style: AnswerStyle,
    commandOf: (asker: Asker) => Command | null,
    attempt: Attempt | null = null,
  ): Promise<void> | FastifyReply => {
    const key = readKey(request)
    if ('refusal' in key) return sendProblem(reply, key.refusal)
    const catalog = deps.catalogOf(request.apiKey.tenant)
    if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
    const command = commandOf({ apiKey: request.apiKey, key: key.key })
    if (command === null) return reply
    const watched = attempt === null ? deps : { ...deps, submit: watching(deps.submit, attempt) }
    return answerCommand({ command, catalog, style }, callerOf(request, reply), watched, inFlight)
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
      const commandOf = (asker: Asker): Command | null => {
        if (refusesCardNumber(reply, '/reference', body.reference)) return null
        if (!speaksFor(asker.apiKey, body.merchant)) return refuse(reply, merchantForbidden)
        if (isBasketTooLarge(body)) return refuse(reply, basketTooLarge)
        return authorizeOf(body, tokenOf(body.card, deps.panKey), asker)
      }
      return answer(request, reply, styles.authorize, commandOf, attempt)
    },
  )

  /** A follow-up of the transaction in the path. Something that is no id names no transaction. */
  const followUp = (
    request: FastifyRequest & { params: { id: string } },
    reply: FastifyReply,
    style: AnswerStyle,
    commandOf: (id: TransactionId, asker: Asker) => Command | null,
  ) =>
    answer(request, reply, style, asker => {
      const id = parseTransactionId(request.params.id)
      return id === null ? refuse(reply, { reason: 'original_unknown' }) : commandOf(id, asker)
    })

  app.post(
    '/v1/transactions/:id/confirm',
    {
      onRequest,
      schema: { params: IdParams, body: ConfirmRequest, response: transactionSchema(200) },
      config: commandDocs.confirm,
    },
    (request, reply) => followUp(request, reply, styles.confirm, (id, asker) => confirmOf(id, request.body, asker)),
  )
  app.post(
    '/v1/transactions/:id/reverse',
    {
      onRequest,
      schema: { params: IdParams, body: ReverseRequest, response: transactionSchema(200) },
      config: commandDocs.reverse,
    },
    (request, reply) => followUp(request, reply, styles.reverse, (id, asker) => reverseOf(id, request.body, asker)),
  )
  app.post(
    '/v1/transactions/:id/refund',
    {
      onRequest,
      schema: { params: IdParams, body: RefundRequest, response: transactionSchema(201) },
      config: commandDocs.refund,
    },
    (request, reply) => followUp(request, reply, styles.refund, (id, asker) => refundOf(id, request.body, asker)),
  )
  app.post(
    '/v1/reversals',
    { onRequest, schema: { body: ReversalRequest, response: transactionSchema(200) }, config: commandDocs.reversal },
    (request, reply) =>
      answer(request, reply, styles.reversal, asker => {
        const { merchant, reference } = request.body.original
        if (refusesCardNumber(reply, '/original/reference', reference)) return null
        const command = reversalOf(request.body, asker)
        if (command === null) return refuse(reply, originalUnclear)
        // It would be remembered against bills that the caller has nothing to do with.
        if (merchant !== undefined && !speaksFor(asker.apiKey, merchant)) return refuse(reply, merchantForbidden)
        return command
      }),
  )
}

const callerOf = ({ apiKey }: FastifyRequest, reply: FastifyReply): Caller => ({
  apiKey,
  elapsedMs: () => reply.elapsedTime,
  send: answer => void sendAnswer(reply, answer),
})

export const isBasketTooLarge = ({ amount, basket }: Pick<AuthorizeRequest, 'amount' | 'basket'>): boolean =>
  basket !== undefined && basket.reduce((sum, line) => sum + BigInt(line.amount), 0n) > BigInt(amount)

export const basketTooLarge = {
  reason: 'format_invalid',
  errors: [{ field: '/basket', message: 'must not be more than the amount' }],
} as const

const merchantForbidden = { reason: 'forbidden', detail: 'The API key does not speak for this merchant.' } as const

const originalUnclear = {
  reason: 'format_invalid',
  errors: [{ field: '/original', message: 'must have either idempotencyKey, or merchant and reference' }],
} as const

function refuse(reply: FastifyReply, refusal: Parameters<typeof sendProblem>[1]): null {
  sendProblem(reply, refusal)
  return null
}

/** References are stored in clear, so no card number may be among them. */
function refusesCardNumber(reply: FastifyReply, field: string, text: string | undefined): boolean {
  if (text === undefined || !holdsCardNumber(text)) return false
  sendProblem(reply, { reason: 'format_invalid', errors: [{ field, message: cardNumberMessage }] })
  return true
}
