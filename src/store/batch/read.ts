import { dayOf } from '../../core/ids.ts'
import {
  bigints,
  type DaySpan,
  dayOfId,
  dayOfTime,
  integers,
  partitionOf,
  rowsOfTenant,
  type Statement,
  spanOf,
  statement,
  texts,
  uuids,
} from '../sql.ts'
import { cardColumns, decisionColumns, lotColumns, transactionColumns } from './columns.ts'

/** A day that only the database knows: that of its clock, and the one before. For keys that carry no time. */
export const today = -1
export const yesterday = -2

const dayOfClock = dayOfTime('clock_timestamp()')

/** Days around the database's own today of which both tables have a partition. Older ones may be put away. */
export const readPartitions: Statement = statement(
  'read_partitions',
  `SELECT day FROM (SELECT ${dayOfClock} + n AS day
     FROM generate_series(-1, 3) AS n OFFSET 0) AS x
   WHERE to_regclass('decisions_' || day) IS NOT NULL AND to_regclass('transactions_' || day) IS NOT NULL`,
)

const keyRows = (keys: string, days: string): string => `
  (SELECT $1::integer AS tenant, key, CASE WHEN day < 0 THEN ${dayOfClock} + day + 1 ELSE day END AS day
   FROM unnest(${keys}::uuid[], ${days}::integer[]) AS u(key, day) OFFSET 0)`

/**
 * Stored answers: own keys, and those that originals are named by. Read after the locks, or ON CONFLICT would be
 * needed. `span`: of all their days. OFFSET 0 keeps the look-up a look-up of one row: a planner without statistics
 * would else read the whole span.
 */
export const readDecisions = (
  tenant: number,
  keys: readonly string[],
  days: readonly number[],
  span: DaySpan,
  partition: string,
): Statement =>
  statement(
    `read_decisions${partition}`,
    `SELECT ${decisionColumns('d')} FROM ${keyRows('$2', '$3')} AS x
     CROSS JOIN LATERAL (SELECT * FROM decisions${partition} r
       WHERE r.tenant = x.tenant AND r.day = x.day AND r.key = x.key
         AND r.day BETWEEN $4::integer AND $5::integer OFFSET 0) AS d`,
    [tenant, uuids(keys), integers(days), span.first, span.last],
  )

export const readTransactions = (
  tenant: number,
  ids: readonly number[],
  partitions: ReadonlySet<number>,
): Statement => {
  const span = spanOf(ids.map(dayOf))
  const partition = partitionOf(span, partitions)
  return statement(
    `read_transactions${partition}`,
    `SELECT ${transactionColumns('t')} FROM (
       SELECT $1::integer AS tenant, id, ${dayOfId('id')} AS day FROM unnest($2::bigint[]) AS id OFFSET 0) AS x
     CROSS JOIN LATERAL (SELECT * FROM transactions${partition} r
       WHERE r.tenant = x.tenant AND r.day = x.day AND r.id = x.id
       AND r.day BETWEEN $3::integer AND $4::integer OFFSET 0) AS t`,
    [tenant, bigints(ids), span.first, span.last],
  )
}

/** Transactions by the keys that opened or moved them. */
export const readTransactionsByKey = (tenant: number, keys: readonly string[], days: readonly number[]): Statement =>
  statement(
    'read_transactions_by_key',
    `SELECT ${transactionColumns('t')} FROM (
       SELECT DISTINCT d.tenant, d.txn AS id, ${dayOfId('d.txn')} AS day FROM ${keyRows('$2', '$3')} AS k
       JOIN decisions d ON d.tenant = k.tenant AND d.day = k.day AND d.key = k.key WHERE d.txn IS NOT NULL
       OFFSET 0) AS x
     JOIN transactions t ON t.tenant = x.tenant AND t.day = x.day AND t.id = x.id`,
    [tenant, uuids(keys), integers(days)],
  )

/**
 * Cards with the lots of their holders, and where those are: a row for each lot, one without where there is none. A row
 * begins with the place of its card in `tokens`.
 */
