import { type Cardholder, type CardholderPatch, mobileOf, nationalCodeOf } from '../../../core/cardholders.ts'
import { nationalCodeHash } from '../../../crypto/hash.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import type { InFlight } from '../../idempotency.ts'
import { type FieldError, sendProblem } from '../../problem.ts'
import { rfc3339 } from '../../times.ts'
import { allow, allowList, sendJson } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { changeDocs, createDocs, listDocs, readDocs } from '../docs.ts'
import { answerChange, answerCreate, sendItem } from '../items.ts'
import { answerList, listLimits, parseId, text } from '../lists.ts'
import {
  CardholderBody,
  CardholderList,
  CardholderSearch,
  NewCardholderBody,
  type NewCardholderBody as NewHolder,
} from '../schemas/cards.ts'
import { IdParams, namesOf } from '../schemas/common.ts'

const tag = 'Cardholders'
const filters = { reference: text('Only who has this number of yours.') }

/** People: who they are. A mobile number or a national code is never in an address, which gets logged. */
export function addCardholderRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const { cards } = deps.admin

  /** The fields as they are kept, or what is wrong with them. */
  const read = (body: NewHolder, tenant: number): { patch: CardholderPatch } | { errors: FieldError[] } => {
    const errors: FieldError[] = []
    const mobile = typeof body.mobile === 'string' ? mobileOf(body.mobile) : body.mobile
    if (mobile === null && body.mobile !== null) errors.push({ field: '/mobile', message: mobileMessage })
    const code = typeof body.nationalCode === 'string' ? nationalCodeOf(body.nationalCode) : body.nationalCode
    if (code === null && body.nationalCode !== null) errors.push({ field: '/nationalCode', message: nationalMessage })
    if (errors.length > 0) return { errors }
    const national =
      typeof code === 'string' ? { hash: nationalCodeHash(code, tenant, deps.panKey), last: code.slice(-4) } : code
    return { patch: { reference: body.reference, name: body.name, mobile, national } }
  }

  app.post(
    '/admin/v1/cardholders',
    {
      onRequest: allow('cards:write', deps),
      schema: { body: NewCardholderBody, response: { 201: CardholderBody } },
      config: createDocs({
        operationId: 'createCardholder',
        tag,
        summary: 'Set up a cardholder',
        description: 'All fields may be left out: a gift card has a holder whom nobody knows.',
        reasons: ['code_taken'],
      }),
    },
    async (request, reply) => {
      const { apiKey, body } = request
      const fields = read(body, apiKey.tenant)
      if ('errors' in fields) return sendProblem(reply, { reason: 'format_invalid', errors: fields.errors })
      const { patch } = fields
      // Ten digits could be found by trying them against a fingerprint: it is made of their keyed hash.
      const content = { ...body, nationalCode: patch.national?.hash }
      return answerCreate(
        { request, reply, deps, inFlight },
        { names: namesOf(NewCardholderBody), render: bodyOf, content },
        creation => cards.createCardholder(creation, patch),
      )
    },
  )

  app.get(
    '/admin/v1/cardholders',
    {
      onRequest: allowList('cards:read', deps),
      schema: { response: { 200: CardholderList } },
      config: listDocs(
        {
          operationId: 'listCardholders',
          tag,
          summary: 'List cardholders',
          description: 'In the order of their ids. The key of an organisation sees those who have its credit.',
        },
        filters,
      ),
    },
    async (request, reply) => {
      const { tenant, organisation: funder } = request.apiKey
      return answerList(request, reply, {
        filters,
        cursor: 'id',
        read: ({ reference }, page) =>
          cards.cardholders(tenant, { reference, mobile: null, nationalHash: null, funder }, page),
        render: bodyOf,
        columns: columnsOf(CardholderBody),
        name: 'cardholders',
      })
    },
  )

  app.post(
    '/admin/v1/cardholders/search',
    {
      onRequest: allow('cards:read', deps),
      schema: { body: CardholderSearch, response: { 200: CardholderList } },
      config: readDocs({
        operationId: 'searchCardholders',
        tag,
        summary: 'Look for a cardholder',
        description: `By number, mobile and national code, all that are given; at most ${listLimits.max} are told.`,
      }),
    },
    async ({ apiKey, body }, reply) => {
      const fields = read(body, apiKey.tenant)
      if ('errors' in fields) return sendProblem(reply, { reason: 'format_invalid', errors: fields.errors })
      const { mobile = null, national = null } = fields.patch
      const { items } = await cards.cardholders(
        apiKey.tenant,
        {
          reference: body.reference ?? null,
          mobile,
          nationalHash: national?.hash ?? null,
          funder: apiKey.organisation,
        },
        { limit: listLimits.max, after: null },
      )
      return sendJson(reply, 200, { items: items.map(bodyOf), nextCursor: null })
    },
  )

  app.get(
    '/admin/v1/cardholders/:id',
    {
      onRequest: allow('cards:read', deps),
      schema: { params: IdParams, response: { 200: CardholderBody } },
      config: readDocs({
        operationId: 'getCardholder',
        tag,
        summary: 'Read a cardholder',
        description: 'Of a national code the last four digits.',
      }),
    },
    async ({ apiKey, params }, reply) => {
      const id = parseId(params.id)
      const found = id === null ? null : await cards.cardholder(apiKey.tenant, id, apiKey.organisation)
      return sendItem(reply, found, bodyOf)
    },
  )

  app.patch(
    '/admin/v1/cardholders/:id',
    {
      onRequest: allow('cards:write', deps),
      schema: { params: IdParams, body: NewCardholderBody, response: { 200: CardholderBody } },
      config: changeDocs({
        operationId: 'changeCardholder',
        tag,
        summary: 'Change a cardholder',
        description: 'Only the fields that are given; null takes one away.',
        reasons: ['code_taken'],
      }),
    },
    async (request, reply) => {
      const { apiKey, body, params } = request
      const id = parseId(params.id)
      if (id === null) return sendProblem(reply, { reason: 'not_found' })
      const fields = read(body, apiKey.tenant)
      if ('errors' in fields) return sendProblem(reply, { reason: 'format_invalid', errors: fields.errors })
      return answerChange({ request, reply, deps, inFlight }, bodyOf, change =>
        cards.changeCardholder(change, id, fields.patch),
      )
    },
  )
}

const mobileMessage = 'must be a mobile number of Iran, such as 09121234567'
const nationalMessage = 'must be ten digits with their check digit'

const bodyOf = ({ id, reference, name, mobile, nationalLast, madeAt, version }: Cardholder) => ({
  id: String(id),
  reference,
  name,
  mobile,
  nationalCodeLast4: nationalLast,
  createdAt: madeAt === null ? null : rfc3339(madeAt),
  version,
})
