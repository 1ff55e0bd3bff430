import { statuses, type TerminalRecord } from '../../../core/parties.ts'
import { type ApiKey, speaksFor } from '../../api-keys.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import type { InFlight } from '../../idempotency.ts'
import { sendProblem } from '../../problem.ts'
import { allow, allowList } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { changeDocs, createDocs, listDocs, readDocs } from '../docs.ts'
import { answerChange, answerCreate, sendItem } from '../items.ts'
import { answerList, oneOf, text } from '../lists.ts'
import { CodeParams, namesOf } from '../schemas/common.ts'
import { NewTerminalBody, TerminalBody, TerminalList, TerminalPatchBody } from '../schemas/parties.ts'

const tag = 'Merchants'
const filters = { merchant: text('Only those of the merchant with this code.'), status: oneOf('Only these.', statuses) }

/** Terminals of merchants. */
export function addTerminalRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const { parties } = deps.admin
  const find = async (apiKey: ApiKey, code: string): Promise<TerminalRecord | null> => {
    const found = await parties.terminal(apiKey.tenant, code)
    return found !== null && speaksFor(apiKey, found.merchant) ? found : null
  }

  app.post(
    '/admin/v1/terminals',
    {
      onRequest: allow('merchants:write', deps),
      schema: { body: NewTerminalBody, response: { 201: TerminalBody } },
      config: createDocs({
        operationId: 'createTerminal',
        tag,
        summary: 'Set up a terminal',
        description: 'A card terminal, a web shop or an app of a merchant.',
        reasons: ['code_taken'],
      }),
    },
    async (request, reply) => {
      const { apiKey, body } = request
      if (!speaksFor(apiKey, body.merchant)) {
        const errors = [{ field: '/merchant', message: 'is not a merchant here' }]
        return sendProblem(reply, { reason: 'format_invalid', errors })
      }
      return answerCreate(
        { request, reply, deps, inFlight },
        { names: namesOf(NewTerminalBody), render: bodyOf },
        creation =>
          parties.createTerminal(creation, {
            code: body.code,
            merchant: body.merchant,
            channel: body.channel ?? 'pos',
            confirmation: body.confirmation ?? 'explicit',
            partial: body.partial ?? false,
            confirmWithinSeconds: body.confirmWithin ?? null,
            operations: body.operations ?? null,
            status: body.status ?? 'active',
          }),
      )
    },
  )

  app.get(
    '/admin/v1/terminals',
    {
      onRequest: allowList('merchants:read', deps),
      schema: { response: { 200: TerminalList } },
      config: listDocs(
        {
          operationId: 'listTerminals',
          tag,
          summary: 'List terminals',
          description: 'In the order of their codes. A key sees those of the merchants that it speaks for.',
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
          return parties.terminals(tenant, { ...values, only: merchants === '*' ? null : merchants }, page)
        },
        render: bodyOf,
        columns: columnsOf(TerminalBody),
        name: 'terminals',
      }),
  )

  app.get(
    '/admin/v1/terminals/:code',
    {
      onRequest: allow('merchants:read', deps),
      schema: { params: CodeParams, response: { 200: TerminalBody } },
      config: readDocs({
        operationId: 'getTerminal',
        tag,
        summary: 'Read a terminal',
        description: 'As it is set up.',
      }),
    },
    async ({ apiKey, params }, reply) => sendItem(reply, await find(apiKey, params.code), bodyOf),
  )

  app.patch(
    '/admin/v1/terminals/:code',
    {
      onRequest: allow('merchants:write', deps),
      schema: { params: CodeParams, body: TerminalPatchBody, response: { 200: TerminalBody } },
      config: changeDocs({
        operationId: 'changeTerminal',
        tag,
        summary: 'Change a terminal',
        description: 'Only the fields that are given. It stays with its merchant.',
      }),
    },
    async (request, reply) => {
      const { apiKey, params, body } = request
      if ((await find(apiKey, params.code)) === null) return sendProblem(reply, { reason: 'not_found' })
      const { confirmWithin, ...patch } = body
      return answerChange({ request, reply, deps, inFlight }, bodyOf, change =>
        parties.changeTerminal(change, params.code, {
          ...patch,
          ...(confirmWithin !== undefined && { confirmWithinSeconds: confirmWithin }),
        }),
      )
    },
  )
}

const bodyOf = ({ confirmWithinSeconds, operations, status, version, ...rest }: TerminalRecord) => ({
  ...rest,
  confirmWithin: confirmWithinSeconds,
  operations,
  status,
  version,
})
