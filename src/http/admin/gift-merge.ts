import { type CardRecord, mayMove } from '../../core/cards.ts'
import type { HttpDeps } from '../deps.ts'
import type { Refusal } from '../problem.ts'
import { carriedRefusal, type Executor } from './approvals.ts'
import { actorOf, type Call } from './call.ts'
import { auditBody } from './gift-activation.ts'
import { parseId } from './lists.ts'
import { carryOutMove } from './value-moves.ts'

/** Why a gift card cannot be merged into another of its program now; null: it can be, or it has been. */
export async function mergeRefusal(
  tenant: number,
  { from, into }: { readonly from: CardRecord; readonly into: CardRecord },
  { reads }: HttpDeps,
): Promise<Refusal | null> {
  const isRepeat = from.status === 'closed'
  const mayClose = mayMove(from, 'close') && from.status !== 'inactive'
  if (!isRepeat && (into.status !== 'active' || !mayClose)) return { reason: 'card_status_wrong' }
  const lots = (await reads.holder(tenant, from.holder))?.lots ?? []
  const isHeld = lots.some(lot => lot.program === from.program && lot.debitsPending > 0n)
  return isHeld ? { reason: 'insufficient_funds_held' } : null
}

/** Closes a card whose value has gone to another. */
export async function closeMerged({ request, deps }: Call, id: number, reason: string | null): Promise<void> {
  await deps.admin.cards.move({ actor: actorOf(request), bodyOf: auditBody }, id, 'close', reason)
}

/** Merges a card into another, as a second person has approved. What has changed since may still stand against it. */
export const mergeApproved: Executor = async (order, call) => {
  const { card, into, ...move } = order.request as { card: string; into: string; note: { reason: string | null } }
  const { tenant } = order.asker
  const { cards } = call.deps.admin
  const [from, other] = await Promise.all([
    cards.card(tenant, parseId(card) ?? 0, null),
    cards.card(tenant, parseId(into) ?? 0, null),
  ])
  if (from === null || other === null) return carriedRefusal({ reason: 'not_found' })
  const refusal = await mergeRefusal(tenant, { from, into: other }, call.deps)
  // A hold ends, and a block can be lifted.
  if (refusal !== null) return { again: refusal }
  const carried = await carryOutMove({ ...order, request: move }, call)
  if ('status' in carried && carried.status === 201) await closeMerged(call, from.id, move.note.reason)
  return carried
}
