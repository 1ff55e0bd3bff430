import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { dateOfDay, dayOfDate } from '../../../core/calendar.ts'
import { approvalKey } from '../../../core/keys.ts'
import { localTimeOf } from '../../../core/local-time.ts'
import { newTermsOf } from '../../../core/programs.ts'
import { type NewSeries, termsOfVouchers, type VoucherSeries } from '../../../core/vouchers.ts'
import { plainVoucherCode, voucherCode, voucherToken } from '../../../crypto/voucher-codes.ts'
import { toJsonAmount } from '../../amounts.ts'
import type { ApiKey } from '../../api-keys.ts'
import { csvRecord } from '../../csv.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import { type InFlight, readKey } from '../../idempotency.ts'
import { type Refusal, sendProblem } from '../../problem.ts'
import { rfc3339 } from '../../times.ts'
import { carriedRefusal, type Executor, waitsForSecond } from '../approvals.ts'
import { actorOf, allow, allowList, sendJson } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { actionDocs, listDocs, moveDocs, readDocs } from '../docs.ts'
import { fieldRefusal, funderOf } from '../holders.ts'
import { answerCreate, sendItem } from '../items.ts'
import { answerList, parseId } from '../lists.ts'
import { ApprovalBody } from '../schemas/approvals.ts'
import { IdParams, namesOf } from '../schemas/common.ts'
import { NewSeriesBody, SeriesBody, SeriesList } from '../schemas/vouchers.ts'

const tag = 'Vouchers'
/** Codes that are told in the answer itself. */
const codesToldMax = 100
const codesPerChunk = 1_000

/** Series of vouchers: bearer codes that are worth something for a time. */
export function addVoucherRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const { vouchers } = deps.admin

  app.post(
    '/admin/v1/voucher-series',
    {
      onRequest: allow('instruments:write', deps),
      schema: { body: NewSeriesBody, response: { 201: SeriesBody, 202: ApprovalBody } },
      config: moveDocs({
        operationId: 'createVoucherSeries',
        tag,
        summary: 'Issue a series of vouchers',
        description:
          'Makes a program with terms of its own, and so many codes. A POS pays with a code as `card: {code}`. The ' +
          'codes are stored nowhere: up to 100 are in the answer, all are read as CSV until the series is sealed.',
        reasons: ['code_taken', 'organisation_suspended'],
      }),
    },
    async (request, reply) => {
      const { apiKey, body } = request
      const salt = randomBytes(32).toString('hex')
      const made = seriesOf(body, salt, apiKey, deps)
      if ('refusal' in made) return sendProblem(reply, made.refusal)
      const call = { request, reply, deps, inFlight }
      const names = namesOf(NewSeriesBody)
      const amount = BigInt(body.amount) * BigInt(body.count)
      if (await waitsForSecond(call, { kind: 'vouchers', amount, request: body, names })) return reply
      const seed = { tenant: apiKey.tenant, salt }
      const codes = Array.from({ length: Math.min(body.count, codesToldMax) }, (_, index) =>
        voucherCode(seed, index + 1, deps.panKey),
      )
      const extra = body.count <= codesToldMax ? { codes } : {}
      return answerCreate(call, { names, render: seriesBody, extra }, creation =>
        vouchers.create(creation, made.series),
      )
    },
  )

  app.get(
    '/admin/v1/voucher-series',
    {
      onRequest: allowList('loads:read', deps),
      schema: { response: { 200: SeriesList } },
      config: listDocs({
        operationId: 'listVoucherSeries',
        tag,
        summary: 'List series of vouchers',
        description: 'The newest first.',
      }),
    },
    async (request, reply) => {
      const { tenant, organisation } = request.apiKey
      return answerList(request, reply, {
        filters: {},
        cursor: 'id',
        read: (_values, page) => vouchers.list(tenant, organisation, page),
        render: seriesBody,
        columns: columnsOf(SeriesBody).filter(name => name !== 'codes'),
        name: 'voucher-series',
      })
    },
  )

  const find = ({ tenant, organisation }: ApiKey, id: string): Promise<VoucherSeries | null> =>
    vouchers.series(tenant, parseId(id) ?? 0, organisation)

  app.get(
    '/admin/v1/voucher-series/:id',
    {
      onRequest: allow('loads:read', deps),
      schema: { params: IdParams, response: { 200: SeriesBody } },
      config: readDocs({
        operationId: 'getVoucherSeries',
        tag,
        summary: 'Read a series of vouchers',
        description: 'Without its codes.',
      }),
    },
    async ({ apiKey, params }, reply) => sendItem(reply, await find(apiKey, params.id), seriesBody),
  )

  app.get(
    '/admin/v1/voucher-series/:id/codes.csv',
    {
      onRequest: allow('instruments:write', deps),
      schema: { params: IdParams },
      config: {
        docs: {
          ...readDocs({
            operationId: 'readVoucherCodes',
            tag,
            summary: 'Read the codes of a series',
            description: 'As CSV, until it is sealed. Who has read them is in the audit log.',
            reasons: ['state_unsuitable'],
          }).docs,
          mediaType: 'text/csv',
        },
      },
    },
    async (request, reply) => {
      const { apiKey, params } = request
      const series = await find(apiKey, params.id)
      if (series === null) return sendProblem(reply, { reason: 'not_found' })
      const taken = await vouchers.salt(actorOf(request), series.id)
      if (taken.kind === 'not_found') return sendProblem(reply, { reason: 'state_unsuitable' })
      const seed = { tenant: apiKey.tenant, salt: taken.salt }
      return reply
        .header('Content-Type', 'text/csv; charset=utf-8')
        .header('Content-Disposition', `attachment; filename="vouchers-${series.id}.csv"`)
        .header('Cache-Control', 'no-store')
        .send(Readable.from(csvOf(series, serial => voucherCode(seed, serial, deps.panKey))))
    },
  )

  app.post(
    '/admin/v1/voucher-series/:id/seal',
    {
      onRequest: allow('instruments:write', deps),
      schema: { params: IdParams, response: { 200: SeriesBody } },
      config: actionDocs({
        operationId: 'sealVoucherSeries',
        tag,
        summary: 'Seal a series',
        description: 'Once its codes have been read: nobody can read them again.',
      }),
    },
    async (request, reply) => {
      const read = readKey(request)
      if ('refusal' in read) return sendProblem(reply, read.refusal)
      const series = await find(request.apiKey, request.params.id)
      if (series === null) return sendProblem(reply, { reason: 'not_found' })
      const change = { actor: actorOf(request), version: null, bodyOf: (item: VoucherSeries) => textOf(item) }
      const sealed = await vouchers.seal(change, series.id, request.apiKey.organisation)
      if (sealed.kind === 'changed') return sendJson(reply, 200, seriesBody(sealed.item))
      return series.sealedAt !== null
        ? sendJson(reply, 200, seriesBody(series))
        : sendProblem(reply, { reason: 'state_unsuitable' })
    },
  )
}

