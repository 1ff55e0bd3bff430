import { carriedRefusal, type Executor } from './approvals.ts'
import { parseId } from './lists.ts'
import { carryOutMove } from './value-moves.ts'

/** Loads a gift card as a second person has approved, if it is still active. */
export const loadApproved: Executor = async (order, call) => {
  const { card, ...move } = order.request as { card: string }
  const { tenant } = order.asker
  const { cards, loads } = call.deps.admin
  const found = await cards.card(tenant, parseId(card) ?? 0, null)
  // What the engine has decided is answered as it was, whatever has become of the card since.
  if (found?.status !== 'active' && !(await loads.isDecided(tenant, order))) {
    return carriedRefusal({ reason: 'card_status_wrong' })
  }
  return carryOutMove({ ...order, request: move }, call)
}
