import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CardMove, CardRecord } from '../../../core/cards.ts'
import type { Catalog } from '../../../core/catalog.ts'
import type { Adjust, Load } from '../../../core/commands.ts'
import type { GiftBatch } from '../../../core/gift-cards.ts'
import { availableOf, isExpired, type Lot } from '../../../core/ledger.ts'
import { toJsonAmount } from '../../amounts.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import { type InFlight, readKey } from '../../idempotency.ts'
import { type Refusal, sendProblem } from '../../problem.ts'
import { parseRfc3339, rfc3339 } from '../../times.ts'
import { waitsForSecond } from '../approvals.ts'
import { actorOf, allow, type Call, sendJson } from '../call.ts'
import { numberOffers } from '../card-offers.ts'
import { actionDocs, createDocs, moveDocs, readDocs, reasonsOf } from '../docs.ts'
import { activate, auditBody } from '../gift-activation.ts'
import { giftHistory } from '../gift-history.ts'
import { closeMerged, mergedAmount } from '../gift-merge.ts'
import { fieldRefusal, funderOf, programOf } from '../holders.ts'
import { answerCreate } from '../items.ts'
import { listLimits, parseId } from '../lists.ts'
import { answerMove, isRepeat } from '../moves.ts'
import { ApprovalBody } from '../schemas/approvals.ts'
import { BlockBody, ReasonBody } from '../schemas/cards.ts'
import { IdParams, namesOf } from '../schemas/common.ts'
import {
  GiftAdjustBody,
  GiftCardBody,
  GiftCardsBody,
  GiftHistory,
  GiftLoadBody,
  GiftMergeBody,
  NewGiftCardsBody,
} from '../schemas/gift-cards.ts'
import { LotMoved, LotsMoved } from '../schemas/loads.ts'
import { commandOf, moveBody, storedMove, type ValueMove } from '../value-moves.ts'

const tag = 'Gift cards'
const spareOffers = 16
/** Within a program nothing gets another expiry. */
const reasonsOfMerge = reasonsOf('transfer').filter(reason => reason !== 'credit_expired')

/** A gift card with what its account is. */
interface Gift {
  readonly card: CardRecord
  readonly program: number
  readonly catalog: Catalog
}

