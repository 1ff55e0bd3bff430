import { idOfRrn, type TransactionId } from '../../core/ids.ts'
import { dayOfId, dayOfTime, type Statement, statement } from '../sql.ts'
import type { WireRows } from '../wire-rows.ts'

/**
 * Originals that are named by something else than an id or the key of a known day. They are seldom, so each is looked
 * up by a statement of its own, in a flight before the holders are locked; what they read never changes.
 */

const clockDay = dayOfTime('clock_timestamp()')

/** How long a transaction may be found by a name that is not its id. A hold lasts 31 days at the most. */
const daysBack = 40

/** By the key of an API client, whose day is not known. */
export const resolveKey = (tenant: number, key: string): Statement =>
  statement(
    'resolve_key',
    `SELECT d.txn FROM (SELECT $1::integer AS tenant, $2::uuid AS key, ${clockDay} + 1 - back AS day
       FROM generate_series(0, ${daysBack}) AS back OFFSET 0) AS x
     JOIN decisions d ON d.tenant = x.tenant AND d.day = x.day AND d.key = x.key WHERE d.txn IS NOT NULL`,
    [tenant, key],
  )

/** By the range of keys of one terminal and STAN; only what was decided in the last 24 hours. */
export const resolveKeyRange = (tenant: number, from: string, to: string): Statement =>
  statement(
    'resolve_key_range',
    `SELECT d.txn FROM (SELECT $1::integer AS tenant, $2::uuid AS first, $3::uuid AS last, ${clockDay} + 1 - back AS day
       FROM generate_series(0, 3) AS back OFFSET 0) AS x
     JOIN decisions d ON d.tenant = x.tenant AND d.day = x.day AND d.key BETWEEN x.first AND x.last
     WHERE d.txn IS NOT NULL AND d.at > clock_timestamp() - interval '1 day'
       AND right(d.key::text, 2) = right(x.first::text, 2)`,
    [tenant, from, to],
  )

/** By DE37: the terminal's own number, else the one that the switch made from the id. */
export const resolveRrn = (tenant: number, merchant: number, rrn: string, today: number): Statement =>
  statement(
    'resolve_rrn',
    `SELECT t.id FROM (SELECT $1::integer AS tenant, $2::integer AS merchant, $3::text AS rrn, $4::bigint AS id,
       ${clockDay} + 1 - back AS day FROM generate_series(0, ${daysBack}) AS back OFFSET 0) AS x
     JOIN transactions t ON t.tenant = x.tenant AND t.day = x.day AND t.merchant = x.merchant AND t.rrn = x.rrn
     UNION
     SELECT t.id FROM (SELECT $1::integer AS tenant, $2::integer AS merchant, $4::bigint AS id OFFSET 0) AS x
     JOIN transactions t ON t.tenant = x.tenant AND t.day = ${dayOfId('x.id')} AND t.id = x.id
       AND t.merchant = x.merchant AND t.rrn IS NULL`,
    [tenant, merchant, rrn, idOfRrn(rrn, today)],
  )

/** How many attempts at one bill are told apart; a till gives up long before. */
const attemptsMax = 64

/** By bill number, the latest first. Which of them is in force is for the decision to say, after the locks. */
export const resolveReference = (tenant: number, merchant: number, reference: string): Statement =>
  statement(
    'resolve_reference',
    `SELECT t.id
     FROM (SELECT $1::integer AS tenant, $2::integer AS merchant, $3::text AS reference,
       ${clockDay} + 1 - back AS day FROM generate_series(0, ${daysBack}) AS back OFFSET 0) AS x
     JOIN transactions t ON t.tenant = x.tenant AND t.day = x.day AND t.merchant = x.merchant
       AND t.reference = x.reference
     WHERE t.kind <> 2 ORDER BY t.id DESC LIMIT ${attemptsMax}`,
    [tenant, merchant, reference],
  )

/** Transactions of the name that any of these look-ups found. */
export const foundIn = (rows: WireRows): TransactionId[] => rows.map(row => row.number())
