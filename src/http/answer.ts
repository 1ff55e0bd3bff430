import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Catalog } from '../core/catalog.ts'
import type { Command } from '../core/commands.ts'
import { differingField } from '../core/content.ts'
import { formatTransactionId } from '../core/ids.ts'
import { isApproval, reasons } from '../core/reasons.ts'
import type { Decision, Transaction } from '../core/transactions.ts'
import type { Result } from '../engine/result.ts'
import type { HttpDeps, TransactionLine } from './deps.ts'
import { type InFlight, idempotencyHeader, replayedHeader } from './idempotency.ts'
import { type Refusal, sendProblem } from './problem.ts'
import { renderDecision, renderUnseenReversal, retrievalNumberOf } from './render.ts'

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

/** Hands a command to the engine and its answer to the client. */
export async function answerCommand(
  { command, catalog, style }: { command: Command; catalog: Catalog; style: AnswerStyle },
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  deps: HttpDeps,
  inFlight: InFlight,
): Promise<FastifyReply> {
  if (!inFlight.enter(command.key)) return sendProblem(reply, { reason: 'in_progress' })
  try {
    if (deps.pressure.isFull) return sendProblem(reply, { reason: 'switch_busy' })
    const result = await deps.submit.submit(command)
    switch (result.kind) {
      case 'decided':
        deps.observer.onTransaction(lineOf(result, command, request, reply, catalog))
        return sendDecided(result, reply, catalog, style)
      case 'other_content':
        return sendProblem(reply, otherContent(differingField(result.stored, command.content, style.names)))
      case 'refused':
        return sendProblem(reply, { reason: result.reason })
      case 'unknown':
        return sendProblem(reply, { reason: 'outcome_unknown' })
    }
  } catch (error) {
    // The engine had the command, so it may have an effect: no refusal may be sent.
    deps.logger.error({ err: error, command: command.kind }, 'answering a command failed')
    return sendProblem(reply, { reason: 'outcome_unknown' })
  } finally {
    inFlight.leave(command.key)
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

function sendDecided(
  { decision, transaction, replayed }: Decided,
  reply: FastifyReply,
  catalog: Catalog,
  { status, opens }: AnswerStyle,
): FastifyReply {
  if (replayed) reply.header(replayedHeader, 'true')
  if (isApproval(decision.reason)) {
    const body = transaction === null ? renderUnseenReversal(catalog) : renderDecision(decision, transaction, catalog)
    return reply.code(status).send(body)
  }
  return sendProblem(reply, storedRefusal(decision, transaction, opens, catalog))
}

function storedRefusal(decision: Decision, transaction: Transaction | null, opens: boolean, catalog: Catalog): Refusal {
  const { reason } = decision
  if (transaction === null) return { reason, stored: {} }
  const stored = { transactionId: formatTransactionId(transaction.id), rrn: retrievalNumberOf(transaction) }
  if (opens) return { reason, stored }
  return { reason, stored, transaction: renderDecision(decision, transaction, catalog) }
}

function lineOf(
  { decision, transaction, replayed }: Decided,
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
    transaction: transaction === null ? null : formatTransactionId(transaction.id),
    rrn: transaction === null ? null : retrievalNumberOf(transaction),
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
