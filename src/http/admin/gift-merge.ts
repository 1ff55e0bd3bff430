import { type CardRecord, mayMove } from '../../core/cards.ts'
import { availableOf, isExpired, type Lot } from '../../core/ledger.ts'
import type { HttpDeps } from '../deps.ts'
import type { Refusal } from '../problem.ts'
import { carriedRefusal, type Executor } from './approvals.ts'
import { actorOf, type Call } from './call.ts'
import { auditBody } from './gift-activation.ts'
import { parseId } from './lists.ts'
import { carryOutMove } from './value-moves.ts'

/**
 * What a merge of a gift card into another of its program moves now, or why it cannot be. Null: nothing is on it, or it
 * has been merged. All of it is to be moved, or nothing: what is held by then is not there to be moved, and the engine
 * refuses.
 */
export async function mergedAmount(
  tenant: number,
  { from, into }: { readonly from: CardRecord; readonly into: CardRecord },
  { reads, now }: HttpDeps,
): Promise<{ readonly amount: bigint | null } | { readonly refusal: Refusal }> {
  const isClosed = from.status === 'closed'
  const mayClose = mayMove(from, 'close') && from.status !== 'inactive'
  if (!isClosed && (into.status !== 'active' || !mayClose)) return { refusal: { reason: 'card_status_wrong' } }
  const lots = await lotsOn(from, tenant, reads)
  if (lots.some(lot => lot.debitsPending > 0n)) return { refusal: { reason: 'insufficient_funds_held' } }
  const full = lots.filter(lot => leftOn(lot) > 0n && !isExpired(lot, now()))
  // What has come onto a closed card since, such as a refund. Where nothing has, it may be a repeat.
  if (full.length > 0 && into.status !== 'active') return { refusal: { reason: 'card_status_wrong' } }
  if (full.some(lot => lot.isFrozen)) return { refusal: { reason: 'account_frozen' } }
  return { amount: full.length === 0 ? null : full.reduce((sum, lot) => sum + leftOn(lot), 0n) }
}

const lotsOn = async (card: CardRecord, tenant: number, reads: HttpDeps['reads']): Promise<Lot[]> =>
  ((await reads.holder(tenant, card.holder))?.lots ?? []).filter(lot => lot.program === card.program)

const leftOn = (lot: Lot): bigint => availableOf(lot) - lot.limit

/** Closes a card whose value has gone to another: not where some has come meanwhile, which is to be merged as well. */
export async function closeMerged({ request, deps }: Call, card: CardRecord, reason: string | null): Promise<void> {
  const lots = await lotsOn(card, request.apiKey.tenant, deps.reads)
  const at = deps.now()
  if (lots.some(lot => lot.debitsPending > 0n || (leftOn(lot) > 0n && !isExpired(lot, at)))) return
  await deps.admin.cards.move({ actor: actorOf(request), bodyOf: auditBody }, card.id, 'close', reason)
}

/** Merges a card into another, as a second person has approved. What has changed since may still stand against it. */
export const mergeApproved: Executor = async (order, call) => {
  const { card, into, ...move } = order.request as { card: string; into: string; note: { reason: string | null } }
  const { tenant } = order.asker
  const { cards, loads } = call.deps.admin
  const [from, other] = await Promise.all([
    cards.card(tenant, parseId(card) ?? 0, null),
    cards.card(tenant, parseId(into) ?? 0, null),
  ])
  if (from === null || other === null) return carriedRefusal({ reason: 'not_found' })
  const merged = await mergedAmount(tenant, { from, into: other }, call.deps)
  // A hold ends, and a block can be lifted. What the engine has decided is answered as it was, and the card closed.
  if ('refusal' in merged && !(await loads.isDecided(tenant, order))) return { again: merged.refusal }
  const amount = 'refusal' in merged || merged.amount === null ? null : String(merged.amount)
  const carried = await carryOutMove({ ...order, request: { ...move, amount } }, call)
  if ('status' in carried && carried.status === 201) await closeMerged(call, from, move.note.reason)
  return carried
}
