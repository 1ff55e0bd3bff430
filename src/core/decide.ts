import { decideAuthorize } from './authorize.ts'
import type { Command } from './commands.ts'
import { decideConfirm } from './confirm.ts'
import { type DecisionContext, deferred, type Outcome } from './decision.ts'
import { decideExpire } from './expire.ts'
import { decideInquire } from './inquire.ts'
import { decideAdjust, decideClawback, decideDeposit, decideLoad } from './loads.ts'
import { decideBreakage, decideTransfer } from './lot-moves.ts'
import { decideRefund } from './refund.ts'
import { decideReverse } from './reverse.ts'
import { decideClose, decideSettle } from './settle.ts'
import type { WorkingSet } from './working-set.ts'

/**
 * Decides one command on the rows of its batch. A key that has its answer gets it again; a new one is decided and its
 * effects are left in the working set. Never throws for anything that a user can cause.
 */
export function decide(command: Command, rows: WorkingSet, context: DecisionContext): Outcome {
  const stored = rows.decision(command.key)
  if (stored !== undefined) {
    if (stored.content !== '' && stored.content !== command.content) {
      return { kind: 'other_content', stored: stored.content }
    }
    const transaction = stored.transaction === null ? null : rows.transaction(stored.transaction)
    if (transaction === undefined)
      return deferred({ transactions: stored.transaction === null ? [] : [stored.transaction] })
    // What a reverse left for its original is no repeat to the original, which asks for the first time.
    return { kind: 'decided', decision: stored, transaction, replayed: stored.content !== '' }
  }
  switch (command.kind) {
    case 'authorize':
      return decideAuthorize(command, rows, context)
    case 'confirm':
      return decideConfirm(command, rows, context)
    case 'reverse':
      return decideReverse(command, rows, context)
    case 'refund':
      return decideRefund(command, rows, context)
    case 'expire':
      return decideExpire(command, rows, context)
    case 'inquire':
      return decideInquire(command, rows, context)
    case 'load':
      return decideLoad(command, rows, context)
    case 'clawback':
      return decideClawback(command, rows, context)
    case 'adjust':
      return decideAdjust(command, rows, context)
    case 'transfer':
      return decideTransfer(command, rows, context)
    case 'breakage':
      return decideBreakage(command, rows, context)
    case 'deposit':
      return decideDeposit(command, rows, context)
    case 'settle':
      return decideSettle(command, rows, context)
    case 'close':
      return decideClose(command, rows, context)
  }
}
