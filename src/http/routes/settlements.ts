import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { businessDateOf, dateOfDay, dayOfDate } from '../../core/calendar.ts'
import type { Catalog } from '../../core/catalog.ts'
import { differingField } from '../../core/content.ts'
import { type Day, formatTransactionId, type Micros, rrnOf } from '../../core/ids.ts'
import type { Settlement } from '../../core/settlements.ts'
import { toJsonAmount } from '../amounts.ts'
import { otherContent } from '../answer.ts'
import { type ApiKey, speaksFor } from '../api-keys.ts'
import { authorizeFor } from '../auth.ts'
import { csvRecord } from '../csv.ts'
import type { HttpApp, HttpDeps } from '../deps.ts'
import { contentNames, fingerprintOf, type InFlight, readKey, replayedHeader } from '../idempotency.ts'
import { sendProblem } from '../problem.ts'
import { Id } from '../schemas/common.ts'
import { SettlementList, SettlementRequestBody, Settlement as SettlementSchema } from '../schemas/others.ts'
import { rfc3339 } from '../times.ts'
import { settlementDocs } from './docs.ts'

const names = contentNames('/merchant', '/businessDate')
const SettlementParams = Type.Object({ id: Id('Id of the settlement.', '42') })

/** Closing settlements, and reading them. A request to close is stored by its key, with what it closed. */
export function addSettlementRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const onRequest = authorizeFor({ scopes: ['settlements'] }, deps)

  app.post(
    '/v1/settlements',
    {
      onRequest,
      schema: { body: SettlementRequestBody, response: { 200: SettlementList, 201: SettlementList } },
      config: settlementDocs.close,
    },
    async (request, reply) => {
      const { apiKey, body } = request
      const read = readKey(request)
      if ('refusal' in read) return sendProblem(reply, read.refusal)
      const { key } = read
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const merchant = body.merchant ?? null
      const businessDate = body.businessDate === undefined ? null : dayOfDate(body.businessDate)
      if (body.businessDate !== undefined && businessDate === null) {
        const errors = [{ field: '/businessDate', message: 'must be a date of the calendar' }]
        return sendProblem(reply, { reason: 'format_invalid', errors })
      }
      if (merchant !== null && !speaksFor(apiKey, merchant)) return sendProblem(reply, { reason: 'forbidden' })
      if (merchant !== null && !catalog.merchantsByCode.has(merchant)) {
        return sendProblem(reply, { reason: 'merchant_unknown' })
      }

      if (businessDate !== null && businessDate > presentDateOf(catalog, deps.now())) {
        const errors = [{ field: '/businessDate', message: 'must not be in the future' }]
        return sendProblem(reply, { reason: 'format_invalid', errors })
      }

      const content = fingerprintOf('POST /v1/settlements', merchant, body.businessDate ?? null)
      if (!inFlight.enter(key)) return sendProblem(reply, { reason: 'in_progress' })
      try {
        const { tenant, merchants } = apiKey
        const closing = await deps.settlements.close({ tenant, key, content, merchant, businessDate, merchants })
        if (closing.kind === 'other_content') {
          return sendProblem(reply, otherContent(differingField(closing.stored, content, names)))
        }
        const { settlements, replayed } = closing
        if (replayed) reply.header(replayedHeader, 'true')
        return reply.code(settlements.length > 0 ? 201 : 200).send({ items: settlements.map(settlementBody) })
      } catch (error) {
        // Some may be closed by now: asking again with the same key gets them.
        deps.logger.error({ err: error }, 'closing settlements failed')
        return sendProblem(reply, { reason: 'outcome_unknown' })
      } finally {
        inFlight.leave(key)
      }
    },
  )

  /** Null: there is none, or not for this caller. */
  const find = async (apiKey: ApiKey, text: string): Promise<Settlement | null> => {
    if (!/^[1-9][0-9]{0,14}$/.test(text)) return null
    const settlement = await deps.reads.settlement(apiKey.tenant, Number.parseInt(text, 10))
    return settlement !== null && speaksFor(apiKey, settlement.merchant) ? settlement : null
  }

  app.get(
    '/v1/settlements/:id',
    {
      onRequest,
      schema: { params: SettlementParams, response: { 200: SettlementSchema } },
      config: settlementDocs.one,
    },
    async ({ apiKey, params }, reply) => {
      const settlement = await find(apiKey, params.id)
      return settlement === null ? sendProblem(reply, { reason: 'not_found' }) : reply.send(settlementBody(settlement))
    },
  )

  app.get(
    '/v1/settlements/:id/lines.csv',
    { onRequest, schema: { params: SettlementParams }, config: settlementDocs.lines },
    async ({ apiKey, params }, reply) => {
      const settlement = await find(apiKey, params.id)
      const catalog = deps.catalogOf(apiKey.tenant)
      if (settlement === null || catalog === undefined) return sendProblem(reply, { reason: 'not_found' })
      if (settlement.postedAt === null) {
        return sendProblem(reply, { reason: 'in_progress', detail: 'The lines of this settlement are being made.' })
      }
      const name = `settlement-${settlement.merchant.replace(/[^\w.-]/g, '_')}-${settlement.number}.csv`
      return reply
        .header('Content-Type', 'text/csv; charset=utf-8')
        .header('Content-Disposition', `attachment; filename="${name}"`)
        .send(Readable.from(csvOf(settlement, apiKey.tenant, catalog, deps)))
    },
  )
}

const presentDateOf = ({ tenant }: Catalog, now: Micros): Day =>
  businessDateOf(now, tenant.timeZone, tenant.cutOverSeconds)

const csvColumns = [
  'settlement',
  'merchant',
  'transaction',
  'kind',
  'amount',
  'currency',
  'terminal',
  'rrn',
  'reference',
  'createdAt',
] as const

/** A chunk for each read of the database. What went back is negative, so that the column adds up to the net. */
async function* csvOf(
  { id, number, merchant, currency }: Settlement,
  tenant: number,
  { terminalsById }: Catalog,
  { reads }: HttpDeps,
): AsyncGenerator<string> {
  yield csvRecord(csvColumns)
  for await (const lines of reads.settlementLines(tenant, id)) {
    let chunk = ''
    for (const { transaction, kind, amount, terminal, rrn, reference, at } of lines) {
      chunk += csvRecord([
        number,
        merchant,
        formatTransactionId(transaction),
        kind,
        amount,
        currency,
        terminalsById.get(terminal ?? 0)?.code ?? null,
        rrn ?? rrnOf(transaction),
        reference,
        rfc3339(at),
      ])
    }
    yield chunk
  }
}

const settlementBody = (settlement: Settlement) => ({
  id: String(settlement.id),
  number: settlement.number,
  merchant: settlement.merchant,
  businessDate: dateOfDay(settlement.businessDate),
  closedAt: rfc3339(settlement.closedAt),
  postedAt: settlement.postedAt === null ? null : rfc3339(settlement.postedAt),
  purchases: { count: settlement.purchases.count, amount: toJsonAmount(settlement.purchases.amount) },
  refunds: { count: settlement.refunds.count, amount: toJsonAmount(settlement.refunds.amount) },
  net: toJsonAmount(settlement.net),
  fee: toJsonAmount(settlement.fee),
  currency: settlement.currency,
})
