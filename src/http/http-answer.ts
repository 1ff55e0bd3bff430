import type { FastifyReply } from 'fastify'
import { replayedHeader } from './idempotency.ts'
import type { Refusal } from './problem.ts'

/** An answer, whichever way it goes out. */
export interface HttpAnswer {
  readonly status: number
  readonly mediaType: string
  readonly body: string
  /** It was given before, to the same request. */
  readonly isReplay: boolean
  readonly retryAfterSeconds: string | null
  /** Where no decision is stored for a refusal: for its one log line. */
  readonly refusal: Refusal | null
}

declare module 'fastify' {
  interface FastifyReply {
    /** The refusal that was sent, where no decision is stored for it: for its one log line. */
    refusal: Refusal | null
  }
}

export function sendAnswer(reply: FastifyReply, answer: HttpAnswer): FastifyReply {
  if (answer.isReplay) reply.header(replayedHeader, 'true')
  if (answer.retryAfterSeconds !== null) reply.header('Retry-After', answer.retryAfterSeconds)
  reply.refusal = answer.refusal
  return reply.code(answer.status).header('Content-Type', answer.mediaType).send(answer.body)
}
