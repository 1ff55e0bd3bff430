import type { FastifyRequest } from 'fastify'
import { approvalKinds, approvalStatuses } from '../../../core/approvals.ts'
import type { ApiKey } from '../../api-keys.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import { type InFlight, readKey } from '../../idempotency.ts'
import { sendProblem } from '../../problem.ts'
import { executors } from '../approval-executors.ts'
import { approvalBody, orderOf } from '../approvals.ts'
import { actorOf, allow, allowList, type Call, sendJson } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { actionDocs, listDocs, readDocs } from '../docs.ts'
import { answerList, oneOf, parseId } from '../lists.ts'
import { ApprovalBody, ApprovalList, VerdictBody } from '../schemas/approvals.ts'
import { IdParams } from '../schemas/common.ts'

const tag = 'Approvals'
const filters = {
  status: oneOf('Only these.', approvalStatuses),
  kind: oneOf('Only what was asked for.', approvalKinds),
}

/** What waits for a second person: another API key than the one that has asked. */
export function addApprovalRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const { approvals } = deps.admin

  app.get(
    '/admin/v1/approvals',
    {
      onRequest: allowList('approvals', deps),
      schema: { response: { 200: ApprovalList } },
      config: listDocs(
        {
          operationId: 'listApprovals',
          tag,
          summary: 'List approvals',
          description: 'The newest first. The key of an organisation sees what it has asked for itself.',
        },
        filters,
      ),
    },
    async (request, reply) =>
      answerList(request, reply, {
        filters,
        cursor: 'id',
        read: (filter, page) =>
          approvals.approvals(request.apiKey.tenant, { ...filter, madeBy: onlyOwn(request.apiKey) }, page),
        render: approval => approvalBody(approval, deps.catalogOf(request.apiKey.tenant)),
        columns: columnsOf(ApprovalBody),
        name: 'approvals',
      }),
  )

  app.get(
    '/admin/v1/approvals/:id',
    {
      onRequest: allow('approvals', deps),
      schema: { params: IdParams, response: { 200: ApprovalBody } },
      config: readDocs({
        operationId: 'getApproval',
        tag,
        summary: 'Read an approval',
        description: 'What is to be done, who has asked for it, and what came of it.',
      }),
    },
    async ({ apiKey, params }, reply) => {
      const id = parseId(params.id)
      const found = id === null ? null : await approvals.approval(apiKey.tenant, id, onlyOwn(apiKey))
      return found === null
        ? sendProblem(reply, { reason: 'not_found' })
        : sendJson(reply, 200, approvalBody(found, deps.catalogOf(apiKey.tenant)))
    },
  )

  const decide = async (call: Call, verdict: 'approved' | 'rejected') => {
    const { reply } = call
    const request = call.request as FastifyRequest<{ Params: { id: string }; Body: { note?: string } }>
    const read = readKey(request)
    if ('refusal' in read) return sendProblem(reply, read.refusal)
    const id = parseId(request.params.id)
    const actor = actorOf(request)
    const found = id === null ? null : await approvals.approval(actor.tenant, id, onlyOwn(request.apiKey))
    if (found === null) return sendProblem(reply, { reason: 'not_found' })
    const decided = await approvals.decide(actor, { id: found.id, verdict, note: request.body.note ?? null })
    if (decided.kind === 'refused') return sendProblem(reply, decided)
    if (decided.kind !== 'changed') return sendProblem(reply, { reason: 'not_found' })
    const { item } = decided
    if (verdict === 'approved' && item.answer === null) {
      const carried = await executors[item.kind](orderOf(item, actor), call)
      if ('again' in carried) return sendProblem(reply, carried.again)
      await approvals.answer(actor.tenant, item.id, carried)
    }
    const after = (await approvals.approval(actor.tenant, item.id, null)) ?? item
    return sendJson(reply, 200, approvalBody(after, deps.catalogOf(actor.tenant)))
  }

  const reasons = ['second_person_needed'] as const
  app.post(
    '/admin/v1/approvals/:id/approve',
    {
      onRequest: allow('approvals', deps),
      schema: { params: IdParams, body: VerdictBody, response: { 200: ApprovalBody } },
      config: actionDocs({
        operationId: 'approve',
        tag,
        summary: 'Approve a request, and carry it out',
        description: 'By another API key than the one that has asked. Approving again gives the same answer.',
        reasons,
      }),
    },
    async (request, reply) => decide({ request, reply, deps, inFlight }, 'approved'),
  )
  app.post(
    '/admin/v1/approvals/:id/reject',
    {
      onRequest: allow('approvals', deps),
      schema: { params: IdParams, body: VerdictBody, response: { 200: ApprovalBody } },
      config: actionDocs({
        operationId: 'reject',
        tag,
        summary: 'Reject a request',
        description: 'By another API key than the one that has asked. It will not be carried out.',
        reasons,
      }),
    },
    async (request, reply) => decide({ request, reply, deps, inFlight }, 'rejected'),
  )
}

/** An organisation's key sees only what it has asked for. */
const onlyOwn = ({ organisation, id }: ApiKey): number | null => (organisation === null ? null : id)
