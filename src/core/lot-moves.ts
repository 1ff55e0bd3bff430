import type { Breakage, Transfer } from './commands.ts'
import { answer, answerUnstored, type DecisionContext, deferred, type Outcome } from './decision.ts'
import { availableOf, isExpired, transfer } from './ledger.ts'
import { isTooMuch, newLot, noNote, takeUnspent } from './loads.ts'
import { expiryOfLoad } from './lot-expiry.ts'
import type { MoveReason } from './move-reasons.ts'
import { termsAt } from './terms.ts'
import type { WorkingSet } from './working-set.ts'

/**
 * Moves unspent value to new lots of another holder or program, where the terms of its program allow that. Each keeps
 * its funder, and the sooner of its own expiry and that of a load of the other program.
 */
export function decideTransfer(command: Transfer, rows: WorkingSet, context: DecisionContext): Outcome {
  const { catalog, local } = context
  const { holder, toHolder } = command
  const refuse = (reason: MoveReason<'transfer'>): Outcome =>
    answer(command, rows, context, { reason, transaction: null })
  const from = catalog.programsById.get(command.program)
  const to = catalog.programsById.get(command.toProgram)
  if (from === undefined || to === undefined || to.isClosed) return refuse('program_closed')
  if (holder === toHolder && from === to) return refuse('transfer_not_allowed')
  const isAllowed = from === to || termsAt(from, local.at).transfersTo.includes(to.code)
  if (!isAllowed || from.asset !== to.asset) return refuse('transfer_not_allowed')
  const [lots, others] = [rows.lotsOf(holder), rows.lotsOf(toHolder)]
  if (rows.isMissing(holder) || rows.isMissing(toHolder)) return refuse('account_unknown')
  if (!rows.isLocked(holder) || !rows.isLocked(toHolder) || lots === undefined || others === undefined) {
    return deferred({ lotsOf: [holder, toHolder] })
  }
  const open = lots.filter(lot => lot.program === from.id && !lot.isFrozen && !isExpired(lot, local.at))
  const taken = takeUnspent(open, command.amount)
  if (typeof taken === 'string') return refuse(taken)
  const moved = taken.reduce((sum, { amount }) => sum + amount, 0n)
  if (isTooMuch(moved, to.id, others)) return refuse('amount_too_large')
  const expiry = from === to ? null : expiryOfLoad(termsAt(to, local.at), local, catalog.tenant)
  // It would have to be swept at once.
  if (expiry !== null && expiry <= local.at) return refuse('credit_expired')
  const ids = taken.map(() => context.nextLot()).filter(id => id !== undefined)
  if (ids.length < taken.length) return deferred({ lots: taken.length })

  const moves = taken.map(({ lot, amount }, index) => {
    const soonest = [lot.expiresAt, expiry].filter(one => one !== null)
    const expiresAt = soonest.length === 0 ? null : Math.min(...soonest)
    return { lot, amount, into: newLot(ids[index] as number, toHolder, to, lot.funder, expiresAt) }
  })
  for (const { into } of moves) rows.openLot(into)
  const postings = moves.map(({ lot, amount, into }) => transfer(lot.id, into.id, amount, 0n))
  const outcome = answer(command, rows, context, { reason: 'approved', transaction: null, postings })
  for (const { lot, amount, into } of moves) {
    rows.move(lot.id, -amount, command.note)
    rows.move(into.id, amount, command.note)
  }
  return outcome
}

/** Books what is left on a lot that has expired. What is held stays: it is swept if it comes back. */
export function decideBreakage(command: Breakage, rows: WorkingSet, context: DecisionContext): Outcome {
  const { catalog, local } = context
  const { holder } = command
  const lots = rows.lotsOf(holder)
  if (!rows.isLocked(holder) || lots === undefined) return deferred({ lotsOf: [holder] })
  const lot = lots.find(({ id }) => id === command.lot)
  // Not stored: once the clock is there, the same key must be able to do it.
  if (lot === undefined || lot.sweepDue === null || lot.sweepDue > local.at) {
    return answerUnstored(command, rows, context, { reason: 'not_expirable', transaction: null })
  }
  const left = availableOf(lot) - lot.limit
  rows.changeLot(lot, { expiresAt: lot.expiresAt, sweepDue: null })
  const postings = left > 0n ? [transfer(lot.id, catalog.tenant.breakageAccount, left, 0n)] : []
  const outcome = answer(command, rows, context, { reason: 'approved', transaction: null, postings })
  if (left > 0n) rows.move(lot.id, -left, noNote)
  return outcome
}