/** Gift cards: sold with value on them, and never paid out: a refund goes back to the card. */
export function addGiftCardRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const { cards, giftCards, accounts, setup } = deps.admin
  const mayChange = allow('instruments:write', deps)

  app.post(
    '/admin/v1/gift-cards',
    {
      onRequest: mayChange,
      schema: { body: NewGiftCardsBody, response: { 201: GiftCardsBody } },
      config: createDocs({
        operationId: 'issueGiftCards',
        tag,
        summary: 'Issue gift cards',
        description: 'Inactive until they are sold. Their numbers are revealed one by one, and that is logged.',
      }),
    },
    async (request, reply) => {
      const { apiKey, body } = request
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const named = programOf(body.program, catalog)
      if ('refusal' in named) return sendProblem(reply, named.refusal)
      const { program } = named
      if (program.kind !== 'gift') return sendProblem(reply, fieldRefusal('/program', 'is not a gift program').refusal)
      const range = await cards.range(apiKey.tenant, program.id)
      if (range === null) return sendProblem(reply, fieldRefusal('/program', 'has no range of card numbers').refusal)
      const expiresAt = typeof body.expiresAt === 'string' ? parseRfc3339(body.expiresAt) : null
      if (typeof body.expiresAt === 'string' && expiresAt === null) {
        return sendProblem(reply, fieldRefusal('/expiresAt', 'must be an RFC 3339 time').refusal)
      }
      const { count } = body
      const offers = numberOffers(count + spareOffers, range, apiKey.tenant, deps.panKey)
      return answerCreate(
        { request, reply, deps, inFlight },
        { names: namesOf(NewGiftCardsBody), render: batchBody },
        creation => giftCards.issue(creation, { program, count, expiresAt, offers }),
      )
    },
  )

  const find = async ({ apiKey, params }: FastifyRequest, named?: string): Promise<Gift | null> => {
    const id = parseId(named ?? (params as { id: string }).id)
    const catalog = deps.catalogOf(apiKey.tenant)
    const card = id === null ? null : await cards.card(apiKey.tenant, id, apiKey.organisation)
    const program = catalog?.programsById.get(card?.program ?? 0)
    if (card === null || catalog === undefined || program?.kind !== 'gift') return null
    return { card, program: program.id, catalog }
  }

  const lotsOf = async ({ apiKey }: FastifyRequest, { card, program }: Gift): Promise<readonly Lot[]> =>
    ((await deps.reads.holder(apiKey.tenant, card.holder))?.lots ?? []).filter(lot => lot.program === program)

  const sendGift = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const gift = await find(request)
    if (gift === null) return sendProblem(reply, { reason: 'not_found' })
    const lots = await lotsOf(request, gift)
    const { id, holder, status, statusReason, last4, expiresAt } = gift.card
    return sendJson(reply, 200, {
      id: String(id),
      cardholder: String(holder),
      program: gift.catalog.programsById.get(gift.program)?.code ?? null,
      status,
      statusReason,
      last4,
      expiresAt: expiresAt === null ? null : rfc3339(expiresAt),
      balance: toJsonAmount(lots.reduce((sum, lot) => sum + lot.creditsPosted - lot.debitsPosted, 0n)),
      held: toJsonAmount(lots.reduce((sum, lot) => sum + lot.debitsPending, 0n)),
    })
  }

  app.get(
    '/admin/v1/gift-cards/:id',
    {
      onRequest: allow('cards:read', deps),
      schema: { params: IdParams, response: { 200: GiftCardBody } },
      config: readDocs({
        operationId: 'getGiftCard',
        tag,
        summary: 'Read a gift card',
        description: 'And its balance.',
      }),
    },
    async (request, reply) => sendGift(request, reply),
  )

  app.get(
    '/admin/v1/gift-cards/:id/history',
    {
      onRequest: allow('cards:read', deps),
      schema: { params: IdParams, response: { 200: GiftHistory } },
      config: readDocs({
        operationId: 'getGiftCardHistory',
        tag,
        summary: 'Read what has become of a gift card',
        description: 'Every change with its type, its reason and the balance after it, the newest first.',
      }),
    },
    async (request, reply) => {
      const gift = await find(request)
      if (gift === null) return sendProblem(reply, { reason: 'not_found' })
      const { tenant } = request.apiKey
      const { card, program } = gift
      const filter = { entity: 'card', entityId: String(card.id), action: null, actor: null, from: null, to: null }
      const [statement, audit] = await Promise.all([
        accounts.statement({ tenant, holder: card.holder, program, funder: null }, null),
        setup.audit(tenant, filter, { limit: listLimits.max, after: null }),
      ])
      const entries = statement.kind === 'statement' ? statement.entries : []
      return sendJson(reply, 200, { items: giftHistory(card, entries, audit.items) })
    },
  )

  /** What is to be loaded, and from whom; or why not. */
  const loadOf = (
    request: FastifyRequest,
    body: GiftLoadBody,
    { card, program, catalog }: Gift,
  ): { move: ValueMove & Pick<Load, 'kind'> } | { refusal: Refusal } => {
    const paid = funderOf(body.funder, catalog.programsById.get(program) ?? null, request.apiKey, catalog)
    if ('refusal' in paid) return paid
    const { reason = null, reference = null, amount } = body
    return {
      move: {
        kind: 'load',
        holder: card.holder,
        program,
        funder: paid.funder.id,
        amount: BigInt(amount),
        expiresAt: 'terms',
        note: { reason, reference, actor: actorOf(request).label },
      },
    }
  }

  const answerValue = (
    { request, reply }: Pick<Call, 'request' | 'reply'>,
    names: readonly string[],
    move: ValueMove,
    { onApproval, onRefusal }: { onApproval?: () => Promise<void>; onRefusal?: () => Promise<void> } = {},
  ): Promise<FastifyReply> =>
    answerMove(
      { request, reply, deps, inFlight },
      {
        names,
        commandOf: asked => commandOf(move, asked),
        action: move.kind,
        entity: 'cardholder',
        entityId: String(move.holder),
        bodyOf: async decision => {
          // Again on a repeat: the process may have ended in between.
          await onApproval?.()
          return moveBody(move, decision, request.apiKey.tenant, deps)
        },
        ...(onRefusal !== undefined && { onRefusal }),
      },
    )

  app.post(
    '/admin/v1/gift-cards/:id/activate',
    {
      onRequest: mayChange,
      schema: { params: IdParams, body: GiftLoadBody, response: { 201: LotMoved, 202: ApprovalBody } },
      config: moveDocs({
        operationId: 'activateGiftCard',
        tag,
        summary: 'Activate a gift card with its first load',
        description: 'When it is sold. A card is activated once.',
        reasons: ['card_status_wrong', ...reasonsOf('load')],
      }),
    },
    async (request, reply) => {
      const gift = await find(request)
      if (gift === null) return sendProblem(reply, { reason: 'not_found' })
      const key = readKey(request)
      if ('refusal' in key) return sendProblem(reply, key.refusal)
      const load = loadOf(request, request.body, gift)
      if ('refusal' in load) return sendProblem(reply, load.refusal)
      const { tenant } = request.apiKey
      const { id } = gift.card
      const names = namesOf(GiftLoadBody)
      const call = { request, reply, deps, inFlight }
      const wish = { kind: 'activation', amount: BigInt(request.body.amount), names } as const
      if (await waitsForSecond(call, { ...wish, request: { ...storedMove(load.move), card: String(id) } })) return reply
      if (!(await giftCards.reserve(tenant, id, key.key)) && !(await isRepeat(call))) {
        return sendProblem(reply, { reason: 'card_status_wrong' })
      }
      return answerValue(call, names, load.move, {
        onApproval: () => activate(call, id, request.body.reason ?? null),
        onRefusal: () => giftCards.release(tenant, id, key.key),
      })
    },
  )

  app.post(
    '/admin/v1/gift-cards/:id/load',
    {
      onRequest: mayChange,
      schema: { params: IdParams, body: GiftLoadBody, response: { 201: LotMoved, 202: ApprovalBody } },
      config: moveDocs({
        operationId: 'loadGiftCard',
        tag,
        summary: 'Load a gift card',
        description: 'One that is active.',
        reasons: ['card_status_wrong', ...reasonsOf('load')],
      }),
    },
    async (request, reply) => {
      const gift = await find(request)
      if (gift === null) return sendProblem(reply, { reason: 'not_found' })
      const call = { request, reply, deps, inFlight }
      if (gift.card.status !== 'active' && !(await isRepeat(call))) {
        return sendProblem(reply, { reason: 'card_status_wrong' })
      }
      const load = loadOf(request, request.body, gift)
      if ('refusal' in load) return sendProblem(reply, load.refusal)
      const names = namesOf(GiftLoadBody)
      const wish = { kind: 'gift-load', amount: BigInt(request.body.amount), names } as const
      const stored = { ...storedMove(load.move), card: String(gift.card.id) }
      if (await waitsForSecond(call, { ...wish, request: stored })) return reply
      return answerValue(call, names, load.move)
    },
  )

  app.post(
    '/admin/v1/gift-cards/:id/adjust',
    {
      onRequest: mayChange,
      schema: { params: IdParams, body: GiftAdjustBody, response: { 201: LotMoved, 202: ApprovalBody } },
      config: moveDocs({
        operationId: 'adjustGiftCard',
        tag,
        summary: 'Put a gift card right',
        description: 'On the load, of those not expired, of which the most is left. The reason is kept with it.',
        reasons: reasonsOf('adjust'),
      }),
    },
    async (request, reply) => {
      const gift = await find(request)
      if (gift === null) return sendProblem(reply, { reason: 'not_found' })
      const { body } = request
      const lots = await lotsOf(request, gift)
      const at = deps.now()
      const open = lots.filter(lot => !isExpired(lot, at))
      // Where all have expired the engine decides too, so that a repeat gets its answer however late it comes.
      const [most] = (open.length > 0 ? open : lots).toSorted((one, other) =>
        availableOf(other) > availableOf(one) ? 1 : -1,
      )
      if (most === undefined) return sendProblem(reply, { reason: 'account_unknown' })
      const amount = BigInt(body.amount)
      const note = { reason: body.reason, reference: null, actor: actorOf(request).label }
      const move: ValueMove & Pick<Adjust, 'kind'> = {
        kind: 'adjust',
        holder: gift.card.holder,
        lot: most.id,
        amount,
        note,
      }
      const names = namesOf(GiftAdjustBody)
      const call = { request, reply, deps, inFlight }
      const size = amount < 0n ? -amount : amount
      const wish = { kind: 'adjust', amount: size, request: storedMove(move), names } as const
      if (await waitsForSecond(call, wish)) return reply
      return answerValue(call, names, move)
    },
  )

  const setStatus = async (
    { request, reply }: Pick<Call, 'request' | 'reply'>,
    move: Exclude<CardMove, 'replace'>,
    reason: string | null,
  ): Promise<FastifyReply> => {
    const gift = await find(request)
    if (gift === null) return sendProblem(reply, { reason: 'not_found' })
    const moved = await cards.move({ actor: actorOf(request), bodyOf: auditBody }, gift.card.id, move, reason)
    if (moved.kind === 'refused') return sendProblem(reply, moved)
    return sendGift(request, reply)
  }
  for (const move of ['block', 'unblock'] as const) {
    app.post(
      `/admin/v1/gift-cards/:id/${move}`,
      {
        onRequest: mayChange,
        schema: { params: IdParams, body: move === 'block' ? BlockBody : ReasonBody, response: { 200: GiftCardBody } },
        config: actionDocs({
          operationId: `${move}GiftCard`,
          tag,
          summary: move === 'block' ? 'Block a gift card' : 'Unblock a gift card',
          description: 'What is on it stays.',
          reasons: ['card_status_wrong'],
        }),
      },
      async (request, reply) => setStatus({ request, reply }, move, request.body.reason ?? null),
    )
  }

  app.post(
    '/admin/v1/gift-cards/:id/merge',
    {
      onRequest: mayChange,
      schema: { params: IdParams, body: GiftMergeBody, response: { 201: LotsMoved, 202: ApprovalBody } },
      config: moveDocs({
        operationId: 'mergeGiftCard',
        tag,
        summary: 'Merge a gift card into another',
        description:
          'Everything on it goes to the other card of the same program; then it is closed for good. Where some of it ' +
          'cannot go now, nothing does. Where more has come meanwhile it stays open: merge it again.',
        reasons: ['card_status_wrong', 'insufficient_funds_held', 'account_frozen', ...reasonsOfMerge],
      }),
    },
    async (request, reply) => {
      const { body } = request
      const gift = await find(request)
      const into = await find(request, body.into)
      if (gift === null) return sendProblem(reply, { reason: 'not_found' })
      if (into === null || into.program !== gift.program || into.card.id === gift.card.id) {
        return sendProblem(reply, fieldRefusal('/into', 'must be another gift card of the same program').refusal)
      }
      const { tenant } = request.apiKey
      const { id, holder } = gift.card
      const call = { request, reply, deps, inFlight }
      const merged = await mergedAmount(tenant, { from: gift.card, into: into.card }, deps)
      if ('refusal' in merged && !(await isRepeat(call))) return sendProblem(reply, merged.refusal)
      const amount = 'refusal' in merged ? null : merged.amount
      const reason = body.reason ?? null
      const move: ValueMove = {
        kind: 'transfer',
        holder,
        program: gift.program,
        toHolder: into.card.holder,
        toProgram: gift.program,
        amount,
        note: { reason, reference: `${id} > ${into.card.id}`, actor: actorOf(request).label },
      }
      const names = namesOf(GiftMergeBody)
      const stored = { ...storedMove(move), amount: null, card: String(id), into: String(into.card.id) }
      // What a repeat has moved is not known: if the engine could have forgotten it, it does not pass as nothing.
      const size = 'refusal' in merged ? null : (amount ?? 0n)
      if (await waitsForSecond(call, { kind: 'merge', amount: size, request: stored, names })) return reply
      return answerValue(call, names, move, { onApproval: () => closeMerged(call, gift.card, reason) })
    },
  )
}

const batchBody = ({ program, cards }: GiftBatch) => ({
  program,
  items: cards.map(({ id, holder, last4 }) => ({ id: String(id), cardholder: String(holder), last4 })),
})
