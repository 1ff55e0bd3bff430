import { isIban } from '../../../core/iban.ts'
import { type MerchantRecord, statuses } from '../../../core/parties.ts'
import { toJsonAmount } from '../../amounts.ts'
import { speaksFor } from '../../api-keys.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import type { InFlight } from '../../idempotency.ts'
import { type FieldError, sendProblem } from '../../problem.ts'
import { allow, allowList } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { changeDocs, createDocs, listDocs, readDocs } from '../docs.ts'
import { answerChange, answerCreate, sendItem } from '../items.ts'
import { answerList, oneOf, text } from '../lists.ts'
import { millionthsOf, percentOf } from '../percent.ts'
import { CodeParams, namesOf } from '../schemas/common.ts'
import { MerchantBody, MerchantList, MerchantPatchBody, NewMerchantBody } from '../schemas/parties.ts'

const tag = 'Merchants'
const filters = {
  status: oneOf('Only these.', statuses),
  category: text('Only those of this category.'),
  group: text('Only those in this group.'),
}

/** Merchants: where value is spent, and what they pay for it. */
export function addMerchantRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const { parties } = deps.admin

  app.post(
    '/admin/v1/merchants',
    {
      onRequest: allow('merchants:write', deps),
      schema: { body: NewMerchantBody, response: { 201: MerchantBody } },
      config: createDocs({
        operationId: 'createMerchant',
        tag,
        summary: 'Set up a merchant',
        description: 'Its category and groups are what terms of programs name.',
        reasons: ['code_taken'],
      }),
    },
    async (request, reply) => {
      const { apiKey, body } = request
      const errors = errorsOf(body)
      if (errors.length > 0) return sendProblem(reply, { reason: 'format_invalid', errors })
      if (!speaksFor(apiKey, body.code)) return sendProblem(reply, { reason: 'forbidden' })
      return answerCreate(
        { request, reply, deps, inFlight },
        { names: namesOf(NewMerchantBody), render: bodyOf },
        creation =>
          parties.createMerchant(creation, {
            code: body.code,
            name: body.name,
            category: body.category ?? null,
            groups: body.groups ?? [],
            settlementAccount: body.settlementAccount ?? null,
            feeMillionths: millionthsOf(body.fee?.percent ?? '0') ?? 0,
            feeEach: BigInt(body.fee?.each ?? 0),
            status: body.status ?? 'active',
          }),
      )
    },
  )

  app.get(
    '/admin/v1/merchants',
    {
      onRequest: allowList('merchants:read', deps),
      schema: { response: { 200: MerchantList } },
      config: listDocs(
        {
          operationId: 'listMerchants',
          tag,
          summary: 'List merchants',
          description: 'In the order of their codes. A key sees the merchants that it speaks for.',
        },
        filters,
      ),
    },
    async (request, reply) =>
      answerList(request, reply, {
        filters,
        cursor: 'code',
        read: (values, page) => {
          const { tenant, merchants } = request.apiKey
          return parties.merchants(tenant, { ...values, only: merchants === '*' ? null : merchants }, page)
        },
        render: bodyOf,
        columns: columnsOf(MerchantBody),
        name: 'merchants',
      }),
  )

  app.get(
    '/admin/v1/merchants/:code',
    {
      onRequest: allow('merchants:read', deps),
      schema: { params: CodeParams, response: { 200: MerchantBody } },
      config: readDocs({
        operationId: 'getMerchant',
        tag,
        summary: 'Read a merchant',
        description: 'As it is set up.',
      }),
    },
    async ({ apiKey, params }, reply) =>
      sendItem(
        reply,
        speaksFor(apiKey, params.code) ? await parties.merchant(apiKey.tenant, params.code) : null,
        bodyOf,
      ),
  )

  app.patch(
    '/admin/v1/merchants/:code',
    {
      onRequest: allow('merchants:write', deps),
      schema: { params: CodeParams, body: MerchantPatchBody, response: { 200: MerchantBody } },
      config: changeDocs({
        operationId: 'changeMerchant',
        tag,
        summary: 'Change a merchant',
        description: 'Only the fields that are given. Another fee holds for what is settled from then on.',
      }),
    },
    async (request, reply) => {
      const { apiKey, params, body } = request
      const errors = errorsOf(body)
      if (errors.length > 0) return sendProblem(reply, { reason: 'format_invalid', errors })
      if (!speaksFor(apiKey, params.code)) return sendProblem(reply, { reason: 'not_found' })
      const { fee, ...patch } = body
      return answerChange({ request, reply, deps, inFlight }, bodyOf, change =>
        parties.changeMerchant(change, params.code, {
          ...patch,
          ...(fee?.percent !== undefined && { feeMillionths: millionthsOf(fee.percent) ?? 0 }),
          ...(fee?.each !== undefined && { feeEach: BigInt(fee.each) }),
        }),
      )
    },
  )
}

/** What the schema cannot see. */
function errorsOf({ settlementAccount, fee }: MerchantPatchBody): FieldError[] {
  const errors: FieldError[] = []
  if (typeof settlementAccount === 'string' && !isIban(settlementAccount)) {
    errors.push({ field: '/settlementAccount', message: 'must be an IBAN: its check digits are wrong' })
  }
  if (fee?.percent !== undefined && millionthsOf(fee.percent) === null) {
    errors.push({ field: '/fee/percent', message: 'must be a percentage from 0 to 100 as text, such as "1.25"' })
  }
  return errors
}

const bodyOf = (merchant: MerchantRecord) => ({
  code: merchant.code,
  name: merchant.name,
  category: merchant.category,
  groups: merchant.groups,
  settlementAccount: merchant.settlementAccount,
  fee: { percent: percentOf(merchant.feeMillionths), each: toJsonAmount(merchant.feeEach) },
  status: merchant.status,
  version: merchant.version,
})
