import type { Adjust, Clawback, Command, Load, Note, Transfer } from '../../core/commands.ts'
import type { Day } from '../../core/ids.ts'
import type { LotMovement } from '../../core/lot-movements.ts'
import { isApproval } from '../../core/reasons.ts'
import type { Decision } from '../../core/transactions.ts'
import { toJsonAmount } from '../amounts.ts'
import type { HttpDeps } from '../deps.ts'
import { rfc3339 } from '../times.ts'
import { type Carried, carriedRefusal, type Executor } from './approvals.ts'

type Asked = 'tenant' | 'channel' | 'key' | 'day' | 'content'
type Body<Move> = Omit<Move, Asked>

/** What moves value outside purchases, without the key under which it does. */
export type ValueMove = Body<Load> | Body<Clawback> | Body<Adjust> | Body<Transfer>

/** As JSON keeps it: amounts are digits. */
export const storedMove = (move: ValueMove): object => ({
  ...move,
  amount: move.amount === null ? null : String(move.amount),
})

const readStored = (stored: unknown): ValueMove => {
  const { amount, ...move } = stored as { amount: string | null }
  return { ...move, amount: amount === null ? null : BigInt(amount) } as ValueMove
}

export const commandOf = (
  move: ValueMove,
  asked: { tenant: number; key: string; day: Day | null; content: string },
): Command => ({ ...move, ...asked, channel: 'api' }) as Command

const holdersOf = (move: ValueMove): number[] =>
  move.kind === 'transfer' ? [...new Set([move.holder, move.toHolder])] : [move.holder]

/** The answer to an approval, made only of what is stored. */
export async function moveBody(move: ValueMove, decision: Decision, tenant: number, deps: HttpDeps): Promise<object> {
  const catalog = deps.catalogOf(tenant)
  const movements = await deps.admin.loads.movements(tenant, {
    batch: decision.batch,
    index: decision.index,
    holders: holdersOf(move),
  })
  const lots = movements.map(movement => ({
    lot: String(movement.lot),
    cardholder: String(movement.holder),
    program: catalog?.programsById.get(movement.program)?.code ?? String(movement.program),
    funder: catalog?.fundersById.get(movement.funder)?.code ?? String(movement.funder),
    amount: toJsonAmount(movement.amount),
    balance: toJsonAmount(movement.balance),
  }))
  const [first] = lots
  const isOne = move.kind === 'load' || move.kind === 'adjust'
  return {
    id: `${decision.batch}-${decision.index}`,
    kind: move.kind,
    cardholder: String(move.holder),
    ...(isOne && first !== undefined
      ? { lot: first.lot, program: first.program, funder: first.funder, amount: first.amount, balance: first.balance }
      : { amount: toJsonAmount(takenOf(movements)), lots }),
    ...noteBody(move.note),
    at: rfc3339(decision.at),
  }
}

const takenOf = (movements: readonly LotMovement[]): bigint =>
  movements.reduce((sum, { amount }) => (amount < 0n ? sum - amount : sum), 0n)

const noteBody = ({ reason, reference }: Note) => ({ reason, reference })

/** Carries out a move of value that a second person has approved, under the key of the first request. */
export const carryOutMove: Executor = async ({ key, day, content, request, approver }, { deps }): Promise<Carried> => {
  const move = readStored(request)
  const result = await deps.submit.submit(commandOf(move, { tenant: approver.tenant, key, day, content }))
  switch (result.kind) {
    case 'other_content':
      return carriedRefusal({ reason: 'other_content' })
    case 'refused':
      return { again: { reason: result.reason } }
    case 'unknown':
      return { again: { reason: 'outcome_unknown' } }
  }
  const { decision } = result
  if (!isApproval(decision.reason)) return carriedRefusal({ reason: decision.reason, stored: {} })
  const body = await moveBody(move, decision, approver.tenant, deps)
  await deps.admin.logCommand({
    actor: approver,
    key,
    action: move.kind,
    entity: 'cardholder',
    entityId: String(move.holder),
    after: JSON.stringify(body),
  })
  return { status: 201, body }
}
