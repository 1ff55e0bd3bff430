import type { DepositRecord, NewOrganisation, Organisation } from '../../../core/parties.ts'
import { statuses } from '../../../core/parties.ts'
import { toJsonAmount } from '../../amounts.ts'
import { type ApiKey, sees } from '../../api-keys.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import type { InFlight } from '../../idempotency.ts'
import { sendProblem } from '../../problem.ts'
import { rfc3339 } from '../../times.ts'
import { actorOf, allow, allowList } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { changeDocs, createDocs, listDocs, readDocs, reasonsOf } from '../docs.ts'
import { answerChange, answerCreate, sendItem } from '../items.ts'
import { answerList, oneOf, time } from '../lists.ts'
import { answerMove } from '../moves.ts'
import { CodeParams, namesOf } from '../schemas/common.ts'
import {
  Deposit,
  DepositLine,
  DepositList,
  DepositRequest,
  NewOrganisationBody,
  OrganisationBody,
  OrganisationList,
  OrganisationPatchBody,
} from '../schemas/parties.ts'

const tag = 'Organisations'
const filters = { status: oneOf('Only these.', statuses) }
const depositFilters = { from: time('Booked at or after.'), to: time('Booked before.') }

/** Organisations with their contracts, and what they pay in. */
export function addOrganisationRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const { parties } = deps.admin
  const find = async (apiKey: ApiKey, code: string): Promise<Organisation | null> => {
    const found = await parties.organisation(apiKey.tenant, code)
    return found !== null && sees(apiKey, found.id) ? found : null
  }

  app.post(
    '/admin/v1/organisations',
    {
      onRequest: allow('organisations:write', deps),
      schema: { body: NewOrganisationBody, response: { 201: OrganisationBody } },
      config: createDocs({
        operationId: 'createOrganisation',
        tag,
        summary: 'Set up an organisation',
        description: 'Who pays for loads. Its contract says how much it may load.',
        reasons: ['code_taken'],
      }),
    },
    async (request, reply) => {
      // A key that sees one organisation makes no other.
      if (request.apiKey.organisation !== null) return sendProblem(reply, { reason: 'forbidden' })
      return answerCreate(
        { request, reply, deps, inFlight },
        { names: namesOf(NewOrganisationBody), render: bodyOf },
        creation => parties.createOrganisation(creation, newOf(request.body)),
      )
    },
  )

  app.get(
    '/admin/v1/organisations',
    {
      onRequest: allowList('organisations:read', deps),
      schema: { response: { 200: OrganisationList } },
      config: listDocs(
        {
          operationId: 'listOrganisations',
          tag,
          summary: 'List organisations',
          description: 'In the order of their codes. The key of an organisation sees that one.',
        },
        filters,
      ),
    },
    async (request, reply) =>
      answerList(request, reply, {
        filters,
        cursor: 'code',
        read: ({ status }, page) => {
          const { tenant, organisation: only } = request.apiKey
          return parties.organisations(tenant, { only, status }, page)
        },
        render: bodyOf,
        columns: columnsOf(OrganisationBody),
        name: 'organisations',
      }),
  )

  app.get(
    '/admin/v1/organisations/:code',
    {
      onRequest: allow('organisations:read', deps),
      schema: { params: CodeParams, response: { 200: OrganisationBody } },
      config: readDocs({
        operationId: 'getOrganisation',
        tag,
        summary: 'Read an organisation',
        description: 'Its contract, and its balance: what it has paid in less what it has loaded.',
      }),
    },
    async ({ apiKey, params }, reply) => sendItem(reply, await find(apiKey, params.code), bodyOf),
  )

  app.patch(
    '/admin/v1/organisations/:code',
    {
      onRequest: allow('organisations:write', deps),
      schema: { params: CodeParams, body: OrganisationPatchBody, response: { 200: OrganisationBody } },
      config: changeDocs({
        operationId: 'changeOrganisation',
        tag,
        summary: 'Change an organisation',
        description: 'Only the fields that are given.',
      }),
    },
    async (request, reply) => {
      const { apiKey, params, body } = request
      if ((await find(apiKey, params.code)) === null) return sendProblem(reply, { reason: 'not_found' })
      const { creditLimit, ...patch } = body
      return answerChange({ request, reply, deps, inFlight }, bodyOf, change =>
        parties.changeOrganisation(change, params.code, {
          ...patch,
          ...(creditLimit !== undefined && { creditLimit: BigInt(creditLimit) }),
        }),
      )
    },
  )

  app.post(
    '/admin/v1/organisations/:code/deposits',
    {
      onRequest: allow('deposits:write', deps),
      schema: { params: CodeParams, body: DepositRequest, response: { 201: Deposit } },
      config: createDocs({
        operationId: 'recordDeposit',
        tag,
        summary: 'Record what an organisation has paid in',
        description: 'Or, with an amount below zero, what was paid back to it: never more than it has left.',
        reasons: ['not_found', ...reasonsOf('deposit')],
      }),
    },
    async (request, reply) => {
      const { apiKey, params, body } = request
      const organisation = await find(apiKey, params.code)
      if (organisation === null) return sendProblem(reply, { reason: 'not_found' })
      // Made on another switch a moment ago.
      if (deps.catalogOf(apiKey.tenant)?.fundersById.has(organisation.id) !== true) await deps.admin.refresh()
      const { amount, reason = null, reference = null } = body
      const note = { reason, reference, actor: actorOf(request).label }
      return answerMove(
        { request, reply, deps, inFlight },
        {
          names: namesOf(DepositRequest),
          commandOf: asked => ({
            kind: 'deposit',
            ...asked,
            organisation: organisation.id,
            amount: BigInt(amount),
            note,
          }),
          action: 'deposit',
          entity: 'organisation',
          entityId: organisation.code,
          bodyOf: decision => depositOf(decision, organisation.code, { amount, reason, reference }),
        },
      )
    },
  )

  app.get(
    '/admin/v1/organisations/:code/deposits',
    {
      onRequest: allowList('organisations:read', deps),
      schema: { params: CodeParams, response: { 200: DepositList } },
      config: listDocs(
        {
          operationId: 'listDeposits',
          tag,
          summary: 'List what an organisation has paid in',
          description: 'And what was paid back to it, the newest first, with who recorded it.',
          reasons: ['not_found'],
        },
        depositFilters,
      ),
    },
    async (request, reply) => {
      const { apiKey, params } = request
      const organisation = await find(apiKey, params.code)
      if (organisation === null) return sendProblem(reply, { reason: 'not_found' })
      return answerList(request, reply, {
        filters: depositFilters,
        cursor: 'decision',
        read: (span, page) => parties.deposits(apiKey.tenant, { organisation: organisation.id, ...span }, page),
        render: deposit => lineOf(deposit, organisation.code),
        columns: columnsOf(DepositLine),
        name: `deposits-${organisation.code}`,
      })
    },
  )
}

