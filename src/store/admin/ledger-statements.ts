import type { CommandKind } from '../../core/commands.ts'
import type { Day, Micros } from '../../core/ids.ts'
import { commandKinds } from '../batch/codes.ts'
import { idOf, idOrNull, timestampOf } from '../sql.ts'
import type { Run, TextRow } from './pool.ts'

/** What the ledger has posted on one day, of one kind, for one program or merchant. */
interface LedgerLine {
  /** The accounting day. */
  readonly day: Day
  readonly kind: CommandKind
  readonly program: number | null
  readonly merchant: number | null
  readonly count: number
  readonly amount: bigint
}

export interface Span {
  readonly from: Micros
  readonly to: Micros
}

/** The batches of a span of time, and the accounting day of a posting. */
const batchesIn = `
  SELECT min(seq) AS first, max(seq) AS last FROM batches
  WHERE tenant = $1 AND at >= ${timestampOf('$3::bigint')} AND at < ${timestampOf('$4::bigint')}`
const dayOfPosting = `(((p.at AT TIME ZONE n.time_zone) - n.cut_over_seconds * interval '1 second')::date
  - date '1970-01-01')`

/**
 * What has moved on the lots that an organisation has funded. An amount is above zero where value came onto them. What
 * went from one of them to another is left out: it is still its own.
 */
export async function readOrganisationLedger(
  run: Run,
  tenant: number,
  organisation: number,
  { from, to }: Span,
): Promise<LedgerLine[]> {
  const rows = await run(
    `WITH own AS MATERIALIZED (SELECT lot, program FROM lots WHERE tenant = $1 AND funder = $2),
       span AS MATERIALIZED (${batchesIn}),
       moved AS (
         SELECT ${dayOfPosting} AS day, p.kind, coalesce(c.program, d.program) AS program, m.id AS merchant,
           p.batch_seq, p.idx, CASE WHEN d.lot IS NULL THEN p.posted ELSE -p.posted END AS amount
         FROM postings p
         JOIN tenants n ON n.id = p.tenant
         LEFT JOIN own d ON d.lot = p.debit
         LEFT JOIN own c ON c.lot = p.credit
         LEFT JOIN merchants m ON m.tenant = p.tenant AND m.payable IN (p.debit, p.credit)
         WHERE p.tenant = $1 AND p.posted <> 0
           AND p.batch_seq BETWEEN (SELECT first FROM span) AND (SELECT last FROM span)
           AND (d.lot IS NULL) <> (c.lot IS NULL))
     SELECT day, kind, program, merchant, count(DISTINCT (batch_seq, idx)) AS count, sum(amount) AS amount FROM moved
     GROUP BY day, kind, program, merchant ORDER BY day DESC, kind, program, merchant`,
    [tenant, organisation, from, to],
  )
  return rows.map(lineOf)
}

/** What has moved on the account of what is owed to a merchant: above zero is owed to it. */
export async function readMerchantLedger(
  run: Run,
  tenant: number,
  merchant: number,
  { from, to }: Span,
): Promise<LedgerLine[]> {
  const rows = await run(
    `WITH span AS MATERIALIZED (${batchesIn}),
       moved AS (
         SELECT ${dayOfPosting} AS day, p.kind, p.batch_seq, p.idx,
           CASE WHEN p.credit = m.payable THEN p.posted ELSE -p.posted END AS amount
         FROM merchants m JOIN postings p ON p.tenant = m.tenant AND m.payable IN (p.debit, p.credit)
         JOIN tenants n ON n.id = m.tenant
         WHERE m.tenant = $1 AND m.id = $2 AND p.tenant = $1 AND p.posted <> 0
           AND p.batch_seq BETWEEN (SELECT first FROM span) AND (SELECT last FROM span))
     SELECT day, kind, NULL AS program, NULL AS merchant, count(DISTINCT (batch_seq, idx)) AS count,
       sum(amount) AS amount
     FROM moved GROUP BY day, kind ORDER BY day DESC, kind`,
    [tenant, merchant, from, to],
  )
  return rows.map(lineOf)
}

/** What is on the lots of an organisation now, held or not. */
export async function readFundedValue(run: Run, tenant: number, organisation: number): Promise<bigint> {
  const [row] = await run(
    `SELECT coalesce(sum(credits_posted - debits_posted), 0) AS value FROM lots WHERE tenant = $1 AND funder = $2`,
    [tenant, organisation],
  )
  return BigInt(row?.value as string)
}

const lineOf = (row: TextRow): LedgerLine => ({
  day: idOf(row.day),
  kind: commandKinds[idOf(row.kind)] as CommandKind,
  program: idOrNull(row.program),
  merchant: idOrNull(row.merchant),
  count: idOf(row.count),
  amount: BigInt(row.amount as string),
})
