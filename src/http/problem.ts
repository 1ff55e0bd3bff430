import type { FastifyReply } from 'fastify'
import { type Reason, reasons } from '../core/reasons.ts'
import { type HttpAnswer, sendAnswer } from './http-answer.ts'
import { limits } from './limits.ts'
import type { TransactionBody } from './render.ts'

/** A field as a JSON pointer into the body (`/card/pan`), or the name of a query parameter or header. */
export interface FieldError {
  readonly field: string
  /** What the field must be. It never repeats the value, which may be a card number. */
  readonly message: string
}

/** Why a request is not done. `status` is that of the reason unless it says otherwise. */
export interface Refusal {
  readonly reason: Reason
  readonly status?: number
  readonly detail?: string
  /** Where another time is known than that of its status. */
  readonly retryAfterSeconds?: number
  readonly errors?: readonly FieldError[]
  /** Where the refusal is a stored answer: the transaction it is about, if there is one. */
  readonly stored?: { readonly transactionId?: string; readonly rrn?: string }
  /** The transaction as it stands, where a follow-up met it in the wrong phase. */
  readonly transaction?: TransactionBody
}

interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly reason: Reason
  readonly responseCode: string
  readonly message: string
  readonly messageFa: string
  readonly errors?: readonly FieldError[]
  readonly transactionId?: string
  readonly rrn?: string
  readonly transaction?: TransactionBody
}

export const problemMediaType = 'application/problem+json'
const problemType = `${problemMediaType}; charset=utf-8`

/** Statuses after which the same request may be sent again as it is. */
const retryAfterSeconds: Readonly<Record<number, string>> = { 503: '1', 504: '1' }

/** The problem details of a refusal (RFC 9457). Built from what is stored, so that a repeat gives the same bytes. */
export function problemOf(refusal: Refusal): ProblemBody {
  const { reason, stored, transaction } = refusal
  const errors = refusal.errors?.slice(0, limits.fieldErrorsMax)
  const { de39, http, en, fa } = reasons[reason]
  return {
    type: `urn:charsu:reason:${reason}`,
    title: titleOf(reason),
    status: refusal.status ?? http,
    detail: refusal.detail ?? (errors === undefined ? en : `${en} ${errors.map(sentenceOf).join('; ')}.`),
    reason,
    responseCode: de39,
    message: en,
    messageFa: fa,
    ...(errors !== undefined && { errors }),
    ...stored,
    ...(transaction !== undefined && { transaction }),
  }
}

/** The answer to a request that is not done. */
export function problemAnswer(refusal: Refusal, isReplay = false): HttpAnswer {
  const problem = problemOf(refusal)
  const usual = refusal.reason === 'in_progress' ? '1' : retryAfterSeconds[problem.status]
  return {
    status: problem.status,
    mediaType: problemType,
    body: JSON.stringify(problem),
    isReplay,
    retryAfterSeconds: refusal.retryAfterSeconds?.toString() ?? usual ?? null,
    refusal: refusal.stored === undefined ? refusal : null,
  }
}

export const sendProblem = (reply: FastifyReply, refusal: Refusal): FastifyReply =>
  sendAnswer(reply, problemAnswer(refusal))

/** `insufficient_funds` → `Insufficient funds` */
const titleOf = (reason: Reason): string => `${reason.slice(0, 1).toUpperCase()}${reason.slice(1).replaceAll('_', ' ')}`

const sentenceOf = ({ field, message }: FieldError): string => `${field} ${message}`
