import type { CardRecord } from '../../core/cards.ts'
import { carriedRefusal, type Executor } from './approvals.ts'
import { actorOf, type Call } from './call.ts'
import { parseId } from './lists.ts'
import { carryOutMove } from './value-moves.ts'

/** Activates a card whose first load is booked. One that was blocked since stays so. */
export async function activate({ request, deps }: Call, id: number, reason: string | null): Promise<void> {
  const { cards } = deps.admin
  const card = await cards.card(request.apiKey.tenant, id, null)
  if (card?.status !== 'inactive') return
  await cards.move({ actor: actorOf(request), bodyOf: auditBody }, id, 'activate', reason)
}

/** Activates a card whose first load a second person has approved. */
export const activateApproved: Executor = async (order, call) => {
  const { card, ...move } = order.request as { card: string; note: { reason: string | null } }
  const id = parseId(card) ?? 0
  const { giftCards, loads } = call.deps.admin
  const { tenant } = order.asker
  if (!(await giftCards.reserve(tenant, id, order.key)) && !(await loads.isDecided(tenant, order))) {
    return carriedRefusal({ reason: 'card_status_wrong' })
  }
  const carried = await carryOutMove({ ...order, request: move }, call)
  if ('status' in carried && carried.status === 201) await activate(call, id, move.note.reason)
  if ('status' in carried && carried.status >= 400) await giftCards.release(tenant, id, order.key)
  return carried
}

/** What the audit log keeps of a gift card. */
export const auditBody = ({ id, status, statusReason, last4 }: CardRecord): string =>
  JSON.stringify({ id: String(id), status, statusReason, last4 })
