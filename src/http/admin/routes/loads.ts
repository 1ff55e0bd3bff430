import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Catalog } from '../../../core/catalog.ts'
import { sees } from '../../api-keys.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import type { InFlight } from '../../idempotency.ts'
import { type Refusal, sendProblem } from '../../problem.ts'
import { parseRfc3339 } from '../../times.ts'
import { waitsForSecond } from '../approvals.ts'
import { actorOf, allow } from '../call.ts'
import { moveDocs, reasonsOf } from '../docs.ts'
import { fieldRefusal, funderOf, holderOf, type NamedHolder, programOf, withoutNumber } from '../holders.ts'
import { parseId } from '../lists.ts'
import { answerMove } from '../moves.ts'
import { ApprovalBody } from '../schemas/approvals.ts'
import { namesOf } from '../schemas/common.ts'
import {
  AdjustmentRequest,
  ClawbackRequest,
  LoadRequest,
  LotMoved,
  LotsMoved,
  TransferRequest,
} from '../schemas/loads.ts'
import { commandOf, moveBody, storedMove, type ValueMove } from '../value-moves.ts'

const tag = 'Loads'

interface Told extends NamedHolder {
  readonly reason?: string
  readonly reference?: string
}

/** A move of value, and the amount that four eyes look at: null, always. */
type Prepared = { readonly move: ValueMove; readonly amount: bigint | null } | { readonly refusal: Refusal }

