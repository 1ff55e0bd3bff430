import type { Actor, Change, Changed, Created, Creation, Page, PageRequest } from '../../core/admin.ts'
import type { NewSeries, VoucherSeries } from '../../core/vouchers.ts'

/** Series of vouchers. `only`: the organisation that the asker speaks for; null: all. */
export interface VouchersAdmin {
  create(creation: Creation<VoucherSeries>, series: NewSeries): Promise<Created>
  series(tenant: number, id: number, only: number | null): Promise<VoucherSeries | null>
  list(tenant: number, only: number | null, page: PageRequest): Promise<Page<VoucherSeries>>
  /** What the codes are made from, while the series is not sealed; that somebody has asked for them is logged. */
  salt(actor: Actor, id: number): Promise<{ readonly kind: 'salt'; readonly salt: string } | { kind: 'not_found' }>
  seal(change: Change<VoucherSeries>, id: number, only: number | null): Promise<Changed<VoucherSeries>>
}