const bodyOf = ({ id: _, creditLimit, balance, version, ...rest }: Organisation) => ({
  ...rest,
  creditLimit: toJsonAmount(creditLimit),
  balance: toJsonAmount(balance),
  version,
})

const newOf = (body: NewOrganisationBody): NewOrganisation => ({
  code: body.code,
  name: body.name,
  contract: body.contract ?? 'unlimited',
  creditLimit: BigInt(body.creditLimit ?? 0),
  contractNumber: body.contractNumber ?? null,
  contractFrom: body.contractFrom ?? null,
  contractUntil: body.contractUntil ?? null,
  status: body.status ?? 'active',
})

/** A decision is found again by its batch and its place there. */
const depositOf = (
  { batch, index, at }: Pick<DepositRecord, 'batch' | 'index' | 'at'>,
  organisation: string,
  given: Pick<DepositLine, 'amount' | 'reason' | 'reference'>,
) => ({ id: `${batch}-${index}`, organisation, ...given, at: rfc3339(at) })

const lineOf = (deposit: DepositRecord, organisation: string): DepositLine => {
  const { reason, reference, actor } = deposit.note
  const amount = toJsonAmount(deposit.amount)
  // The switch alone has no label, and it records no deposits.
  return { ...depositOf(deposit, organisation, { amount, reason, reference }), actor: actor ?? '' }
}
