import type { CardToken } from '../../core/commands.ts'
import type { TransactionId } from '../../core/ids.ts'
import type { Settlement } from '../../core/settlements.ts'
import { type CardView, type HolderView, readCard, readHolder } from './cards.ts'
import { listTransactions, type PageRequest, type TransactionPage } from './list-transactions.ts'
import type { Query } from './pool.ts'
import { readSettlement, readSettlementLines, type SettlementLine } from './settlements.ts'
import { readTransaction, type TransactionView } from './transactions.ts'

/** What an edge may read beside the engine. Each throws if the database is away or too slow. */
export interface Reads {
  transaction(tenant: number, id: TransactionId): Promise<TransactionView | null>
  transactions(request: PageRequest): Promise<TransactionPage>
  card(tenant: number, token: CardToken): Promise<CardView | null>
  holder(tenant: number, holder: number): Promise<HolderView | null>
  settlement(tenant: number, id: number): Promise<Settlement | null>
  settlementLines(tenant: number, id: number): AsyncGenerator<readonly SettlementLine[]>
}

export const createReads = (query: Query): Reads => ({
  transaction: (tenant, id) => readTransaction(query, tenant, id),
  transactions: request => listTransactions(query, request),
  card: (tenant, token) => readCard(query, tenant, token),
  holder: (tenant, holder) => readHolder(query, tenant, holder),
  settlement: (tenant, id) => readSettlement(query, tenant, id),
  settlementLines: (tenant, id) => readSettlementLines(query, tenant, id),
})
