import type { Micros } from '../../core/ids.ts'
import type { Lot } from '../../core/ledger.ts'
import { reasons } from '../../core/reasons.ts'
import type { Decision } from '../../core/transactions.ts'
import type { Movement } from '../../core/working-set.ts'
import { commandCodeOf } from '../batch/codes.ts'
import { postingsLiteral } from '../batch/columns.ts'
import { renderVersion } from '../batch/write.ts'
import type { Copy } from './connection.ts'
import { copyBytes, copyLine, copyTime } from './copy-text.ts'

/** What `batch/write.ts` inserts, for loads, as rows to copy: PostgreSQL needs 14 µs for each instead of 23. */

/** Decisions about loads: they have no transaction, amounts or balances. */
export const decisionRows = (tenant: number, batch: number, at: Micros, decisions: readonly Decision[]): Copy => {
  const time = copyTime(at)
  return {
    table: 'decisions',
    columns: 'key, batch_seq, at, tenant, day, idx, kind, reason, render, content, legs',
    text: decisions
      .map(one =>
        copyLine([
          one.key,
          batch,
          time,
          tenant,
          one.day,
          one.index,
          commandCodeOf(one.kind),
          reasons[one.reason].code,
          renderVersion,
          copyBytes(one.content),
          postingsLiteral(one.postings),
        ]),
      )
      .join(''),
  }
}

export const lotRows = (tenant: number, at: Micros, lots: readonly Lot[]): Copy => {
  const time = copyTime(at)
  return {
    table: 'lots',
    columns: `holder, lot, debits_pending, debits_posted, credits_pending, credits_posted, credit_limit, expires_at,
      sweep_due, loaded_at, tenant, program, funder, asset, status`,
    text: lots
      .map(one =>
        copyLine([
          one.holder,
          one.id,
          one.debitsPending,
          one.debitsPosted,
          one.creditsPending,
          one.creditsPosted,
          one.limit,
          copyTime(one.expiresAt),
          copyTime(one.sweepDue),
          time,
          tenant,
          one.program,
          one.funder,
          one.asset,
          one.isFrozen ? 1 : 0,
        ]),
      )
      .join(''),
  }
}

export const movementRows = (tenant: number, batch: number, at: Micros, movements: readonly Movement[]): Copy => {
  const time = copyTime(at)
  return {
    table: 'lot_movements',
    columns: 'lot, holder, batch_seq, at, amount, balance, tenant, idx, kind, reason, reference, actor',
    text: movements
      .map(one =>
        copyLine([
          one.lot,
          one.holder,
          batch,
          time,
          one.amount,
          one.balance,
          tenant,
          one.index,
          commandCodeOf(one.kind),
          one.note.reason,
          one.note.reference,
          one.note.actor,
        ]),
      )
      .join(''),
  }
}