export const readCards = (tenant: number, tokens: readonly string[]): Statement =>
  statement(
    'read_cards',
    `SELECT x.place, ${cardColumns('c')}, ${lotColumns('l')}, l.ctid
     FROM ${rowsOfTenant(2, 'token uuid, place integer')} AS x
     JOIN cards c ON c.tenant = x.tenant AND c.token = x.token
     LEFT JOIN lots l ON l.tenant = c.tenant AND l.holder = c.holder`,
    [tenant, uuids(tokens), integers(tokens.map((_, place) => place))],
  )

export const readLots = (tenant: number, holders: readonly number[]): Statement =>
  statement(
    'read_lots',
    `SELECT ${lotColumns('l')}, l.ctid
     FROM (SELECT $1::integer AS tenant, holder FROM unnest($2::bigint[]) AS holder OFFSET 0) AS x
     JOIN lots l ON l.tenant = x.tenant AND l.holder = x.holder`,
    [tenant, bigints(holders)],
  )

/** Lots of the holders of transactions that may give value back, named by id or by a key. */
export const readLotsOfTransactions = (
  tenant: number,
  ids: readonly number[],
  keys: readonly string[],
  days: readonly number[],
): Statement =>
  statement(
    'read_lots_of_transactions',
    `SELECT ${lotColumns('l')}, l.ctid FROM (
       SELECT DISTINCT tenant, holder FROM (
         SELECT t.tenant, t.holder
         FROM (SELECT $1::integer AS tenant, id, ${dayOfId('id')} AS day FROM unnest($2::bigint[]) AS id OFFSET 0) AS x
         JOIN transactions t ON t.tenant = x.tenant AND t.day = x.day AND t.id = x.id
         UNION ALL
         SELECT t.tenant, t.holder FROM ${keyRows('$3', '$4')} AS k
         JOIN decisions d ON d.tenant = k.tenant AND d.day = k.day AND d.key = k.key
         JOIN transactions t ON t.tenant = d.tenant AND t.day = ${dayOfId('d.txn')} AND t.id = d.txn
       ) AS found OFFSET 0) AS x
     JOIN lots l ON l.tenant = x.tenant AND l.holder = x.holder`,
    [tenant, bigints(ids), uuids(keys), integers(days)],
  )

/** Numbers for lots that the commands may open. */
export const drawLots = (count: number): Statement =>
  statement('draw_lots', "SELECT nextval('lot_seq') FROM generate_series(1, $1::integer)", [count])

/** How far each merchant's settlements have come: a batch number, -1 for none. */
export const readWatermarks = (tenant: number, merchants: readonly number[]): Statement =>
  statement(
    'read_watermarks',
    `SELECT x.merchant, coalesce((SELECT s.up_to_batch FROM settlements s WHERE s.tenant = x.tenant
       AND s.merchant = x.merchant ORDER BY s.up_to_batch DESC LIMIT 1), -1)
     FROM (SELECT $1::integer AS tenant, merchant FROM unnest($2::integer[]) AS merchant OFFSET 0) AS x`,
    [tenant, integers(merchants)],
  )

/**
 * Reversals that are remembered for these bills, for a day: by then the request that they overtook is not on its way.
 */
export const readRememberedReversals = (
  tenant: number,
  bills: readonly { merchant: number; reference: string }[],
): Statement =>
  statement(
    'read_remembered_reversals',
    `SELECT r.merchant, r.reference
     FROM (SELECT $1::integer AS tenant, * FROM unnest($2::integer[], $3::text[]) AS u(merchant, reference)
       OFFSET 0) AS x
     JOIN remembered_reversals r ON r.tenant = x.tenant AND r.merchant = x.merchant AND r.reference = x.reference
     WHERE r.at > clock_timestamp() - interval '1 day'`,
    [tenant, integers(bills.map(bill => bill.merchant)), texts(bills.map(bill => bill.reference))],
  )

/** Last of the reads: the batch's place in the order of all, its time, and numbers for the transactions it may open. */
export const readClock = (openings: number): Statement =>
  statement(
    'read_clock',
    `SELECT nextval('batch_seq'), clock_timestamp(),
       ARRAY(SELECT nextval('transaction_seq') FROM generate_series(1, $1::integer))`,
    [openings],
  )
