import type { Lot } from '../../core/ledger.ts'
import type {
  LotChange,
  Movement,
  OrganisationChange,
  OrganisationMovement,
  UsageChange,
} from '../../core/working-set.ts'
import {
  bigints,
  expectMoved,
  integers,
  listsOf,
  places,
  rowsOf,
  rowsOfTenant,
  type Statement,
  smallints,
  statement,
  texts,
  timestampOf,
  timestamps,
} from '../sql.ts'
import { commandCodeOf } from './codes.ts'
import { writeUsage } from './columns.ts'

/** The part of the second flight that purchases without limits do not need: new lots, limits, what moved and why. */

/** On a frozen account a new lot is frozen too: all lots of a holder in a program are, or none. */
export const insertLots = (tenant: number, at: number, lots: readonly Lot[]): Statement =>
  statement(
    'insert_lots',
    `INSERT INTO lots (holder, lot, debits_pending, debits_posted, credits_pending, credits_posted, credit_limit,
       expires_at, sweep_due, loaded_at, tenant, program, funder, asset, status)
     SELECT holder, lot, debits_pending, debits_posted, credits_pending, credits_posted, credit_limit,
       expires_at, sweep_due, ${timestampOf('$2::bigint')}, $1::integer, program,
       funder, asset, coalesce((SELECT max(f.status) FROM lots f
         WHERE f.tenant = $1::integer AND f.holder = u.holder AND f.program = u.program), 0)
     FROM ${rowsOf(
       3,
       `holder bigint, lot bigint, debits_pending bigint, debits_posted bigint, credits_pending bigint,
         credits_posted bigint, credit_limit bigint, expires_at timestamptz, sweep_due timestamptz, program integer,
         funder integer, asset smallint`,
     )} AS u`,
    [
      tenant,
      at,
      bigints(lots.map(one => one.holder)),
      bigints(lots.map(one => one.id)),
      bigints(lots.map(one => one.debitsPending)),
      bigints(lots.map(one => one.debitsPosted)),
      bigints(lots.map(one => one.creditsPending)),
      bigints(lots.map(one => one.creditsPosted)),
      bigints(lots.map(one => one.limit)),
      timestamps(lots.map(one => one.expiresAt)),
      timestamps(lots.map(one => one.sweepDue)),
      integers(lots.map(one => one.program)),
      integers(lots.map(one => one.funder)),
      smallints(lots.map(one => one.asset)),
    ],
  )

/** Moves the moments at which lots expire and are swept. */
export const updateLotExpiry = (tenant: number, changes: readonly LotChange[]): Statement =>
  statement(
    'update_lot_expiry',
    `WITH moved AS (
       UPDATE lots l SET expires_at = x.expires_at, sweep_due = x.sweep_due, spare = NULL
       FROM ${rowsOfTenant(2, 'holder bigint, lot bigint, expires_at timestamptz, sweep_due timestamptz')} AS x
       WHERE l.tenant = x.tenant AND l.holder = x.holder AND l.lot = x.lot RETURNING 1)
     ${expectMoved(6, 'expiry of lots')}`,
    [
      tenant,
      bigints(changes.map(one => one.holder)),
      bigints(changes.map(one => one.lot)),
      timestamps(changes.map(one => one.expiresAt)),
      timestamps(changes.map(one => one.sweepDue)),
      changes.length,
    ],
  )

/**
 * Writes what the limits of holders have counted, if their rows are still the ones that were read under the locks.
 * `read`: of each holder where that row is, which no other version of it is. It also finds the row without an index.
 */
export function updateUsage(
  tenant: number,
  changes: readonly UsageChange[],
  read: ReadonlyMap<number, number>,
): Statement {
  const usage = listsOf(
    changes.map(one => one.usage),
    writeUsage,
  )
  return statement(
    'update_usage',
    `WITH moved AS (
       UPDATE cardholders h SET usage = ($3::bigint[])[x.first:x.last]
       FROM ${rowsOfTenant(4, 'id bigint, read tid, first integer, last integer')} AS x
       WHERE h.ctid = x.read AND h.tenant = x.tenant AND h.id = x.id RETURNING 1)
     ${expectMoved(2, 'usage')}`,
    [
      tenant,
      changes.length,
      usage.numbers,
      bigints(changes.map(one => one.holder)),
      places(changes.map(one => read.get(one.holder) ?? null)),
      usage.first,
      usage.last,
    ],
  )
}

