import { refusalOfCard } from '../../core/authorize.ts'
import { balancesOf } from '../../core/balances.ts'
import { localTimeOf } from '../../core/local-time.ts'
import { countedIn } from '../../core/snapshot.ts'
import { toJsonAmount } from '../amounts.ts'
import { speaksFor } from '../api-keys.ts'
import { authorizeFor } from '../auth.ts'
import { tokenOf } from '../commands.ts'
import type { HttpApp, HttpDeps } from '../deps.ts'
import { sendProblem } from '../problem.ts'
import { BalanceAnswer, BalanceRequest } from '../schemas/others.ts'
import { rfc3339 } from '../times.ts'
import { readDocs } from './docs.ts'

/** A plain read: no key is needed, nothing is stored and nothing is locked. */
export function addBalanceRoutes(app: HttpApp, deps: HttpDeps): void {
  app.post(
    '/v1/balance-inquiries',
    {
      onRequest: authorizeFor({ scopes: ['balances'] }, deps),
      schema: { body: BalanceRequest, response: { 200: BalanceAnswer } },
      config: readDocs.balances,
    },
    async ({ apiKey, body }, reply) => {
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const { merchant } = body
      if (merchant !== undefined && !speaksFor(apiKey, merchant)) return sendProblem(reply, { reason: 'forbidden' })
      const place = merchant === undefined ? null : catalog.merchantsByCode.get(merchant)
      if (place === undefined) return sendProblem(reply, { reason: 'merchant_unknown' })
      if (place?.isSuspended) return sendProblem(reply, { reason: 'merchant_suspended' })
      const found = await deps.reads.card(apiKey.tenant, tokenOf(body.card, deps.panKey))
      if (found === null) return sendProblem(reply, { reason: 'card_unknown' })
      const { card, lots, at } = found
      const refusal = refusalOfCard(card, at)
      if (refusal !== null) return sendProblem(reply, { reason: refusal })
      const local = localTimeOf(at, catalog.tenant)
      const balances = balancesOf(lots, place, local, countedIn(found), catalog) ?? []
      const { currency } = catalog.tenant
      const items = balances.map(({ program, balance, held, spendable }) => ({
        program,
        balance: toJsonAmount(balance),
        held: toJsonAmount(held),
        spendable: toJsonAmount(spendable),
      }))
      return reply.send({ items, currency: currency.code, at: rfc3339(at) })
    },
  )
}
