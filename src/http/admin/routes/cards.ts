import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Changed } from '../../../core/admin.ts'
import { randomCardNumber } from '../../../core/card-numbers.ts'
import { type CardMove, type CardRecord, cardStatuses, type NumberOffer } from '../../../core/cards.ts'
import type { Catalog, Program } from '../../../core/catalog.ts'
import { panToken } from '../../../crypto/hash.ts'
import { openPan, sealPan, vaultKeyOf } from '../../../crypto/pan-vault.ts'
import { randomDigits } from '../../../crypto/random-digits.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import type { InFlight } from '../../idempotency.ts'
import { type Refusal, sendProblem } from '../../problem.ts'
import { parseRfc3339, rfc3339 } from '../../times.ts'
import { actorOf, allow, allowList, sendJson } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { actionDocs, changeDocs, createDocs, listDocs, readDocs } from '../docs.ts'
import { answerChange, answerCreate, sendItem } from '../items.ts'
import { answerList, id as idFilter, oneOf, parseId } from '../lists.ts'
import {
  BlockBody,
  CardBody,
  CardList,
  CardPatchBody,
  NewCardBody,
  ReasonBody,
  ReplacementBody,
  RevealedBody,
} from '../schemas/cards.ts'
import { IdParams, namesOf } from '../schemas/common.ts'

const tag = 'Cards'
/** Numbers to choose from: so many are taken already only in a range that is as good as full. */
const offersMax = 16

const filters = {
  cardholder: idFilter('Only of this holder.'),
  last4: {
    about: 'Only with these last digits.',
    must: 'must be four digits or letters',
    parse: (given: string) => (/^[0-9A-Z]{4}$/.test(given) ? given : null),
  },
  status: oneOf('Only in this state.', cardStatuses),
}

