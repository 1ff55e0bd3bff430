import type { TransactionId } from '../../core/ids.ts'
import { dayOf } from '../../core/ids.ts'
import { phaseCodes } from '../../core/phases.ts'
import { reasons } from '../../core/reasons.ts'
import type { Decision, Transaction } from '../../core/transactions.ts'
import type { BillReference, LotDelta, PinTries } from '../../core/working-set.ts'
import {
  bigints,
  byteas,
  dayOfId,
  expectMoved,
  integers,
  listsOf,
  partitionOf,
  places,
  rowsOf,
  rowsOfTenant,
  type Statement,
  smallints,
  spanOf,
  statement,
  texts,
  timestampOfParameter,
  timestamps,
  uuids,
} from '../sql.ts'
import type { ChainLink } from './chain.ts'
import { commandCodeOf, transactionCodeOf } from './codes.ts'
import { balancesLiteral, writeLeg, writePosting } from './columns.ts'

/**
 * The second flight of a batch: plain inserts of sorted keys, and updates that fail if they do not meet the rows that
 * were read. Never ON CONFLICT: a key that a rival has written must sink the batch together with its effects.
 */

/** Version of the rendering of stored answers. */
export const renderVersion = 1

const zeroAsNull = (amount: bigint | undefined): bigint | null => (amount === 0n ? null : (amount ?? null))

/** `decisions` sorted by key, so that two batches with the same keys collide instead of waiting for each other. */
export function insertDecisions(
  tenant: number,
  batch: number,
  at: number,
  decisions: readonly Decision[],
  partitions: ReadonlySet<number>,
): Statement {
  const partition = partitionOf(spanOf(decisions.map(one => one.day)), partitions)
  const legs = listsOf(
    decisions.map(one => one.postings),
    writePosting,
  )
  return statement(
    `insert_decisions${partition}`,
    `INSERT INTO decisions${partition} (key, txn, batch_seq, at, requested, authorized, confirmed, reversed, refunded,
       tenant, day, idx, kind, reason, phase, render, content, legs, balances)
     SELECT key, txn, $2::bigint, ${timestampOfParameter('$3')}, requested, authorized, confirmed, reversed, refunded,
       $1::integer, day, idx, kind, reason, phase, ${renderVersion}, content,
       ($4::bigint[])[legs_first:legs_last], balances::json
     FROM ${rowsOf(
       5,
       `key uuid, day integer, txn bigint, requested bigint, authorized bigint, confirmed bigint, reversed bigint,
         refunded bigint, idx smallint, kind smallint, reason smallint, phase smallint, content bytea,
         legs_first integer, legs_last integer, balances text`,
     )} AS u`,
    [
      tenant,
      batch,
      at,
      legs.numbers,
      uuids(decisions.map(one => one.key)),
      integers(decisions.map(one => one.day)),
      bigints(decisions.map(one => one.transaction)),
      bigints(decisions.map(one => one.amounts?.requested ?? null)),
      bigints(decisions.map(one => zeroAsNull(one.amounts?.authorized))),
      bigints(decisions.map(one => zeroAsNull(one.amounts?.confirmed))),
      bigints(decisions.map(one => zeroAsNull(one.amounts?.reversed))),
      bigints(decisions.map(one => zeroAsNull(one.amounts?.refunded))),
      smallints(decisions.map(one => one.index)),
      smallints(decisions.map(one => commandCodeOf(one.kind))),
      smallints(decisions.map(one => reasons[one.reason].code)),
      smallints(decisions.map(one => (one.phase === null ? null : phaseCodes[one.phase]))),
      byteas(decisions.map(one => one.content)),
      legs.first,
      legs.last,
      texts(decisions.map(one => balancesLiteral(one.balances))),
    ],
  )
}

