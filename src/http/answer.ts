import type { Catalog } from '../core/catalog.ts'
import type { Command } from '../core/commands.ts'
import { differingField } from '../core/content.ts'
import { isApproval, reasons } from '../core/reasons.ts'
import type { Result } from '../engine/result.ts'
import type { ApiKey } from './api-keys.ts'
import type { HttpDeps, TransactionLine } from './deps.ts'
import type { HttpAnswer } from './http-answer.ts'
import { type InFlight, idempotencyHeader } from './idempotency.ts'
import { problemAnswer, type Refusal } from './problem.ts'
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

/** Who waits for the answer. */
export interface Caller {
  readonly apiKey: ApiKey
  /** Since the request came. */
  elapsedMs(): number
  send(answer: HttpAnswer): void
}

type Decided = Extract<Result, { kind: 'decided' }>

/** Hands a command to the engine and its answer to the client. It resolves to nothing: a reply would be waited for. */
export async function answerCommand(
  { command, catalog, style }: { command: Command; catalog: Catalog; style: AnswerStyle },
  caller: Caller,
  deps: HttpDeps,
  inFlight: InFlight,
): Promise<void> {
  if (!inFlight.enter(command.key)) {
    caller.send(problemAnswer({ reason: 'in_progress' }))
    return
  }
  try {
    const result = await deps.submit.submit(command)
    if (result.kind === 'decided') caller.send(answerDecided(result, command, { caller, deps, catalog, style }))
    else caller.send(problemAnswer(undecided(result, command, style)))
  } catch (error) {
    // The engine had the command, so it may have an effect: no refusal may be sent.
    deps.logger.error({ err: error, command: command.kind }, 'answering a command failed')
    caller.send(problemAnswer({ reason: 'outcome_unknown' }))
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
  readonly caller: Caller
  readonly deps: HttpDeps
  readonly catalog: Catalog
  readonly style: AnswerStyle
}

function answerDecided(result: Decided, command: Command, answering: Answering): HttpAnswer {
  const { decision, transaction, replayed } = result
  const { caller, deps, catalog, style } = answering
  const names = transaction === null ? null : namesOf(transaction)
  deps.observer.onTransaction(lineOf(result, names, command, caller, catalog))
  if (!isApproval(decision.reason)) return problemAnswer(storedRefusal(result, names, style, catalog), replayed)
  const body =
    transaction === null || names === null
      ? renderUnseenReversal(catalog)
      : renderDecision(decision, transaction, names, catalog)
  return {
    status: style.status,
    mediaType: jsonMediaType,
    body: transactionJson(body),
    isReplay: replayed,
    retryAfterSeconds: null,
    refusal: null,
  }
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
  caller: Caller,
  { merchantsById, terminalsById, assetsById }: Catalog,
): TransactionLine {
  const { reason } = decision
  return {
    channel: 'api',
    tenant: caller.apiKey.tenant,
    client: caller.apiKey.id,
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
    elapsedMs: caller.elapsedMs(),
  }
}

function amountOf(command: Command): bigint | null {
  if (command.kind === 'reverse') return command.extent.by === 'all' ? null : command.extent.amount
  return 'amount' in command ? command.amount : null
}
