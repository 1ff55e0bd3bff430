import type { Expire } from './commands.ts'
import { answer, answerUnstored, type DecisionContext, deferred, type Outcome, payableOf } from './decision.ts'
import { giveValueBack, needOfGivingBack } from './give-back.ts'
import { release } from './ledger.ts'
import { watermarkNeed } from './original.ts'
import { refusalOf } from './phases.ts'
import type { Transaction } from './transactions.ts'
import type { WorkingSet } from './working-set.ts'

/** Releases a hold that nobody has confirmed in time. */
export function decideExpire(command: Expire, rows: WorkingSet, context: DecisionContext): Outcome {
  const transaction = rows.transaction(command.id)
  if (transaction === undefined) {
    return answer(command, rows, context, { reason: 'original_unknown', transaction: null })
  }
  if (transaction.holder !== null && !rows.isLocked(transaction.holder)) return deferred()
  const need = watermarkNeed(transaction, rows)
  if (need !== null) return deferred(need)
  const refusal = refusalOf(transaction.phase, 'expire')
  if (refusal !== null) return answer(command, rows, context, { reason: refusal, transaction })
  // Stored, it would keep the hold open for ever once the clock had stepped back.
  const isDue = transaction.expiresAt !== null && context.at > transaction.expiresAt
  if (!isDue) return answerUnstored(command, rows, context, { reason: 'not_expirable', transaction })

  const missing = needOfGivingBack(transaction, rows, context)
  if (missing !== null) return deferred(missing)

  const payable = payableOf(transaction, context)
  const expired: Transaction = {
    ...transaction,
    phase: 'expired',
    legs: transaction.legs.map(leg => ({ ...leg, held: 0n })),
  }
  rows.change(transaction, expired)
  giveValueBack(transaction, expired.legs, rows, context)
  const postings = transaction.legs.map(({ lot, held }) => release(lot, payable, held, 0n))
  return answer(command, rows, context, { reason: 'approved', transaction: expired, postings })
}