/** `at`: the batch's, in which they are opened. */
export function insertTransactions(
  tenant: number,
  at: number,
  transactions: readonly Transaction[],
  partitions: ReadonlySet<number>,
): Statement {
  const partition = partitionOf(spanOf(transactions.map(one => dayOf(one.id))), partitions)
  const legs = listsOf(
    transactions.map(one => one.legs),
    writeLeg,
  )
  return statement(
    `insert_transactions${partition}`,
    `INSERT INTO transactions${partition} (id, holder, requested, authorized, confirmed, reversed, refunded, at,
       expires_at, confirmed_in, original, card, tenant, day, merchant, terminal, business_date, stan, asset, version,
       phase, reason, kind, rrn, reference, legs)
     SELECT id, holder, requested, authorized, confirmed, reversed, refunded, ${timestampOfParameter('$2')},
       expires_at, confirmed_in, original, card, $1::integer, ${dayOfId('id')}, merchant, terminal,
       business_date, stan, asset, version, phase, reason, kind, rrn, reference,
       ($3::bigint[])[legs_first:legs_last]
     FROM ${rowsOf(
       4,
       `id bigint, holder bigint, requested bigint, authorized bigint, confirmed bigint, reversed bigint,
         refunded bigint, expires_at timestamptz, confirmed_in bigint, original bigint, card uuid, merchant integer,
         terminal integer, business_date integer, stan integer, asset smallint, version smallint, phase smallint,
         reason smallint, kind smallint, rrn text, reference text, legs_first integer, legs_last integer`,
     )} AS u`,
    [
      tenant,
      at,
      legs.numbers,
      bigints(transactions.map(one => one.id)),
      bigints(transactions.map(one => one.holder)),
      bigints(transactions.map(one => one.amounts.requested)),
      bigints(transactions.map(one => one.amounts.authorized)),
      bigints(transactions.map(one => one.amounts.confirmed)),
      bigints(transactions.map(one => one.amounts.reversed)),
      bigints(transactions.map(one => one.amounts.refunded)),
      timestamps(transactions.map(one => one.expiresAt)),
      bigints(transactions.map(one => one.confirmedIn)),
      bigints(transactions.map(one => one.original)),
      uuids(transactions.map(one => one.card)),
      integers(transactions.map(one => one.merchant)),
      integers(transactions.map(one => one.terminal)),
      integers(transactions.map(one => one.businessDate)),
      integers(transactions.map(one => one.stan)),
      smallints(transactions.map(one => one.asset)),
      smallints(transactions.map(one => one.version)),
      smallints(transactions.map(one => phaseCodes[one.phase])),
      smallints(transactions.map(one => reasons[one.reason].code)),
      smallints(transactions.map(one => transactionCodeOf(one.kind))),
      texts(transactions.map(one => one.rrn)),
      texts(transactions.map(one => one.reference)),
      legs.first,
      legs.last,
    ],
  )
}

/** Moves transactions on, if phase and version are still those that were read. */
export function updateTransactions(
  tenant: number,
  changes: readonly { before: Transaction; after: Transaction }[],
  partitions: ReadonlySet<number>,
): Statement {
  const partition = partitionOf(spanOf(changes.map(({ after }) => dayOf(after.id))), partitions)
  const legs = listsOf(
    changes.map(({ after }) => after.legs),
    writeLeg,
  )
  return statement(
    `update_transactions${partition}`,
    `WITH moved AS (
       UPDATE transactions${partition} t SET phase = x.phase, version = x.version, confirmed = x.confirmed,
         reversed = x.reversed, refunded = x.refunded, confirmed_in = x.confirmed_in,
         legs = ($3::bigint[])[x.legs_first:x.legs_last]
       FROM ${rowsOfTenant(
         4,
         `day integer, id bigint, read_phase smallint, read_version smallint, phase smallint, version smallint,
           confirmed bigint, reversed bigint, refunded bigint, confirmed_in bigint, legs_first integer,
           legs_last integer`,
       )} AS x
       WHERE t.tenant = x.tenant AND t.day = x.day AND t.id = x.id
         AND t.phase = x.read_phase AND t.version = x.read_version
       RETURNING 1)
     ${expectMoved(2, 'transactions')}`,
    [
      tenant,
      changes.length,
      legs.numbers,
      integers(changes.map(({ after }) => dayOf(after.id))),
      bigints(changes.map(({ after }) => after.id)),
      smallints(changes.map(({ before }) => phaseCodes[before.phase])),
      smallints(changes.map(({ before }) => before.version)),
      smallints(changes.map(({ after }) => phaseCodes[after.phase])),
      smallints(changes.map(({ after }) => after.version)),
      bigints(changes.map(({ after }) => after.amounts.confirmed)),
      bigints(changes.map(({ after }) => after.amounts.reversed)),
      bigints(changes.map(({ after }) => after.amounts.refunded)),
      bigints(changes.map(({ after }) => after.confirmedIn)),
      legs.first,
      legs.last,
    ],
  )
}

const moveLots = (source: string, isTheOne: string): string => `
  WITH moved AS (
    UPDATE lots l SET debits_pending = l.debits_pending + x.debits_pending,
      debits_posted = l.debits_posted + x.debits_posted, credits_pending = l.credits_pending + x.credits_pending,
      credits_posted = l.credits_posted + x.credits_posted, spare = NULL
    FROM ${source} AS x
    WHERE ${isTheOne} l.tenant = x.tenant AND l.holder = x.holder AND l.lot = x.lot
      AND (x.debits_pending + x.debits_posted <= x.credits_posted
        OR l.credits_posted + l.credit_limit - l.debits_posted - l.debits_pending
          >= x.debits_pending + x.debits_posted - x.credits_posted)
    RETURNING 1)
  ${expectMoved(2, 'lots')}`