/** What moves value outside purchases. */
export function addLoadRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const onRequest = allow('loads:write', deps)
  const { loads } = deps.admin

  /** Finds the holder, lets `prepare` say what is to be moved, and moves it or lets it wait for a second person. */
  const answer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    schema: Parameters<typeof namesOf>[0],
    prepare: (holder: number, catalog: Catalog) => Promise<Prepared> | Prepared,
  ): Promise<FastifyReply> => {
    const { apiKey } = request
    const body = request.body as Told
    const catalog = deps.catalogOf(apiKey.tenant)
    if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
    const found = await holderOf(body, apiKey, deps)
    if ('refusal' in found) return sendProblem(reply, found.refusal)
    const prepared = await prepare(found.holder, catalog)
    if ('refusal' in prepared) return sendProblem(reply, prepared.refusal)
    const { move, amount } = prepared
    const call = { request, reply, deps, inFlight }
    const names = namesOf(schema)
    const content = withoutNumber(body, deps)
    const wish = { kind: move.kind, amount, request: storedMove(move), names, content }
    if (await waitsForSecond(call, wish)) return reply
    return answerMove(call, {
      names,
      content,
      commandOf: asked => commandOf(move, asked),
      action: move.kind,
      entity: 'cardholder',
      entityId: String(move.holder),
      bodyOf: decision => moveBody(move, decision, apiKey.tenant, deps),
    })
  }
  const noteOf = (request: FastifyRequest) => {
    const { reason = null, reference = null } = request.body as Told
    return { reason, reference, actor: actorOf(request).label }
  }

  app.post(
    '/admin/v1/loads',
    {
      onRequest,
      schema: { body: LoadRequest, response: { 201: LotMoved, 202: ApprovalBody } },
      config: moveDocs({
        operationId: 'load',
        tag,
        summary: 'Load value for a holder',
        description: 'On a new lot, with its own funder and expiry, as far as the contract of the funder allows.',
        reasons: reasonsOf('load'),
      }),
    },
    async (request, reply) =>
      answer(request, reply, LoadRequest, (holder, catalog) => {
        const { body, apiKey } = request
        const named = programOf(body.program, catalog)
        if ('refusal' in named) return named
        const paid = funderOf(body.funder, named.program, apiKey, catalog)
        if ('refusal' in paid) return paid
        const expiresAt = typeof body.expiresAt === 'string' ? parseRfc3339(body.expiresAt) : (body.expiresAt ?? null)
        if (typeof body.expiresAt === 'string' && expiresAt === null) {
          return fieldRefusal('/expiresAt', 'must be an RFC 3339 time such as 2026-12-31T20:30:00Z')
        }
        const amount = BigInt(body.amount)
        return {
          amount,
          move: {
            kind: 'load',
            holder,
            program: named.program.id,
            funder: paid.funder.id,
            amount,
            expiresAt: body.expiresAt === undefined ? 'terms' : expiresAt,
            note: noteOf(request),
          },
        }
      }),
  )

  app.post(
    '/admin/v1/clawbacks',
    {
      onRequest,
      schema: { body: ClawbackRequest, response: { 201: LotsMoved, 202: ApprovalBody } },
      config: moveDocs({
        operationId: 'clawBack',
        tag,
        summary: 'Take unspent value back',
        description: 'From the lots that expire last, to those who funded it. Never what is held or spent.',
        reasons: reasonsOf('clawback'),
      }),
    },
    async (request, reply) =>
      answer(request, reply, ClawbackRequest, async (holder, catalog) => {
        const { body, apiKey } = request
        const named = programOf(body.program, catalog)
        if ('refusal' in named) return named
        const ofAnyone = body.funder === undefined && apiKey.organisation === null
        const own = catalog.fundersById.get(apiKey.organisation ?? 0)?.code
        const paid = ofAnyone ? null : funderOf(body.funder ?? own, null, apiKey, catalog)
        if (paid !== null && 'refusal' in paid) return paid
        const program = named.program.id
        const funder = paid?.funder.id ?? null
        const amount = body.amount === undefined ? null : BigInt(body.amount)
        return {
          amount: amount ?? (await loads.unspent(apiKey.tenant, { holder, program, funder })),
          move: { kind: 'clawback', holder, program, funder, amount, note: noteOf(request) },
        }
      }),
  )

  app.post(
    '/admin/v1/adjustments',
    {
      onRequest,
      schema: { body: AdjustmentRequest, response: { 201: LotMoved, 202: ApprovalBody } },
      config: moveDocs({
        operationId: 'adjust',
        tag,
        summary: 'Put a lot right',
        description: 'From or to the account of its funder. The reason is kept with it.',
        reasons: reasonsOf('adjust'),
      }),
    },
    async (request, reply) =>
      answer(request, reply, AdjustmentRequest, async holder => {
        const { body, apiKey } = request
        const lot = parseId(body.lot) ?? 0
        const funder = await loads.funderOfLot(apiKey.tenant, holder, lot)
        if (funder === null || !sees(apiKey, funder)) {
          return { refusal: { reason: 'not_found', errors: [{ field: '/lot', message: 'is no lot of the holder' }] } }
        }
        const amount = BigInt(body.amount)
        const size = amount < 0n ? -amount : amount
        return { amount: size, move: { kind: 'adjust', holder, lot, amount, note: noteOf(request) } }
      }),
  )

  app.post(
    '/admin/v1/transfers',
    {
      onRequest,
      schema: { body: TransferRequest, response: { 201: LotsMoved, 202: ApprovalBody } },
      config: moveDocs({
        operationId: 'transfer',
        tag,
        summary: 'Move unspent value to another holder or program',
        description: 'Within a program, or where its terms allow it. Each part keeps its funder and the sooner expiry.',
        reasons: reasonsOf('transfer'),
      }),
    },
    async (request, reply) =>
      answer(request, reply, TransferRequest, async (holder, catalog) => {
        const { body, apiKey } = request
        // What an organisation has loaded cannot be told from what others have, once it moves.
        if (apiKey.organisation !== null) return { refusal: { reason: 'forbidden' } }
        const from = programOf(body.program, catalog)
        if ('refusal' in from) return from
        const to = programOf(body.toProgram ?? body.program, catalog, '/toProgram')
        if ('refusal' in to) return to
        const found =
          body.toCardholder === undefined ? { holder } : await holderOf({ cardholder: body.toCardholder }, apiKey, deps)
        if ('refusal' in found) {
          return { refusal: { reason: 'not_found', errors: [{ field: '/toCardholder', message: 'names no holder' }] } }
        }
        const program = from.program.id
        const amount = body.amount === undefined ? null : BigInt(body.amount)
        return {
          amount: amount ?? (await loads.unspent(apiKey.tenant, { holder, program, funder: null })),
          move: {
            kind: 'transfer',
            holder,
            program,
            toHolder: found.holder,
            toProgram: to.program.id,
            amount,
            note: noteOf(request),
          },
        }
      }),
  )
}
