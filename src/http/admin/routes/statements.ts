import type { FastifyReply, FastifyRequest } from 'fastify'
import { dateOfDay } from '../../../core/calendar.ts'
import type { Catalog } from '../../../core/catalog.ts'
import type { Micros } from '../../../core/ids.ts'
import { entryTypeOf } from '../../../core/statement.ts'
import { toJsonAmount } from '../../amounts.ts'
import { sees, speaksFor } from '../../api-keys.ts'
import { csvRecord } from '../../csv.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import { type Refusal, sendProblem } from '../../problem.ts'
import { rfc3339 } from '../../times.ts'
import type { LedgerLine, Span } from '../accounts.ts'
import { allowAny, sendJson } from '../call.ts'
import { reportDocs } from '../docs.ts'
import { oneOf, parseQuery, time } from '../lists.ts'
import { MerchantStatement, OrganisationStatement } from '../schemas/accounts.ts'
import { CodeParams } from '../schemas/common.ts'

const tag = 'Reports'
const filters = {
  from: time('From here; left out: 31 days before the end.'),
  to: time('Before this; left out: now.'),
  format: oneOf('csv: the items as CSV. So does `Accept: text/csv`.', ['csv', 'json']),
}
const microsPerDay = 86_400_000_000
const spanDaysMax = 366
const spanDaysByDefault = 31

/** What the ledger tells organisations and merchants: sums for each accounting day. */
export function addStatementRoutes(app: HttpApp, deps: HttpDeps): void {
  const { accounts } = deps.admin

  app.get(
    '/admin/v1/organisations/:code/statement',
    {
      onRequest: allowAny(['accounts:read'], deps),
      schema: { params: CodeParams, response: { 200: OrganisationStatement } },
      config: reportDocs(
        {
          operationId: 'getOrganisationStatement',
          tag,
          summary: 'Read the statement of an organisation',
          description:
            'What became of the value that it has funded: loads, purchases, what went back, claw-backs and breakage, ' +
            'by accounting day, program and merchant. The amounts are what lies between opening and closing.',
        },
        filters,
      ),
    },
    async (request, reply) => {
      const { apiKey, params } = request
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const funder = [...catalog.fundersById.values()].find(({ code }) => code === params.code)
      if (funder === undefined || !sees(apiKey, funder.id)) return sendProblem(reply, { reason: 'not_found' })
      const asked = readSpan(request, deps.now())
      if ('refusal' in asked) return sendProblem(reply, asked.refusal)
      const { span } = asked
      const { lines, after, value } = await accounts.organisationLedger(apiKey.tenant, funder.id, span)
      const closing = value - sumOf(after)
      const items = lines.map(line => ({
        ...lineBody(line),
        program: line.program === null ? null : (catalog.programsById.get(line.program)?.code ?? String(line.program)),
        merchant: merchantOf(line, catalog),
      }))
      if (asked.isCsv) {
        return sendCsv(
          reply,
          `organisation-${funder.code}`,
          ['day', 'type', 'program', 'merchant', 'count', 'amount'],
          items,
        )
      }
      const opening = toJsonAmount(closing - sumOf(lines))
      const { from, to } = timesOf(span)
      const body = { organisation: funder.code, from, to, opening, closing: toJsonAmount(closing), items }
      return sendJson(reply, 200, body)
    },
  )

  app.get(
    '/admin/v1/merchants/:code/statement',
    {
      onRequest: allowAny(['accounts:read', 'settlements'], deps),
      schema: { params: CodeParams, response: { 200: MerchantStatement } },
      config: reportDocs(
        {
          operationId: 'getMerchantStatement',
          tag,
          summary: 'Read the statement of a merchant',
          description:
            'What was posted on the account of what it is owed, by accounting day: purchases, what went back, and ' +
            'what settlements have moved on to be paid out.',
        },
        filters,
      ),
    },
    async (request, reply) => {
      const { apiKey, params } = request
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const merchant = catalog.merchantsByCode.get(params.code)
      const isSeen = merchant !== undefined && speaksFor(apiKey, merchant.code) && apiKey.organisation === null
      if (!isSeen) return sendProblem(reply, { reason: 'not_found' })
      const asked = readSpan(request, deps.now())
      if ('refusal' in asked) return sendProblem(reply, asked.refusal)
      const lines = await accounts.merchantLedger(apiKey.tenant, merchant.id, asked.span)
      const items = lines.map(lineBody)
      const { code } = merchant
      if (asked.isCsv) return sendCsv(reply, `merchant-${code}`, ['day', 'type', 'count', 'amount'], items)
      const net = toJsonAmount(sumOf(lines))
      return sendJson(reply, 200, { merchant: code, ...timesOf(asked.span), net, items })
    },
  )
}

function readSpan(
  request: FastifyRequest,
  now: Micros,
): { readonly span: Span; readonly isCsv: boolean } | { readonly refusal: Refusal } {
  const parsed = parseQuery(request.query as Readonly<Record<string, unknown>>, filters)
  if ('errors' in parsed) return { refusal: { reason: 'format_invalid', errors: parsed.errors } }
  const { from: first, to: last, format } = parsed.values
  const to = last ?? now
  const from = first ?? to - spanDaysByDefault * microsPerDay
  const isSpan = from < to && to - from <= spanDaysMax * microsPerDay
  const errors = [{ field: 'from', message: `must be before to, by at most ${spanDaysMax} days` }]
  if (!isSpan) return { refusal: { reason: 'format_invalid', errors } }
  return { span: { from, to }, isCsv: format === 'csv' || (format === null && request.headers.accept === 'text/csv') }
}

const timesOf = ({ from, to }: Span) => ({ from: rfc3339(from), to: rfc3339(to) })

const sumOf = (lines: readonly LedgerLine[]): bigint => lines.reduce((sum, { amount }) => sum + amount, 0n)

const lineBody = ({ day, kind, count, amount }: LedgerLine) => ({
  day: dateOfDay(day),
  type: kind === 'settle' ? 'settlement' : entryTypeOf(kind),
  count,
  amount: toJsonAmount(amount),
})

const merchantOf = ({ merchant }: LedgerLine, { merchantsById }: Catalog): string | null =>
  merchant === null ? null : (merchantsById.get(merchant)?.code ?? String(merchant))

function sendCsv<Item extends object>(
  reply: FastifyReply,
  name: string,
  columns: readonly (keyof Item & string)[],
  items: readonly Item[],
): FastifyReply {
  const records = items.map(item => csvRecord(columns.map(column => item[column] as string | number | null)))
  return reply
    .header('Content-Type', 'text/csv; charset=utf-8')
    .header('Content-Disposition', `attachment; filename="statement-${name}.csv"`)
    .send([csvRecord(columns), ...records].join(''))
}
