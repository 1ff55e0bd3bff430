import { businessDateOf } from '../core/calendar.ts'
import type { Catalog, Merchant } from '../core/catalog.ts'
import { dayOfMicros, type Micros } from '../core/ids.ts'
import { switchKey } from '../core/keys.ts'
import type { Closing, SettlementRequest } from '../core/settlements.ts'
import type { Decision } from '../core/transactions.ts'
import type { Pool } from '../store/pool.ts'
import type { Query } from '../store/reads/pool.ts'
import { readSettlement } from '../store/reads/settlements.ts'
import {
  type ClosedSettlement,
  closeCandidates,
  readCandidates,
  readClosedBy,
  readCloseRequest,
  readEndOfDate,
  readLastBatch,
  readLines,
  readUnposted,
  type SettlementLine,
  writeLines,
} from '../store/settlement.ts'
import type { Submit } from './result.ts'

interface SettlementOptions {
  readonly pool: Pool
  readonly query: Query
  readonly submit: Submit
  readonly catalogOf: (tenant: number) => Catalog | undefined
  readonly now: () => Micros
}

/**
 * Settlement is a watermark: the close stores, under the tenant's fence, up to which batch a merchant's confirmed
 * transactions are taken. What was taken follows from that, so lines, totals and the ledger's posting come afterwards
 * and may be made again by anybody.
 */
export class SettlementService {
  readonly #options: SettlementOptions

  constructor(options: SettlementOptions) {
    this.#options = options
  }

  /**
   * Closes what is confirmed and in no settlement, and answers once lines and totals are durable: a settlement for each
   * merchant that had something to settle. With a business date: only what was confirmed up to its end. Throws if the
   * database is away; what was closed by then stays closed, and asking again with the same key gets it.
   */
  async close(request: SettlementRequest): Promise<Closing> {
    const catalog = this.#options.catalogOf(request.tenant)
    if (catalog === undefined) throw new Error(`tenant ${request.tenant} is not in the catalog`)
    const { pool, query, submit } = this.#options
    const { tenant, key, content } = request
    const taken = await submit.submit({ kind: 'close', tenant, channel: 'api', key, day: null, content })
    if (taken.kind === 'other_content') return taken
    if (taken.kind !== 'decided') throw new Error(`the request to close could not be stored: ${taken.kind}`)
    const isFirst = (await readCloseRequest(pool, request)) === null && (await this.#closeFirst(request, catalog))
    const stored = await readCloseRequest(pool, request)
    if (stored !== null && stored !== request.content) return { kind: 'other_content', stored }
    const closed = await readClosedBy(pool, request)
    for (const settlement of closed) if (!settlement.isPosted) await this.#post(settlement, catalog)
    const settlements = await Promise.all(closed.map(({ id }) => readSettlement(query, catalog.tenant.id, id)))
    return { kind: 'closed', settlements: settlements.filter(one => one !== null), replayed: !isFirst }
  }

  /** Finishes what a process that ended has closed but not posted. Answers how many. */
  async finish(tenant: number): Promise<number> {
    const catalog = this.#options.catalogOf(tenant)
    if (catalog === undefined) return 0
    const unposted = await readUnposted(this.#options.pool, tenant)
    for (const settlement of unposted) await this.#post(settlement, catalog)
    return unposted.length
  }

  /** False: another process was faster with the same request. */
  async #closeFirst(request: SettlementRequest, catalog: Catalog): Promise<boolean> {
    const { pool, now } = this.#options
    const { businessDate, merchant, merchants } = request
    const { id, timeZone, cutOverSeconds } = catalog.tenant
    const today = businessDateOf(now(), timeZone, cutOverSeconds)
    const isPast = businessDate !== null && businessDate < today
    const end = isPast ? await readEndOfDate(pool, businessDate, timeZone, cutOverSeconds) : null
    const last = await readLastBatch(pool, id, end)
    const candidates = await readCandidates(pool, id, merchantIds(merchant, merchants, catalog), last)
    return await closeCandidates(pool, request, candidates, isPast ? last : null, businessDate ?? today)
  }

  /** Moves the net in the ledger, then writes lines and totals. Each step has its effect once. */
  async #post(settlement: ClosedSettlement, catalog: Catalog): Promise<void> {
    const { pool, submit } = this.#options
    const tenant = catalog.tenant.id
    const merchant = catalog.merchantsById.get(settlement.merchant)
    if (merchant === undefined) throw new Error(`merchant ${settlement.merchant} is not in the catalog`)
    const lines = await readLines(pool, tenant, settlement.id)
    const net = lines.reduce((sum, line) => sum + line.amount, 0n)
    let fee = feeOf(lines, merchant.fee)
    if (net !== 0n || fee !== 0n) {
      const result = await submit.submit({
        kind: 'settle',
        tenant,
        channel: 'switch',
        key: switchKey('settle', settlement.id),
        day: dayOfMicros(settlement.closedAt),
        content: '00',
        merchant: merchant.code,
        net,
        fee,
      })
      if (result.kind !== 'decided') throw new Error(`settlement ${settlement.id} could not be posted: ${result.kind}`)
      // What is in the ledger counts, if another process posted it while the merchant had another fee plan.
      fee = postedOn(catalog.tenant.feesAccount, result.decision)
    }
    await writeLines(pool, tenant, settlement.id, lines, fee)
  }
}

const postedOn = (account: number, { postings }: Decision): bigint =>
  postings.reduce((sum, { credit, posted }) => (credit === account ? sum + posted : sum), 0n)

/** What a merchant pays for these purchases, in whole minor units, rounded down. */
function feeOf(lines: readonly SettlementLine[], { millionths, each }: Merchant['fee']): bigint {
  const purchases = lines.filter(({ amount }) => amount > 0n)
  const total = purchases.reduce((sum, { amount }) => sum + amount, 0n)
  return (total * BigInt(millionths)) / 1_000_000n + each * BigInt(purchases.length)
}

/** The merchants that are asked for, of those that the asker speaks for; null: all of the tenant. */
function merchantIds(
  merchant: string | null,
  merchants: SettlementRequest['merchants'],
  { merchantsByCode }: Catalog,
): number[] | null {
  if (merchant === null && merchants === '*') return null
  const codes = merchant === null ? merchants : [merchant]
  return [...codes].flatMap(code => merchantsByCode.get(code)?.id ?? [])
}
