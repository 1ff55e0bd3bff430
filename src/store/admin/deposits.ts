import type { Page, PageRequest } from '../../core/admin.ts'
import type { DepositFilter, DepositRecord } from '../../core/parties.ts'
import { idOf, microsOf, timestampOf } from '../sql.ts'
import { pageOf } from './page.ts'
import type { Run, TextRow } from './pool.ts'

/**
 * What an organisation has paid in, the newest first. Batches that change the balance of one organisation wait for each
 * other, so the order of their numbers is that of their times. A cursor is batch and index.
 */
export async function listDeposits(
  run: Run,
  tenant: number,
  { organisation, from, to }: DepositFilter & { readonly organisation: number },
  page: PageRequest,
): Promise<Page<DepositRecord>> {
  const [batch = null, index = null] = page.after?.split('.') ?? []
  const rows = await run(
    `SELECT batch_seq, idx, ${microsOf('at')} AS at, amount, reason, reference, actor FROM organisation_movements
     WHERE tenant = $1 AND organisation = $2
       AND at >= coalesce(${timestampOf('$3::bigint')}, '-infinity')
       AND at < coalesce(${timestampOf('$4::bigint')}, 'infinity')
       AND ($5::bigint IS NULL OR (batch_seq, idx::bigint) < ($5, $6::bigint))
     ORDER BY batch_seq DESC, idx DESC LIMIT $7`,
    [tenant, organisation, from, to, batch, index, page.limit + 1],
  )
  return pageOf(rows.map(depositOf), page, one => `${one.batch}.${one.index}`)
}

const depositOf = (row: TextRow): DepositRecord => ({
  batch: idOf(row.batch_seq),
  index: idOf(row.idx),
  at: idOf(row.at),
  amount: BigInt(row.amount as string),
  note: { reason: row.reason ?? null, reference: row.reference ?? null, actor: row.actor ?? null },
})
