import type { Key } from '../core/commands.ts'
import type { Day, Micros, TransactionId } from '../core/ids.ts'
import { fenceClass } from './batch/lock.ts'
import type { Pool } from './pool.ts'
import { idOf, microsOf, timestampOf } from './sql.ts'

/** A merchant with something to settle, and how far its settlements had come when that was seen. */
interface Candidate {
  readonly merchant: number
  readonly afterBatch: number
}

export interface ClosedSettlement {
  readonly id: number
  readonly merchant: number
  readonly closedAt: Micros
  /** Whether its lines and totals are there. */
  readonly isPosted: boolean
}

/** What one transaction adds to a settlement: posted to the merchant, less what went back. */
export interface SettlementLine {
  readonly transaction: TransactionId
  readonly kind: number
  readonly amount: bigint
}

/**
 * `s` is a row with tenant, merchant, payable, and the range after_batch to up_to_batch. Settling itself does not
 * count.
 */
const linesSql = (s: string): string => `
  SELECT ${s}.merchant, p.txn, sum(CASE WHEN p.credit = ${s}.payable THEN p.posted ELSE -p.posted END) AS amount
  FROM postings p
  WHERE p.tenant = ${s}.tenant AND p.batch_seq > ${s}.after_batch AND p.batch_seq <= ${s}.up_to_batch
    AND p.txn IS NOT NULL AND p.posted <> 0 AND (p.credit = ${s}.payable OR p.debit = ${s}.payable)
  GROUP BY p.txn HAVING sum(CASE WHEN p.credit = ${s}.payable THEN p.posted ELSE -p.posted END) <> 0`

const watermarkSql = (m: string): string =>
  `coalesce((SELECT max(w.up_to_batch) FROM settlements w WHERE w.tenant = ${m}.tenant AND w.merchant = ${m}.id), -1)`

/** Merchants that have something to settle in batches up to `upToBatch`. Read before the fence: it may take a while. */
export async function readCandidates(
  pool: Pool,
  tenant: number,
  merchants: readonly number[] | null,
  upToBatch: number,
): Promise<Candidate[]> {
  const { rows } = await pool.query<{ merchant: string; after_batch: string }>(
    `WITH range AS MATERIALIZED (
       SELECT m.tenant, m.id AS merchant, m.payable, ${watermarkSql('m')} AS after_batch FROM merchants m
       WHERE m.tenant = $1 AND ($2::integer[] IS NULL OR m.id = ANY ($2))),
     moved AS (
       SELECT r.merchant, r.after_batch, p.txn,
         sum(CASE WHEN p.credit = r.payable THEN p.posted ELSE -p.posted END) AS amount
       FROM postings p JOIN range r ON r.payable IN (p.credit, p.debit)
       WHERE p.tenant = $1 AND p.batch_seq > (SELECT min(after_batch) FROM range) AND p.batch_seq > r.after_batch
         AND p.batch_seq <= $3 AND p.txn IS NOT NULL AND p.posted <> 0
       GROUP BY r.merchant, r.after_batch, p.txn)
     SELECT DISTINCT merchant::text, after_batch::text FROM moved WHERE amount <> 0 ORDER BY merchant`,
    [tenant, merchants, upToBatch],
  )
  return rows.map(row => ({ merchant: idOf(row.merchant), afterBatch: idOf(row.after_batch) }))
}

/** The last batch before `endOfDate`, by the database's clock; null: the last one that has its number. */
export async function readLastBatch(pool: Pool, tenant: number, endOfDate: Micros | null): Promise<number> {
  const { rows } = await pool.query<{ last: string }>(
    `SELECT coalesce(
       (SELECT min(seq) - 1 FROM batches WHERE tenant = $1 AND at >= ${timestampOf('$2::bigint')}),
       (SELECT last_value FROM batch_seq))::text AS last`,
    [tenant, endOfDate],
  )
  return idOf(rows[0]?.last)
}

/** When a business date ends: local midnight of the next day, plus the cut-over. */
export async function readEndOfDate(pool: Pool, date: Day, timeZone: string, cutOverSeconds: number): Promise<Micros> {
  const { rows } = await pool.query<{ end: string }>(
    `SELECT ${microsOf(`((date '1970-01-01' + $1::integer + 1)::timestamp + $3::integer * interval '1 second')
       AT TIME ZONE $2::text`)}::text AS end`,
    [date, timeZone, cutOverSeconds],
  )
  return idOf(rows[0]?.end)
}

/** A request to close: its key, and the fingerprint of its content. */
interface CloseRequest {
  readonly tenant: number
  readonly key: Key
  readonly content: string
}

/** The fingerprint of the request that was stored under this key; null if there is none. */
export async function readCloseRequest(pool: Pool, { tenant, key }: CloseRequest): Promise<string | null> {
  const { rows } = await pool.query<{ content: string }>(
    "SELECT encode(content, 'hex') AS content FROM settlement_requests WHERE tenant = $1 AND key = $2",
    [tenant, key],
  )
  return rows[0]?.content ?? null
}

/**
 * Stores the request and the watermark of each candidate, under the tenant's fence: it waits for the batches under way,
 * and those that come after have higher numbers. A candidate that another process has closed meanwhile is left out.
 * False: the request is there already, and nothing is done.
 */
