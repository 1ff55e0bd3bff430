import type { TransactionId } from '../../core/ids.ts'
import type { Transaction } from '../../core/transactions.ts'
import { transactionColumns, transactionOf } from '../batch/columns.ts'
import { TextReader } from '../rows.ts'
import { dayOfId, type Row, statement } from '../sql.ts'
import type { Query } from './pool.ts'

/** A transaction as it stands. */
export interface TransactionView {
  readonly transaction: Transaction
  /** Whether it is confirmed and behind the watermark of its merchant's settlements. */
  readonly isSettled: boolean
}

/** The last batch that a settlement of the merchant has taken; the index gives it without reading more than one row. */
export const watermarkOf = (t: string): string =>
  `(SELECT max(s.up_to_batch) FROM settlements s WHERE s.tenant = ${t}.tenant AND s.merchant = ${t}.merchant)`

export const viewColumns = (t: string): string => `${transactionColumns(t)}, ${watermarkOf(t)}`

export function viewOf(values: Row): TransactionView {
  const row = new TextReader(values)
  const transaction = transactionOf(row)
  const watermark = row.numberOrNull()
  const { phase, confirmedIn } = transaction
  const isSettled = phase === 'confirmed' && confirmedIn !== null && watermark !== null && confirmedIn <= watermark
  return { transaction, isSettled }
}

export const transactionStatement = (tenant: number, id: TransactionId) =>
  statement(
    'read_transaction',
    `SELECT ${viewColumns('t')}
     FROM (SELECT $1::integer AS tenant, $2::bigint AS id, ${dayOfId('$2::bigint')} AS day OFFSET 0) AS x
     JOIN transactions t ON t.tenant = x.tenant AND t.day = x.day AND t.id = x.id`,
    [tenant, id],
  )

/** Null if there is no such transaction. */
export async function readTransaction(
  query: Query,
  tenant: number,
  id: TransactionId,
): Promise<TransactionView | null> {
  const [row] = await query(transactionStatement(tenant, id))
  return row === undefined ? null : viewOf(row)
}