/** Issues a series that a second person has approved. Its codes are then read as CSV. */
export const createApprovedSeries: Executor = async ({ id, asker, content, request }, { deps, request: call }) => {
  const asked = { ...call.apiKey, tenant: asker.tenant, organisation: null }
  const made = seriesOf(request as NewSeriesBody, randomBytes(32).toString('hex'), asked, deps)
  if ('refusal' in made) return carriedRefusal(made.refusal)
  // The key of the request has the approval as its answer.
  const creation = { actor: asker, key: approvalKey(id), content, bodyOf: textOf, approval: id }
  const created = await deps.admin.vouchers.create(creation, made.series)
  if (created.kind === 'refused') return carriedRefusal(created)
  if (created.kind === 'other_content') throw new Error('an approval was carried out with other content')
  await deps.admin.refresh()
  return { status: created.status, body: JSON.parse(created.body) }
}

function seriesOf(
  body: NewSeriesBody,
  salt: string,
  apiKey: ApiKey,
  { catalogOf, panKey, now }: HttpDeps,
): { readonly series: NewSeries } | { readonly refusal: Refusal } {
  const catalog = catalogOf(apiKey.tenant)
  if (catalog === undefined) return { refusal: { reason: 'switch_unavailable' } }
  const paid = funderOf(body.funder, null, apiKey, catalog)
  if ('refusal' in paid) return paid
  const validFrom = body.validFrom === undefined ? null : dayOfDate(body.validFrom)
  const validUntil = dayOfDate(body.validUntil)
  if (body.validFrom !== undefined && validFrom === null) return fieldRefusal('/validFrom', 'must be a date')
  if (validUntil === null) return fieldRefusal('/validUntil', 'must be a date')
  if (validUntil < localTimeOf(now(), catalog.tenant).day) return fieldRefusal('/validUntil', 'must not be over')
  if (validFrom !== null && validFrom > validUntil) return fieldRefusal('/validFrom', 'must not be after validUntil')
  const { uses, where, goods = null, minimumBasket = null } = body
  const terms = newTermsOf(termsOfVouchers({ uses, validFrom, validUntil, where, goods, minimumBasket }))
  if ('errors' in terms) {
    const errors = terms.errors.map(error => ({ ...error, field: fieldOf(error) }))
    return { refusal: { reason: 'format_invalid', errors } }
  }
  const seed = { tenant: apiKey.tenant, salt }
  const { name, amount, count, program: code, funder } = body
  return {
    series: {
      program: { code, name, kind: 'voucher', funder, bin: null, asset: null, status: 'active' },
      terms: {
        ...terms,
        startsAt: null,
        merchants: terms.merchants.map(named => ({ ...named, field: fieldOf(named) })),
      },
      funder: paid.funder.id,
      name,
      amount: BigInt(amount),
      validFrom,
      validUntil,
      salt,
      count,
      cardOf: serial => {
        const voucher = voucherCode(seed, serial, panKey)
        return { token: voucherToken(voucher, panKey), last4: plainVoucherCode(voucher).slice(-4) }
      },
    },
  }
}

/** `/terms/where/allow` → `/where/allow` */
const fieldOf = ({ field }: { readonly field: string }): string => field.replace('/terms', '')

function* csvOf({ count, amount, validUntil }: VoucherSeries, codeOf: (serial: number) => string): Generator<string> {
  yield csvRecord(['serial', 'code', 'amount', 'validUntil'])
  for (let from = 1; from <= count; from += codesPerChunk) {
    let chunk = ''
    for (let serial = from; serial < from + codesPerChunk && serial <= count; serial++) {
      chunk += csvRecord([serial, codeOf(serial), amount, dateOfDay(validUntil)])
    }
    yield chunk
  }
}

const seriesBody = (series: VoucherSeries) => ({
  id: String(series.id),
  name: series.name,
  program: series.program,
  funder: series.funder,
  count: series.count,
  amount: toJsonAmount(series.amount),
  validFrom: series.validFrom === null ? null : dateOfDay(series.validFrom),
  validUntil: dateOfDay(series.validUntil),
  loadFile: String(series.list),
  loaded: series.loaded,
  sealedAt: series.sealedAt === null ? null : rfc3339(series.sealedAt),
  createdBy: series.actor,
  createdAt: rfc3339(series.madeAt),
  version: series.version,
})

const textOf = (series: VoucherSeries): string => JSON.stringify(seriesBody(series))
