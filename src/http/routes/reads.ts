import { dayOfMicros, parseTransactionId } from '../../core/ids.ts'
import { speaksFor } from '../api-keys.ts'
import { authorizeFor } from '../auth.ts'
import type { HttpApp, HttpDeps } from '../deps.ts'
import { cursorOf, parseListQuery } from '../list-query.ts'
import { sendProblem } from '../problem.ts'
import { renderTransaction } from '../render.ts'
import { IdParams } from '../schemas/common.ts'
import { TransactionList } from '../schemas/transactions.ts'
import { readDocs, transactionSchema } from './docs.ts'

/** One transaction, and lists of them. */
export function addReadRoutes(app: HttpApp, deps: HttpDeps): void {
  const { reads, catalogOf, now } = deps
  const scopes = ['transactions:read'] as const

  app.get(
    '/v1/transactions/:id',
    {
      onRequest: authorizeFor({ scopes }, deps),
      schema: { params: IdParams, response: transactionSchema(200) },
      config: readDocs.transaction,
    },
    async ({ apiKey, params }, reply) => {
      const catalog = catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const id = parseTransactionId(params.id)
      const view = id === null ? null : await reads.transaction(apiKey.tenant, id)
      const merchant = catalog.merchantsById.get(view?.transaction.merchant ?? 0)?.code ?? ''
      if (view === null || !speaksFor(apiKey, merchant)) return sendProblem(reply, { reason: 'not_found' })
      return reply.send(renderTransaction(view.transaction, view.isSettled, catalog))
    },
  )

  app.get(
    '/v1/transactions',
    {
      onRequest: authorizeFor({ scopes, readsQuery: true }, deps),
      schema: { response: { 200: TransactionList } },
      config: readDocs.transactions,
    },
    async ({ apiKey, query }, reply) => {
      const catalog = catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const parsed = parseListQuery(query, apiKey, catalog)
      if ('refusal' in parsed) return sendProblem(reply, parsed.refusal)
      const page = await reads.transactions({
        ...parsed,
        tenant: apiKey.tenant,
        merchantsOfTenant: [...catalog.merchantsById.keys()],
        today: dayOfMicros(now()),
      })
      const items = page.items.map(view => renderTransaction(view.transaction, view.isSettled, catalog))
      return reply.send({ items, nextCursor: page.before === null ? null : cursorOf(page.before) })
    },
  )
}
