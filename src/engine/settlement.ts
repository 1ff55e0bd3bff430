import { businessDateOf } from '../core/calendar.ts'
import type { Catalog } from '../core/catalog.ts'
import { dayOfMicros, type Micros } from '../core/ids.ts'
import { switchKey } from '../core/keys.ts'
import type { Settlement, SettlementRequest } from '../core/settlements.ts'
import type { Pool } from '../store/pool.ts'
import type { Query } from '../store/reads/pool.ts'
import { readSettlement } from '../store/reads/settlements.ts'
import {
  type ClosedSettlement,
  closeCandidates,
  readCandidates,
  readEndOfDate,
  readLastBatch,
  readLines,
  readUnposted,
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

/** How often a close looks again, when another process has closed the same merchants meanwhile. */
const roundsMax = 3

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
   * database is away; what was closed by then stays closed, and asking again is safe.
   */
  async close(request: SettlementRequest): Promise<Settlement[]> {
    const catalog = this.#options.catalogOf(request.tenant)
    if (catalog === undefined) throw new Error(`tenant ${request.tenant} is not in the catalog`)
    const closed: ClosedSettlement[] = []
    for (let round = 1; round <= roundsMax; round++) {
      const { candidates, rivals } = await this.#closeRound(request, catalog)
      closed.push(...candidates)
      if (!rivals) break
    }
    for (const settlement of closed) await this.#post(settlement, catalog)
    const settlements = await Promise.all(
      closed.map(({ id }) => readSettlement(this.#options.query, catalog.tenant.id, id)),
    )
    return settlements.filter(settlement => settlement !== null)
  }

  /** Finishes what a process that ended has closed but not posted. Answers how many. */
  async finish(tenant: number): Promise<number> {
    const catalog = this.#options.catalogOf(tenant)
    if (catalog === undefined) return 0
    const unposted = await readUnposted(this.#options.pool, tenant)
    for (const settlement of unposted) await this.#post(settlement, catalog)
    return unposted.length
  }

  async #closeRound(
    { businessDate, merchant, merchants }: SettlementRequest,
    catalog: Catalog,
  ): Promise<{ candidates: ClosedSettlement[]; rivals: boolean }> {
    const { pool, now } = this.#options
    const { id, timeZone, cutOverSeconds } = catalog.tenant
    const today = businessDateOf(now(), timeZone, cutOverSeconds)
    const isPast = businessDate !== null && businessDate < today
    const end = isPast ? await readEndOfDate(pool, businessDate, timeZone, cutOverSeconds) : null
    const last = await readLastBatch(pool, id, end)
    const found = await readCandidates(pool, id, merchantIds(merchant, merchants, catalog), last)
    if (found.length === 0) return { candidates: [], rivals: false }
    const candidates = await closeCandidates(pool, id, found, isPast ? last : null, businessDate ?? today)
    return { candidates, rivals: candidates.length < found.length }
  }

  /** Moves the net in the ledger, then writes lines and totals. Each step has its effect once. */
  async #post(settlement: ClosedSettlement, catalog: Catalog): Promise<void> {
    const { pool, submit } = this.#options
    const tenant = catalog.tenant.id
    const merchant = catalog.merchantsById.get(settlement.merchant)
    if (merchant === undefined) throw new Error(`merchant ${settlement.merchant} is not in the catalog`)
    const lines = await readLines(pool, tenant, settlement.id)
    const net = lines.reduce((sum, line) => sum + line.amount, 0n)
    if (net !== 0n) {
      const result = await submit.submit({
        kind: 'settle',
        tenant,
        channel: 'switch',
        key: switchKey('settle', settlement.id),
        day: dayOfMicros(settlement.closedAt),
        content: '00',
        merchant: merchant.code,
        net,
      })
      if (result.kind !== 'decided') throw new Error(`settlement ${settlement.id} could not be posted: ${result.kind}`)
    }
    await writeLines(pool, tenant, settlement.id, lines)
  }
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
