import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Catalog } from '../core/catalog.ts'
import type { Command } from '../core/commands.ts'
import { differingField } from '../core/content.ts'
import { isApproval, reasons } from '../core/reasons.ts'
import type { Result } from '../engine/result.ts'
import type { HttpDeps, TransactionLine } from './deps.ts'
import { type InFlight, idempotencyHeader, replayedHeader } from './idempotency.ts'
import { type Refusal, sendProblem } from './problem.ts'
import { type Names, namesOf, renderDecision, renderUnseenReversal } from './render.ts'
import { transactionJson } from './render-json.ts'

/** How the answers to one kind of call look. */
export interface AnswerStyle {
  /** Of an approval: 201 where it opens a transaction. */
  readonly status: 200 | 201
  /** Names of the fields in the fingerprint of the command's content. */
  readonly names: readonly string[]
  /** Whether it opens a transaction of its own, so that a refusal has no other to tell of. */
  readonly opens: boolean
}

type Decided = Extract<Result, { kind: 'decided' }>

/** Hands a command to the engine and its answer to the client. It resolves to nothing: a reply would be waited for. */
export async function answerCommand(
  { command, catalog, style }: { command: Command; catalog: Catalog; style: AnswerStyle },
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  deps: HttpDeps,
  inFlight: InFlight,
): Promise<void> {
  if (!inFlight.enter(command.key)) {
    sendProblem(reply, { reason: 'in_progress' })
    return
  }
  try {
    const result = await deps.submit.submit(command)
    if (result.kind === 'decided') answerDecided(result, command, { request, reply, deps, catalog, style })
    else sendProblem(reply, undecided(result, command, style))
  } catch (error) {
    // The engine had the command, so it may have an effect: no refusal may be sent.
    deps.logger.error({ err: error, command: command.kind }, 'answering a command failed')
    sendProblem(reply, { reason: 'outcome_unknown' })
  } finally {
    inFlight.leave(command.key)
  }
}

function undecided(result: Exclude<Result, Decided>, command: Command, style: AnswerStyle): Refusal {
  switch (result.kind) {
    case 'other_content':
      return otherContent(differingField(result.stored, command.content, style.names))
    case 'refused':
      return { reason: result.reason }
    case 'unknown':
      return { reason: 'outcome_unknown' }
  }
}

/** The refusal of a key that was used before with another value in `field`. */
export function otherContent(field: string): Refusal {
  const message =
    field === idempotencyHeader
      ? 'was used before for another call'
      : 'is not that of the first request with this Idempotency-Key'
  return { reason: 'other_content', errors: [{ field, message }] }
}

interface Answering {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly deps: HttpDeps
  readonly catalog: Catalog
  readonly style: AnswerStyle
}

function answerDecided(result: Decided, command: Command, answering: Answering): void {
  const { decision, transaction, replayed } = result
  const { request, reply, deps, catalog, style } = answering
  const names = transaction === null ? null : namesOf(transaction)
  deps.observer.onTransaction(lineOf(result, names, command, request, reply, catalog))
  if (replayed) reply.header(replayedHeader, 'true')
  if (!isApproval(decision.reason)) {
    sendProblem(reply, storedRefusal(result, names, style, catalog))
    return
  }
  const body =
    transaction === null || names === null
      ? renderUnseenReversal(catalog)
      : renderDecision(decision, transaction, names, catalog)
  reply.code(style.status).header('Content-Type', jsonMediaType).send(transactionJson(body))
}

const jsonMediaType = 'application/json; charset=utf-8'

function storedRefusal(
  { decision, transaction }: Decided,
  names: Names | null,
  { opens }: AnswerStyle,
  catalog: Catalog,
): Refusal {
  const { reason } = decision
  if (transaction === null || names === null) return { reason, stored: {} }
  const stored = { transactionId: names.id, rrn: names.rrn }
  if (opens) return { reason, stored }
  return { reason, stored, transaction: renderDecision(decision, transaction, names, catalog) }
}

function lineOf(
  { decision, transaction, replayed }: Decided,
  names: Names | null,
  command: Command,
  { apiKey }: FastifyRequest,
  reply: FastifyReply,
  { merchantsById, terminalsById, assetsById }: Catalog,
): TransactionLine {
  const { reason } = decision
  return {
    channel: 'api',
    tenant: apiKey.tenant,
    client: apiKey.id,
    command: command.kind,
    transaction: names?.id ?? null,
    rrn: names?.rrn ?? null,
    merchant: merchantsById.get(transaction?.merchant ?? 0)?.code ?? null,
    terminal: terminalsById.get(transaction?.terminal ?? 0)?.code ?? null,
    amount: amountOf(command) ?? decision.amounts?.requested ?? null,
    currency: assetsById.get(transaction?.asset ?? 0)?.code ?? null,
    phase: decision.phase,
    reason,
    responseCode: reasons[reason].de39,
    replayed,
    elapsedMs: reply.elapsedTime,
  }
}

function amountOf(command: Command): bigint | null {
  if (command.kind === 'reverse') return command.extent.by === 'all' ? null : command.extent.amount
  return 'amount' in command ? command.amount : null
}
