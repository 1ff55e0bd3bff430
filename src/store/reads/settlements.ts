import type { Micros, TransactionId } from '../../core/ids.ts'
import type { Settlement } from '../../core/settlements.ts'
import type { Transaction } from '../../core/transactions.ts'
import { transactionKinds } from '../batch/codes.ts'
import { dayOfId, idOf, idOrNull, microsOf, type Row, type Statement, statement } from '../sql.ts'
import type { Query } from './pool.ts'

export const settlementStatement = (tenant: number, id: number): Statement =>
  statement(
    'read_settlement',
    `SELECT s.id, s.number, m.code, s.business_date, ${microsOf('s.closed_at')}, ${microsOf('s.posted_at')},
       s.purchase_count, s.purchases, s.refund_count, s.refunds, s.net, s.fee, a.code
     FROM settlements s
     JOIN merchants m ON m.tenant = s.tenant AND m.id = s.merchant
     JOIN tenants n ON n.id = s.tenant
     JOIN assets a ON a.tenant = s.tenant AND a.id = n.currency
     WHERE s.tenant = $1 AND s.id = $2`,
    [tenant, id],
  )

/** Null if there is no such settlement. */
export async function readSettlement(query: Query, tenant: number, id: number): Promise<Settlement | null> {
  const [row] = await query(settlementStatement(tenant, id))
  return row === undefined ? null : settlementOf(row)
}

const settlementOf = (row: Row): Settlement => ({
  id: idOf(row[0]),
  number: idOf(row[1]),
  merchant: row[2] as string,
  businessDate: idOf(row[3]),
  closedAt: idOf(row[4]),
  postedAt: idOrNull(row[5]),
  purchases: { count: idOf(row[6]), amount: BigInt(row[7] as string) },
  refunds: { count: idOf(row[8]), amount: BigInt(row[9] as string) },
  net: BigInt(row[10] as string),
  fee: BigInt(row[11] as string),
  currency: row[12] as string,
})

/** What a settlement took of one transaction; negative for what went back. */
export interface SettlementLine {
  readonly transaction: TransactionId
  readonly kind: Transaction['kind']
  readonly amount: bigint
  readonly terminal: number | null
  readonly rrn: string | null
  readonly reference: string | null
  readonly at: Micros
}

const linesPerRead = 1_000

export const linesStatement = (tenant: number, settlement: number, after: TransactionId): Statement =>
  statement(
    'read_settlement_lines',
    `SELECT x.txn, x.kind, x.amount, t.terminal, t.rrn, t.reference, ${microsOf('t.at')}
     FROM (SELECT l.tenant, l.txn, ${dayOfId('l.txn')} AS day, l.kind, l.amount FROM settlement_lines l
           WHERE l.tenant = $1 AND l.settlement = $2 AND l.txn > $3
           ORDER BY l.tenant, l.settlement, l.txn LIMIT ${linesPerRead}) AS x
     JOIN transactions t ON t.tenant = x.tenant AND t.day = x.day AND t.id = x.txn
     ORDER BY x.txn`,
    [tenant, settlement, after],
  )

/** The lines in the order of their transactions, a thousand at a time, so that any number of them fits in memory. */
export async function* readSettlementLines(
  query: Query,
  tenant: number,
  settlement: number,
): AsyncGenerator<readonly SettlementLine[]> {
  let after = 0
  for (;;) {
    const lines = (await query(linesStatement(tenant, settlement, after))).map(lineOf)
    if (lines.length > 0) yield lines
    const last = lines.at(-1)
    if (last === undefined || lines.length < linesPerRead) return
    after = last.transaction
  }
}

const lineOf = (row: Row): SettlementLine => ({
  transaction: idOf(row[0]),
  kind: transactionKinds[idOf(row[1])] as Transaction['kind'],
  amount: BigInt(row[2] as string),
  terminal: idOrNull(row[3]),
  rrn: row[4] ?? null,
  reference: row[5] ?? null,
  at: idOf(row[6]),
})