const deltaColumns = `holder bigint, lot bigint, debits_pending bigint, debits_posted bigint, credits_pending bigint,
  credits_posted bigint`

const deltaValues = (tenant: number, deltas: readonly LotDelta[]) => [
  tenant,
  deltas.length,
  bigints(deltas.map(one => one.holder)),
  bigints(deltas.map(one => one.lot)),
  bigints(deltas.map(one => one.debitsPending)),
  bigints(deltas.map(one => one.debitsPosted)),
  bigints(deltas.map(one => one.creditsPending)),
  bigints(deltas.map(one => one.creditsPosted)),
]

const updateLotsText = moveLots(rowsOfTenant(3, deltaColumns), '')
const updateReadLotsText = moveLots(rowsOfTenant(3, `${deltaColumns}, read tid`), 'l.ctid = x.read AND')

/** Changes lots by the sums of their postings. A spend fails unless what it takes is there. */
export const updateLots = (tenant: number, deltas: readonly LotDelta[]): Statement =>
  statement('update_lots', updateLotsText, deltaValues(tenant, deltas))

/** The same of lots that were read: `read` tells where each row is, which finds it without an index. */
export const updateReadLots = (
  tenant: number,
  deltas: readonly LotDelta[],
  read: ReadonlyMap<number, number>,
): Statement =>
  statement('update_read_lots', updateReadLotsText, [
    ...deltaValues(tenant, deltas),
    places(deltas.map(({ lot }) => read.get(lot) ?? null)),
  ])

/** Sets how often the PIN of a card was wrong, if the count is still the one that was read. */
export const updatePinTries = (tenant: number, changes: readonly PinTries[]): Statement =>
  statement(
    'update_pin_tries',
    `WITH moved AS (
       UPDATE cards c SET pin_tries = x.tries
       FROM ${rowsOfTenant(2, 'token uuid, read smallint, tries smallint')} AS x
       WHERE c.tenant = x.tenant AND c.token = x.token AND c.pin_tries = x.read RETURNING 1)
     ${expectMoved(5, 'cards')}`,
    [
      tenant,
      uuids(changes.map(one => one.token)),
      smallints(changes.map(one => one.read)),
      smallints(changes.map(one => one.tries)),
      changes.length,
    ],
  )

/** Holds by the moment at which they run out; one row for all of a batch that share it. */
export const insertHoldDeadlines = (
  tenant: number,
  batch: number,
  deadlines: readonly { due: number; ids: readonly TransactionId[] }[],
): Statement => {
  const txns = listsOf(
    deadlines.map(({ ids }) => ids),
    (numbers, id) => numbers.push(id),
  )
  return statement(
    'insert_hold_deadlines',
    `INSERT INTO hold_deadlines (due, batch_seq, tenant, txns)
     SELECT due, $2::bigint, $1::integer, ($3::bigint[])[first:last]
     FROM ${rowsOf(4, 'due timestamptz, first integer, last integer')} AS u`,
    [tenant, batch, txns.numbers, timestamps(deadlines.map(({ due }) => due)), txns.first, txns.last],
  )
}

export const insertRememberedReversals = (tenant: number, at: number, bills: readonly BillReference[]): Statement =>
  statement(
    'insert_remembered_reversals',
    `INSERT INTO remembered_reversals (at, tenant, merchant, reference)
     SELECT ${timestampOfParameter('$2')}, $1::integer, merchant, reference
     FROM ${rowsOf(3, 'merchant integer, reference text')} AS u
     ON CONFLICT (tenant, merchant, reference) DO UPDATE SET at = excluded.at`,
    [tenant, at, integers(bills.map(bill => bill.merchant)), texts(bills.map(bill => bill.reference))],
  )

export const deleteRememberedReversals = (tenant: number, bills: readonly BillReference[]): Statement =>
  statement(
    'delete_remembered_reversals',
    `WITH moved AS (
       DELETE FROM remembered_reversals r
       USING ${rowsOfTenant(2, 'merchant integer, reference text')} AS x
       WHERE r.tenant = x.tenant AND r.merchant = x.merchant AND r.reference = x.reference RETURNING 1)
     ${expectMoved(4, 'remembered reversals')}`,
    [tenant, integers(bills.map(bill => bill.merchant)), texts(bills.map(bill => bill.reference)), bills.length],
  )

export const insertBatch = (tenant: number, batch: number, at: number, link: ChainLink, decisions: number): Statement =>
  statement(
    'insert_batch',
    `INSERT INTO batches (seq, at, position, run, tenant, decisions, hash)
     VALUES ($2::bigint, ${timestampOfParameter('$3')}, $4::bigint, $5::uuid, $1::integer, $6::integer,
       decode($7::text, 'hex'))`,
    [tenant, batch, at, link.position, link.run, decisions, link.hash],
  )

export const commit: Statement = statement('commit', 'COMMIT')
