import type { Catalog } from '../../../core/catalog.ts'
import type { Authorize, CardToken } from '../../../core/commands.ts'
import { isApproval, reasons } from '../../../core/reasons.ts'
import { type Simulation, simulate } from '../../../core/simulate.ts'
import { toJsonAmount } from '../../amounts.ts'
import { basketTooLarge, isBasketTooLarge } from '../../calls.ts'
import { basketOf, tokenOf } from '../../commands.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import { sendProblem } from '../../problem.ts'
import { parseRfc3339, rfc3339 } from '../../times.ts'
import { allow, sendJson } from '../call.ts'
import { readDocs } from '../docs.ts'
import { limitUseBody } from '../limit-uses.ts'
import { parseId } from '../lists.ts'
import { SimulateBody, SimulationBody } from '../schemas/simulate.ts'

/** What would happen: decided by the rules that decide purchases, without effect. */
export function addSimulateRoutes(app: HttpApp, deps: HttpDeps): void {
  /** Null: there is no such card. */
  const cardOf = async (tenant: number, { id, ...card }: SimulateBody['card']): Promise<CardToken | null> => {
    if (id === undefined) return tokenOf(card, deps.panKey)
    const number = parseId(id)
    return number === null ? null : ((await deps.admin.cards.card(tenant, number, null))?.token ?? null)
  }

  app.post(
    '/admin/v1/simulate',
    {
      onRequest: allow('simulate', deps),
      schema: { body: SimulateBody, response: { 200: SimulationBody } },
      config: readDocs({
        operationId: 'simulatePurchase',
        tag: 'Reports',
        summary: 'Ask what would become of a purchase',
        description:
          'The decision with the rule that decides it, and for each load of the holder what would be taken and why ' +
          'it is no more. Nothing is held, counted or stored. A PIN is not asked for.',
      }),
    },
    async ({ apiKey, body }, reply) => {
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      if (isBasketTooLarge(body)) return sendProblem(reply, basketTooLarge)
      const given = body.at === undefined ? undefined : parseRfc3339(body.at)
      if (given === null) {
        const errors = [{ field: '/at', message: 'must be an RFC 3339 time such as 2026-11-21T08:30:00Z' }]
        return sendProblem(reply, { reason: 'format_invalid', errors })
      }
      const token = await cardOf(apiKey.tenant, body.card)
      const snapshot = token === null ? null : await deps.reads.card(apiKey.tenant, token)
      const at = given ?? snapshot?.at ?? deps.now()
      const command = commandOf(body, token ?? unknownCard, catalog)
      return sendJson(reply, 200, bodyOf(simulate(command, snapshot, at, catalog), at, catalog))
    },
  )
}

const unknownCard = '0'.repeat(32)

function commandOf(body: SimulateBody, card: CardToken, catalog: Catalog): Authorize {
  const merchant = catalog.merchantsByCode.get(body.merchant)
  const any = [...catalog.terminalsById.values()].find(one => one.merchant === merchant?.id && !one.isSuspended)
  return {
    kind: 'authorize',
    tenant: catalog.tenant.id,
    channel: 'api',
    key: unknownCard,
    day: null,
    content: '',
    merchant: body.merchant,
    terminal: body.terminal ?? any?.code ?? '',
    card,
    currency: body.currency ?? catalog.tenant.currency.code,
    amount: BigInt(body.amount),
    purpose: 'purchase',
    capture: false,
    partial: body.partial ?? false,
    eligibleAmount: body.eligibleAmount === undefined ? null : BigInt(body.eligibleAmount),
    basket: basketOf(body.basket),
    confirmWithinSeconds: null,
    reference: null,
    rrn: null,
    stan: null,
  }
}

function bodyOf({ reason, transaction, lines }: Simulation, at: number, catalog: Catalog) {
  const namesOf = ({ program, funder }: { readonly program: number; readonly funder: number }) => ({
    program: catalog.programsById.get(program)?.code ?? String(program),
    funder: catalog.fundersById.get(funder)?.code ?? String(funder),
  })
  return {
    decision: isApproval(reason) ? reason : 'refused',
    reason,
    responseCode: reasons[reason].de39,
    message: reasons[reason].en,
    amount: toJsonAmount(transaction.amounts.authorized),
    at: rfc3339(at),
    legs: transaction.legs.map(leg => ({ ...namesOf(leg), lot: String(leg.lot), amount: toJsonAmount(leg.held) })),
    lines: lines.map(({ lot, available, taken, because, limits }) => ({
      ...namesOf(lot),
      lot: String(lot.id),
      available: toJsonAmount(available),
      taken: toJsonAmount(taken),
      because,
      limits: limits.map(use => limitUseBody(use, catalog)),
    })),
  }
}
