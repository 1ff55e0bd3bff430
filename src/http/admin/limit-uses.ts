import type { Catalog } from '../../core/catalog.ts'
import type { LimitUse } from '../../core/limit-uses.ts'
import { toJsonAmount } from '../amounts.ts'

const amountOrNull = (amount: bigint | null): number | null => (amount === null ? null : toJsonAmount(amount))

/** What a limit has counted, as JSON. */
export const limitUseBody = ({ limit, merchant, organisation, used, left }: LimitUse, catalog: Catalog) => ({
  of: limit.of,
  per: limit.per,
  hours: limit.hours,
  merchant: merchant === null ? null : (catalog.merchantsById.get(merchant)?.code ?? String(merchant)),
  organisation: organisation === null ? null : (catalog.fundersById.get(organisation)?.code ?? String(organisation)),
  amount: amountOrNull(limit.amount),
  count: limit.count,
  usedAmount: toJsonAmount(used.amount),
  usedCount: used.count,
  leftAmount: amountOrNull(left.amount),
  leftCount: left.count,
})