/**
 * Writes what the limits of organisations have counted and what they have left, if both are still what was read under
 * the locks.
 */
export function updateOrganisations(tenant: number, changes: readonly OrganisationChange[]): Statement {
  const read = listsOf(
    changes.map(one => one.read.usage),
    writeUsage,
  )
  const usage = listsOf(
    changes.map(one => one.after.usage),
    writeUsage,
  )
  return statement(
    'update_organisations',
    `WITH moved AS (
       UPDATE organisation_counters o SET balance = x.balance, usage = ($4::bigint[])[x.first:x.last]
       FROM ${rowsOfTenant(
         5,
         `organisation integer, read_balance bigint, balance bigint, read_first integer, read_last integer,
           first integer, last integer`,
       )} AS x
       WHERE o.tenant = x.tenant AND o.organisation = x.organisation AND o.balance = x.read_balance
         AND o.usage IS NOT DISTINCT FROM ($3::bigint[])[x.read_first:x.read_last] RETURNING 1)
     ${expectMoved(2, 'organisations')}`,
    [
      tenant,
      changes.length,
      read.numbers,
      usage.numbers,
      integers(changes.map(({ after }) => after.id)),
      bigints(changes.map(one => one.read.balance)),
      bigints(changes.map(({ after }) => after.balance)),
      read.first,
      read.last,
      usage.first,
      usage.last,
    ],
  )
}

export const insertMovements = (tenant: number, batch: number, at: number, movements: readonly Movement[]): Statement =>
  statement(
    'insert_movements',
    `INSERT INTO lot_movements (lot, holder, batch_seq, at, amount, balance, tenant, idx, kind, reason, reference,
       actor)
     SELECT lot, holder, $2::bigint, ${timestampOf('$3::bigint')}, amount, balance, $1::integer, idx, kind, reason,
       reference, actor
     FROM ${rowsOf(
       4,
       `lot bigint, holder bigint, amount bigint, balance bigint, idx smallint, kind smallint, reason text,
         reference text, actor text`,
     )} AS u`,
    [
      tenant,
      batch,
      at,
      bigints(movements.map(one => one.lot)),
      bigints(movements.map(one => one.holder)),
      bigints(movements.map(one => one.amount)),
      bigints(movements.map(one => one.balance)),
      smallints(movements.map(one => one.index)),
      smallints(movements.map(one => commandCodeOf(one.kind))),
      texts(movements.map(one => one.note.reason)),
      texts(movements.map(one => one.note.reference)),
      texts(movements.map(one => one.note.actor)),
    ],
  )

export const insertOrganisationMovements = (
  tenant: number,
  batch: number,
  at: number,
  movements: readonly OrganisationMovement[],
): Statement =>
  statement(
    'insert_organisation_movements',
    `INSERT INTO organisation_movements (batch_seq, at, amount, balance, tenant, organisation, idx, reason, reference,
       actor)
     SELECT $2::bigint, ${timestampOf('$3::bigint')}, amount, balance, $1::integer, organisation, idx, reason,
       reference, actor
     FROM ${rowsOf(
       4,
       'amount bigint, balance bigint, organisation integer, idx smallint, reason text, reference text, actor text',
     )} AS u`,
    [
      tenant,
      batch,
      at,
      bigints(movements.map(one => one.amount)),
      bigints(movements.map(one => one.balance)),
      integers(movements.map(one => one.organisation)),
      smallints(movements.map(one => one.index)),
      texts(movements.map(one => one.note.reason)),
      texts(movements.map(one => one.note.reference)),
      texts(movements.map(one => one.note.actor)),
    ],
  )
