import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { dateOfDay, dayOfDate } from '../../core/calendar.ts'
import type { Catalog } from '../../core/catalog.ts'
import { differingField } from '../../core/content.ts'
import { formatTransactionId, rrnOf } from '../../core/ids.ts'
import type { Settlement } from '../../core/settlements.ts'
import { toJsonAmount } from '../amounts.ts'
import { otherContent } from '../answer.ts'
import { type ApiKey, speaksFor } from '../api-keys.ts'
import { authorizeFor } from '../auth.ts'
import { csvRecord } from '../csv.ts'
import type { HttpApp, HttpDeps } from '../deps.ts'
import { contentNames, fingerprintOf, type InFlight, readKey, replayedHeader } from '../idempotency.ts'
import { limits } from '../limits.ts'
import { sendProblem } from '../problem.ts'
import { RecentAnswers } from '../recent-answers.ts'
import { Id } from '../schemas/common.ts'
import { SettlementList, SettlementRequestBody, Settlement as SettlementSchema } from '../schemas/others.ts'
import { rfc3339 } from '../times.ts'
import { settlementDocs } from './docs.ts'

const names = contentNames('/merchant', '/businessDate')
const SettlementParams = Type.Object({ id: Id('Id of the settlement.', '42') })

interface KeptAnswer {
  /** Fingerprint of the request. */
  readonly content: string
  readonly status: 200 | 201
  readonly body: { readonly items: SettlementBody[] }
}

type SettlementBody = ReturnType<typeof settlementBody>

/**
 * Closing settlements, and reading them. To close is idempotent by nature: what is in a settlement is in no other one,
 * so a repeat finds nothing to close and answers 200 with an empty list. Beyond that the answers are kept in this
 * process for a while, and a repeat that finds one gets it; nothing is stored for it in the database.
 */
export function addSettlementRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const onRequest = authorizeFor({ scopes: ['settlements'] }, deps)
  const answers = new RecentAnswers<KeptAnswer>(limits.settlementAnswersMax)

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

      const content = fingerprintOf('POST /v1/settlements', merchant, body.businessDate ?? null)
      const kept = answers.get(key)
      if (kept !== undefined && kept.content !== content) {
        return sendProblem(reply, otherContent(differingField(kept.content, content, names)))
      }
      if (kept !== undefined) return reply.header(replayedHeader, 'true').code(kept.status).send(kept.body)
      if (!inFlight.enter(key)) return sendProblem(reply, { reason: 'in_progress' })
      try {
        const { tenant, merchants } = apiKey
        const settlements = await deps.settlements.close({ tenant, merchant, businessDate, merchants })
        const answer: KeptAnswer = {
          content,
          status: settlements.length > 0 ? 201 : 200,
          body: { items: settlements.map(settlementBody) },
        }
        answers.put(key, answer)
        return reply.code(answer.status).send(answer.body)
      } catch (error) {
        // Some merchants may be closed by now: asking again is safe and finds the rest.
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

export const csvColumns = [
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
  currency: settlement.currency,
})