/** Cards: issued, activated, blocked, replaced and closed. Their numbers are in the vault and in no answer but one. */
export function addCardRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const { cards } = deps.admin
  const vaultKey = vaultKeyOf(deps.panKey)

  const offersOf = (range: string, tenant: number): NumberOffer[] =>
    Array.from({ length: offersMax }, () => {
      const pan = randomCardNumber(range, randomDigits)
      const token = panToken(pan, deps.panKey)
      return { token, last4: pan.slice(-4), sealed: sealPan(vaultKey, pan, { tenant, token }).toString('hex') }
    })

  /** What a new card is made of, or why it cannot be. */
  const numbersOf = async (
    program: Program | undefined,
    catalog: Catalog,
  ): Promise<{ program: number; offers: NumberOffer[] } | Refusal> => {
    const tenant = catalog.tenant.id
    const range = program === undefined ? null : await cards.range(tenant, program.id)
    if (program === undefined || program.isClosed) return refusalOf('/program', 'is not a program that is open')
    if (range === null) return refusalOf('/program', 'has no range of card numbers')
    return { program: program.id, offers: offersOf(range, tenant) }
  }

  const renderFor =
    ({ programsById }: Catalog) =>
    (card: CardRecord) =>
      bodyOf(card, programsById)

  app.post(
    '/admin/v1/cards',
    {
      onRequest: allow('cards:write', deps),
      schema: { body: NewCardBody, response: { 201: CardBody } },
      config: createDocs({
        operationId: 'issueCard',
        tag,
        summary: 'Issue a card',
        description:
          'With a random number from the range of a program. The number is not in the answer: whoever must know it ' +
          'reveals it, and that is logged.',
        reasons: ['not_found'],
      }),
    },
    async (request, reply) => {
      const { apiKey, body } = request
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const holder = parseId(body.cardholder)
      const found = holder === null ? null : await cards.cardholder(apiKey.tenant, holder, null)
      if (found === null) return sendProblem(reply, noHolder)
      const expiresAt = readTime(body.expiresAt)
      if (expiresAt === undefined) return sendProblem(reply, timeWrong)
      const numbers = await numbersOf(programOf(body.program, catalog), catalog)
      if ('reason' in numbers) return sendProblem(reply, numbers)
      return answerCreate(
        { request, reply, deps, inFlight },
        { names: namesOf(NewCardBody), render: renderFor(catalog) },
        creation => cards.issue(creation, { ...numbers, holder: found.id, kind: body.kind, expiresAt }),
      )
    },
  )

  app.get(
    '/admin/v1/cards',
    {
      onRequest: allowList('cards:read', deps),
      schema: { response: { 200: CardList } },
      config: listDocs(
        { operationId: 'listCards', tag, summary: 'List cards', description: 'In the order of their ids.' },
        filters,
      ),
    },
    async (request, reply) => {
      const { tenant, organisation: funder } = request.apiKey
      const catalog = deps.catalogOf(tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      return answerList(request, reply, {
        filters,
        cursor: 'id',
        read: ({ cardholder: holder, last4, status }, page) =>
          cards.cards(tenant, { holder, last4, status, token: null, funder }, page),
        render: renderFor(catalog),
        columns: columnsOf(CardBody),
        name: 'cards',
      })
    },
  )

  app.get(
    '/admin/v1/cards/:id',
    {
      onRequest: allow('cards:read', deps),
      schema: { params: IdParams, response: { 200: CardBody } },
      config: readDocs({ operationId: 'getCard', tag, summary: 'Read a card', description: 'As it stands.' }),
    },
    async ({ apiKey, params }, reply) => {
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const id = parseId(params.id)
      const found = id === null ? null : await cards.card(apiKey.tenant, id, apiKey.organisation)
      return sendItem(reply, found, renderFor(catalog))
    },
  )

  app.patch(
    '/admin/v1/cards/:id',
    {
      onRequest: allow('cards:write', deps),
      schema: { params: IdParams, body: CardPatchBody, response: { 200: CardBody } },
      config: changeDocs({
        operationId: 'changeCard',
        tag,
        summary: 'Change when a card expires',
        description: 'What it holds and owes is not of the card, and stays.',
      }),
    },
    async (request, reply) => {
      const catalog = deps.catalogOf(request.apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const id = parseId(request.params.id)
      if (id === null) return sendProblem(reply, { reason: 'not_found' })
      const expiresAt = readTime(request.body.expiresAt)
      if (expiresAt === undefined) return sendProblem(reply, timeWrong)
      return answerChange({ request, reply, deps, inFlight }, renderFor(catalog), change =>
        cards.change(change, id, { expiresAt }),
      )
    },
  )

  const moveTo = async (
    request: FastifyRequest & { params: { id: string } },
    reply: FastifyReply,
    move: Exclude<CardMove, 'replace'> | 'reset_pin',
    reason: string | null,
  ): Promise<FastifyReply> => {
    const catalog = deps.catalogOf(request.apiKey.tenant)
    if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
    const render = renderFor(catalog)
    const id = parseId(request.params.id)
    if (id === null) return sendProblem(reply, { reason: 'not_found' })
    const change = { actor: actorOf(request), bodyOf: (card: CardRecord) => JSON.stringify(render(card)) }
    const changed: Changed<CardRecord> =
      move === 'reset_pin' ? await cards.resetPin(change, id) : await cards.move(change, id, move, reason)
    if (changed.kind === 'changed') return sendItem(reply, changed.item, render)
    return sendProblem(reply, changed.kind === 'refused' ? changed : { reason: 'not_found' })
  }

  for (const [move, summary, description] of moves) {
    app.post(
      `/admin/v1/cards/:id/${move}`,
      {
        onRequest: allow('cards:write', deps),
        schema: { params: IdParams, body: move === 'block' ? BlockBody : ReasonBody, response: { 200: CardBody } },
        config: actionDocs({
          operationId: `${move}Card`,
          tag,
          summary,
          description: `${description} A card that is in that state already stays as it is, so it may be asked again.`,
          reasons: ['card_status_wrong'],
        }),
      },
      async (request, reply) => moveTo(request, reply, move, request.body.reason ?? null),
    )
  }

  app.post(
    '/admin/v1/cards/:id/reset-pin',
    {
      onRequest: allow('cards:write', deps),
      schema: { params: IdParams, response: { 200: CardBody } },
      config: actionDocs({
        operationId: 'resetCardPin',
        tag,
        summary: 'Forget wrong PINs',
        description: 'A card that was refused everywhere after three of them is taken again.',
      }),
    },
    async (request, reply) => moveTo(request, reply, 'reset_pin', null),
  )

  app.post(
    '/admin/v1/cards/:id/replace',
    {
      onRequest: allow('cards:write', deps),
      schema: { params: IdParams, body: ReplacementBody, response: { 201: CardBody } },
      config: createDocs({
        operationId: 'replaceCard',
        tag,
        summary: 'Replace a card',
        description:
          'A new number for the same holder, so with the same accounts and limits. The old card is `replaced` at ' +
          'once; its PIN does not go over. What is left out is as it was.',
        reasons: ['not_found', 'card_status_wrong'],
      }),
    },
    async (request, reply) => {
      const { apiKey, body, params } = request
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const id = parseId(params.id)
      const old = id === null ? null : await cards.card(apiKey.tenant, id, null)
      if (id === null || old === null || old.kind === 'voucher') return sendProblem(reply, { reason: 'not_found' })
      const expiresAt = body.expiresAt === undefined ? old.expiresAt : readTime(body.expiresAt)
      if (expiresAt === undefined) return sendProblem(reply, timeWrong)
      const program =
        body.program === undefined ? catalog.programsById.get(old.program ?? 0) : programOf(body.program, catalog)
      const numbers = await numbersOf(program, catalog)
      if ('reason' in numbers) return sendProblem(reply, numbers)
      const replacement = { ...numbers, kind: body.kind ?? old.kind, expiresAt, reason: body.reason ?? null }
      return answerCreate(
        { request, reply, deps, inFlight },
        { names: namesOf(ReplacementBody), render: renderFor(catalog) },
        creation => cards.replace(creation, id, replacement),
      )
    },
  )

  app.post(
    '/admin/v1/cards/:id/reveal',
    {
      onRequest: allow('cards:reveal', deps),
      schema: { params: IdParams, response: { 200: RevealedBody } },
      config: actionDocs({
        operationId: 'revealCard',
        tag,
        summary: 'See the number of a card',
        description: 'For whoever prints it or sends it to its holder. Who has asked, and when, is logged.',
      }),
    },
    async (request, reply) => {
      const id = parseId(request.params.id)
      const found = id === null ? null : await cards.reveal(actorOf(request), id)
      if (found === null || found.kind === 'not_found') return sendProblem(reply, { reason: 'not_found' })
      const binding = { tenant: request.apiKey.tenant, token: found.token }
      const pan = openPan(vaultKey, Buffer.from(found.sealed, 'hex'), binding)
      return sendJson(reply.header('Cache-Control', 'no-store'), 200, { id: request.params.id, pan })
    },
  )
}

const moves = [
  ['activate', 'Activate a card', 'One that is inactive.'],
  ['block', 'Block a card', 'One that is active. Its reason is kept.'],
  ['unblock', 'Unblock a card', 'One that is blocked.'],
  ['close', 'Close a card', 'For ever.'],
] as const

const programOf = (code: string, { programsById }: Catalog): Program | undefined =>
  [...programsById.values()].find(program => program.code === code)

const refusalOf = (field: string, message: string): Refusal => ({
  reason: 'format_invalid',
  errors: [{ field, message }],
})
const noHolder: Refusal = { reason: 'not_found', errors: [{ field: '/cardholder', message: 'is no holder here' }] }
const timeWrong = refusalOf('/expiresAt', 'must be an RFC 3339 time such as 2026-11-21T08:30:00Z')

/** Undefined: it is no time. */
function readTime(time: string | null | undefined): number | null | undefined {
  if (time === null || time === undefined) return null
  return parseRfc3339(time) ?? undefined
}

const bodyOf = (card: CardRecord, programs: Catalog['programsById']) => ({
  id: String(card.id),
  cardholder: String(card.holder),
  kind: card.kind,
  status: card.status,
  statusReason: card.statusReason,
  last4: card.last4,
  token: card.token,
  program: card.program === null ? null : (programs.get(card.program)?.code ?? String(card.program)),
  expiresAt: card.expiresAt === null ? null : rfc3339(card.expiresAt),
  issuedAt: rfc3339(card.issuedAt),
  replacedBy: card.replacedBy === null ? null : String(card.replacedBy),
  pinTries: card.pinTries,
  version: card.version,
})