export async function closeCandidates(
  pool: Pool,
  request: CloseRequest,
  candidates: readonly Candidate[],
  lastBatch: number | null,
  businessDate: Day,
): Promise<boolean> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query("SET LOCAL lock_timeout = '10s'")
    // With nothing to close nobody need wait for it.
    if (candidates.length > 0) {
      await client.query(`SELECT pg_advisory_xact_lock(${fenceClass}, $1::integer)`, [request.tenant])
    }
    const { rowCount } = await client.query(
      `INSERT INTO settlement_requests (at, key, tenant, content)
       VALUES (clock_timestamp(), $2, $1, decode($3, 'hex')) ON CONFLICT (tenant, key) DO NOTHING`,
      [request.tenant, request.key, request.content],
    )
    if (rowCount === 1 && candidates.length > 0) {
      await client.query(
        `INSERT INTO settlements (tenant, merchant, number, after_batch, up_to_batch, business_date, closed_at, request)
         SELECT m.tenant, m.id, coalesce((SELECT max(number) FROM settlements n
             WHERE n.tenant = m.tenant AND n.merchant = m.id), 0) + 1,
           c.after_batch, coalesce($4::bigint, b.last_value), $5, clock_timestamp(), $6
         FROM unnest($2::integer[], $3::bigint[]) AS c(merchant, after_batch)
         JOIN merchants m ON m.tenant = $1 AND m.id = c.merchant AND ${watermarkSql('m')} = c.after_batch
         CROSS JOIN batch_seq b
         ORDER BY m.id`,
        [
          request.tenant,
          candidates.map(one => one.merchant),
          candidates.map(one => one.afterBatch),
          lastBatch,
          businessDate,
          request.key,
        ],
      )
    }
    await client.query('COMMIT')
    return rowCount === 1
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  } finally {
    client.release()
  }
}

/** Settlements that were closed and whose lines are not there yet: a process ended in between. */
export const readUnposted = (pool: Pool, tenant: number): Promise<ClosedSettlement[]> =>
  readClosed(pool, 'tenant = $1 AND posted_at IS NULL', [tenant])

/** What one request closed. */
export const readClosedBy = (pool: Pool, { tenant, key }: CloseRequest): Promise<ClosedSettlement[]> =>
  readClosed(pool, 'tenant = $1 AND request = $2', [tenant, key])

async function readClosed(pool: Pool, where: string, values: unknown[]): Promise<ClosedSettlement[]> {
  const { rows } = await pool.query<Record<string, string>>(
    `SELECT id::text, merchant::text, ${microsOf('closed_at')}::text AS closed_at, posted_at IS NOT NULL AS posted
     FROM settlements WHERE ${where} ORDER BY id`,
    values,
  )
  return rows.map(row => ({
    id: idOf(row.id),
    merchant: idOf(row.merchant),
    closedAt: idOf(row.closed_at),
    isPosted: Boolean(row.posted),
  }))
}

/** The lines of a closed settlement, from the ledger: what they read cannot change any more. */
export async function readLines(pool: Pool, tenant: number, settlement: number): Promise<SettlementLine[]> {
  const { rows } = await pool.query<{ txn: string; kind: string; amount: string }>(
    `SELECT l.txn::text, t.kind::text, l.amount::text
     FROM (SELECT s.tenant, s.merchant, s.after_batch, s.up_to_batch, m.payable FROM settlements s
       JOIN merchants m ON m.tenant = s.tenant AND m.id = s.merchant WHERE s.tenant = $1 AND s.id = $2) AS s
     CROSS JOIN LATERAL (${linesSql('s')}) AS l
     JOIN transactions t ON t.tenant = s.tenant AND t.day = (l.txn >> 39)::integer + 18262 AND t.id = l.txn
     ORDER BY l.txn`,
    [tenant, settlement],
  )
  return rows.map(row => ({ transaction: idOf(row.txn), kind: idOf(row.kind), amount: BigInt(row.amount) }))
}

/** Writes lines and totals, once: a second time it does nothing. */
export async function writeLines(
  pool: Pool,
  tenant: number,
  settlement: number,
  lines: readonly SettlementLine[],
  fee: bigint,
): Promise<void> {
  await pool.query(
    `WITH posted AS (
       UPDATE settlements SET posted_at = clock_timestamp(), purchases = $6, purchase_count = $7, refunds = $8,
         refund_count = $9, net = $10, fee = $11
       WHERE tenant = $1 AND id = $2 AND posted_at IS NULL RETURNING id)
     INSERT INTO settlement_lines (tenant, settlement, txn, kind, amount)
     SELECT $1, posted.id, u.txn, u.kind, u.amount
     FROM posted CROSS JOIN unnest($3::bigint[], $4::smallint[], $5::bigint[]) AS u(txn, kind, amount)`,
    [
      tenant,
      settlement,
      lines.map(line => line.transaction),
      lines.map(line => line.kind),
      lines.map(line => line.amount),
      ...totalsOf(lines),
      fee,
    ],
  )
}

function totalsOf(lines: readonly SettlementLine[]): [bigint, number, bigint, number, bigint] {
  const purchases = lines.filter(line => line.amount > 0n)
  const refunds = lines.filter(line => line.amount < 0n)
  const sum = (some: readonly SettlementLine[]): bigint => some.reduce((total, line) => total + line.amount, 0n)
  return [sum(purchases), purchases.length, -sum(refunds), refunds.length, sum(lines)]
}
