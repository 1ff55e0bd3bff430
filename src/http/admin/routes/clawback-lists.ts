import { approvalKey } from '../../../core/keys.ts'
import type { LoadList, NewClawbackList } from '../../../core/load-lists.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import type { InFlight } from '../../idempotency.ts'
import { sendProblem } from '../../problem.ts'
import { carriedRefusal, type Executor, waitsForSecond } from '../approvals.ts'
import { allow } from '../call.ts'
import { moveDocs } from '../docs.ts'
import { fieldRefusal, firstHidden, funderOf, programOf } from '../holders.ts'
import { answerCreate } from '../items.ts'
import { parseId } from '../lists.ts'
import { ApprovalBody } from '../schemas/approvals.ts'
import { namesOf } from '../schemas/common.ts'
import { LoadFileBody } from '../schemas/load-files.ts'
import { ClawbackListRequest } from '../schemas/loads.ts'
import { loadFileBody } from './load-files.ts'

/** Taking back from many at once: employees who leave. */
export function addClawbackListRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  app.post(
    '/admin/v1/clawback-lists',
    {
      onRequest: allow('loads:write', deps),
      bodyLimit: 1024 * 1024,
      schema: { body: ClawbackListRequest, response: { 201: LoadFileBody, 202: ApprovalBody } },
      config: moveDocs({
        operationId: 'clawBackFromMany',
        tag: 'Loads',
        summary: 'Take everything unspent back from many holders',
        description:
          'It runs at once, as a load file whose lines tell what was taken from each. Where four eyes are asked for ' +
          'it waits, whatever it may come to.',
      }),
    },
    async (request, reply) => {
      const { apiKey, body } = request
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const named = programOf(body.program, catalog)
      if ('refusal' in named) return sendProblem(reply, named.refusal)
      const own = catalog.fundersById.get(apiKey.organisation ?? 0)?.code
      const code = body.funder ?? own
      const paid = code === undefined ? null : funderOf(code, null, apiKey, catalog)
      if (paid !== null && 'refusal' in paid) return sendProblem(reply, paid.refusal)
      const list: NewClawbackList = {
        program: named.program.id,
        funder: paid?.funder.id ?? null,
        holders: body.cardholders.map(id => parseId(id) ?? 0),
        reason: body.reason ?? null,
        reference: body.reference ?? null,
      }
      const hidden = await firstHidden(list.holders, apiKey, deps, null)
      if (hidden >= 0) {
        return sendProblem(reply, fieldRefusal(`/cardholders/${hidden}`, 'is no holder that is known').refusal)
      }
      const call = { request, reply, deps, inFlight }
      const names = namesOf(ClawbackListRequest)
      if (await waitsForSecond(call, { kind: 'clawback-list', amount: null, request: list, names })) return reply
      return answerCreate(call, { names, render: (made: LoadList) => loadFileBody(made, catalog) }, creation =>
        deps.admin.loads.createClawbackList(creation, list),
      )
    },
  )
}

/** Takes back what a second person has approved. */
export const clawBackApproved: Executor = async ({ id, asker, content, request }, { deps }) => {
  const bodyOf = (list: LoadList): string => JSON.stringify(loadFileBody(list, deps.catalogOf(asker.tenant)))
  // The key of the request has the approval as its answer.
  const creation = { actor: asker, key: approvalKey(id), content, bodyOf, approval: id }
  const created = await deps.admin.loads.createClawbackList(creation, request as NewClawbackList)
  if (created.kind === 'refused') return carriedRefusal(created)
  if (created.kind === 'other_content') throw new Error('an approval was carried out with other content')
  return { status: created.status, body: JSON.parse(created.body) }
}
