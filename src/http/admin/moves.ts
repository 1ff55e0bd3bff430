import type { FastifyReply } from 'fastify'
import type { Command } from '../../core/commands.ts'
import { differingField } from '../../core/content.ts'
import { isApproval } from '../../core/reasons.ts'
import type { Decision } from '../../core/transactions.ts'
import { otherContent } from '../answer.ts'
import { contentNames, fingerprintOf, readKey, replayedHeader } from '../idempotency.ts'
import { sendProblem } from '../problem.ts'
import { actorOf, type Call, sendJson } from './call.ts'
import { callOf, fieldsOf } from './items.ts'

/** What every command of an admin call has in common. */
interface Asked {
  readonly tenant: number
  readonly channel: 'api'
  readonly key: string
  readonly day: null
  readonly content: string
}

interface Move {
  /** The fields of the body in an order that never changes: stored fingerprints depend on it. */
  readonly names: readonly string[]
  commandOf(asked: Asked): Command
  /** For the audit log. */
  readonly action: string
  readonly entity: string
  readonly entityId: string
  /** The answer to an approval, made only of what is stored, so that a repeat gets the same. */
  bodyOf(decision: Decision): object | Promise<object>
  /** The body as it may be fingerprinted, where it has a secret in it. */
  readonly content?: object
  /** Before a refusal that is stored is answered, on a repeat too. */
  onRefusal?(): Promise<void>
}

/**
 * Whether the same key has come before and is under way or answered. Asked after what may refuse a move has been looked
 * at, for the move itself, or what came after it, may be why: a repeat gets the answer of the first all the same.
 */
export async function isRepeat({ request, deps, inFlight }: Call): Promise<boolean> {
  const read = readKey(request)
  if ('refusal' in read) return false
  return inFlight.has(read.key) || (await deps.admin.loads.isAnswered(request.apiKey.tenant, read.key))
}

/** Hands a command that moves money outside purchases to the engine, and its answer to the client: 201, or why not. */
export async function answerMove({ request, reply, deps, inFlight }: Call, move: Move): Promise<FastifyReply> {
  const read = readKey(request)
  if ('refusal' in read) return sendProblem(reply, read.refusal)
  const { key } = read
  const content = fingerprintOf(callOf(request), ...fieldsOf(move.content ?? (request.body as object), move.names))
  const actor = actorOf(request)
  const { action, entity, entityId } = move
  const refuseContent = (stored: string): FastifyReply => {
    const names = contentNames(...move.names.map(name => `/${name}`))
    return sendProblem(reply, otherContent(differingField(stored, content, names)))
  }
  if (!inFlight.enter(key)) return sendProblem(reply, { reason: 'in_progress' })
  try {
    const made = await deps.admin.contentOf(actor.tenant, key)
    if (made !== null) return refuseContent(made)
    const command = move.commandOf({ tenant: actor.tenant, channel: 'api', key, day: null, content })
    const result = await deps.submit.submit(command)
    switch (result.kind) {
      case 'other_content':
        return refuseContent(result.stored)
      case 'refused':
        return sendProblem(reply, { reason: result.reason })
      case 'unknown':
        return sendProblem(reply, { reason: 'outcome_unknown' })
    }
    const { decision, replayed } = result
    if (replayed) reply.header(replayedHeader, 'true')
    if (!isApproval(decision.reason)) {
      await move.onRefusal?.()
      return sendProblem(reply, { reason: decision.reason, stored: {} })
    }
    const body = JSON.stringify(await move.bodyOf(decision))
    // A repeat as well: the process may have ended between the decision and its line.
    await deps.admin.logCommand({ actor, key, action, entity, entityId, after: body })
    return sendJson(reply, 201, body)
  } catch (error) {
    // The engine had the command, so it may have an effect: no refusal may be sent.
    deps.logger.error({ err: error, action }, 'answering a command of the admin API failed')
    return sendProblem(reply, { reason: 'outcome_unknown' })
  } finally {
    inFlight.leave(key)
  }
}
