import { programKinds } from '../../../core/catalog.ts'
import { type ProgramRecord, programStatuses } from '../../../core/programs.ts'
import { type ApiKey, sees } from '../../api-keys.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import type { InFlight } from '../../idempotency.ts'
import { sendProblem } from '../../problem.ts'
import { waitsForSecond } from '../approvals.ts'
import { allow, allowList } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { changeDocs, createDocs, listDocs, moveDocs, readDocs } from '../docs.ts'
import { answerChange, answerCreate, sendItem } from '../items.ts'
import { answerList, oneOf } from '../lists.ts'
import { termsBody, termsBytesMax, termsOf } from '../program-terms.ts'
import { ApprovalBody } from '../schemas/approvals.ts'
import { CodeParams, namesOf } from '../schemas/common.ts'
import {
  NewProgramBody,
  ProgramBody,
  ProgramList,
  ProgramPatchBody,
  TermsBody,
  TermsList,
  TermsRequest,
} from '../schemas/programs.ts'

const tag = 'Programs'
const filters = { kind: oneOf('Only these.', programKinds), status: oneOf('Only these.', programStatuses) }

/** Programs and the versions of their terms. */
export function addProgramRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const { programs } = deps.admin
  const find = async (apiKey: ApiKey, code: string): Promise<ProgramRecord | null> => {
    const found = await programs.program(apiKey.tenant, code)
    return found !== null && (found.funderId === null || sees(apiKey, found.funderId)) ? found : null
  }

  /** Whether it may set up what this organisation (its code) funds: a key that sees one organisation, only that. */
  const mayFund = ({ tenant, organisation }: ApiKey, funder: string | null): boolean =>
    organisation === null || deps.catalogOf(tenant)?.fundersById.get(organisation)?.code === funder

  app.post(
    '/admin/v1/programs',
    {
      bodyLimit: termsBytesMax,
      onRequest: allow('programs:write', deps),
      schema: { body: NewProgramBody, response: { 201: ProgramBody } },
      config: createDocs({
        operationId: 'createProgram',
        tag,
        summary: 'Set up a program',
        description: 'A kind of credit. Its terms say where, when and how much of it may be spent.',
        reasons: ['code_taken'],
      }),
    },
    async (request, reply) => {
      const { body } = request
      const terms = body.terms === undefined ? null : termsOf({ startsAt: null, terms: body.terms })
      if (terms !== null && 'errors' in terms) return sendProblem(reply, { reason: 'format_invalid', ...terms })
      if (!mayFund(request.apiKey, body.funder ?? null)) return sendProblem(reply, { reason: 'forbidden' })
      const { code, name, kind, funder = null, bin = null, asset = null, status = 'active' } = body
      return answerCreate(
        { request, reply, deps, inFlight },
        { names: namesOf(NewProgramBody), render: bodyOf },
        creation => programs.createProgram(creation, { code, name, kind, funder, bin, asset, status }, terms),
      )
    },
  )

  app.get(
    '/admin/v1/programs',
    {
      onRequest: allowList('programs:read', deps),
      schema: { response: { 200: ProgramList } },
      config: listDocs(
        {
          operationId: 'listPrograms',
          tag,
          summary: 'List programs',
          description:
            'In the order of their codes. The key of an organisation sees no program that another one funds.',
        },
        filters,
      ),
    },
    async (request, reply) =>
      answerList(request, reply, {
        filters,
        cursor: 'code',
        read: (values, page) => {
          const { tenant, organisation: only } = request.apiKey
          return programs.programs(tenant, { ...values, only }, page)
        },
        render: bodyOf,
        columns: columnsOf(ProgramBody),
        name: 'programs',
      }),
  )

  app.get(
    '/admin/v1/programs/:code',
    {
      onRequest: allow('programs:read', deps),
      schema: { params: CodeParams, response: { 200: ProgramBody } },
      config: readDocs({
        operationId: 'getProgram',
        tag,
        summary: 'Read a program',
        description: 'As it is set up; its terms are read apart.',
      }),
    },
    async ({ apiKey, params }, reply) => sendItem(reply, await find(apiKey, params.code), bodyOf),
  )

  app.patch(
    '/admin/v1/programs/:code',
    {
      onRequest: allow('programs:write', deps),
      schema: { params: CodeParams, body: ProgramPatchBody, response: { 200: ProgramBody } },
      config: changeDocs({
        operationId: 'changeProgram',
        tag,
        summary: 'Change a program',
        description: 'Only the fields that are given. What it is and what it is counted in never change.',
      }),
    },
    async (request, reply) => {
      const { apiKey, params, body } = request
      const program = await find(apiKey, params.code)
      if (program === null) return sendProblem(reply, { reason: 'not_found' })
      const funder = body.funder === undefined ? program.funder : body.funder
      if (!mayFund(apiKey, program.funder) || !mayFund(apiKey, funder)) {
        return sendProblem(reply, { reason: 'forbidden' })
      }
      return answerChange({ request, reply, deps, inFlight }, bodyOf, change =>
        programs.changeProgram(change, params.code, body),
      )
    },
  )

  app.get(
    '/admin/v1/programs/:code/terms',
    {
      onRequest: allowList('programs:read', deps),
      schema: { params: CodeParams, response: { 200: TermsList } },
      config: listDocs({
        operationId: 'listTerms',
        tag,
        summary: 'Read the terms of a program',
        description: 'All versions, the latest first. Of those that have started, the one made last holds.',
        reasons: ['not_found'],
      }),
    },
    async (request, reply) => {
      const program = await find(request.apiKey, request.params.code)
      if (program === null) return sendProblem(reply, { reason: 'not_found' })
      return answerList(request, reply, {
        filters: {},
        cursor: 'id',
        read: (_values, page) => programs.terms(request.apiKey.tenant, program.code, page),
        render: termsBody,
        columns: columnsOf(TermsBody),
        name: `terms-${program.code.replace(/[^\w.-]/g, '_')}`,
      })
    },
  )

  app.post(
    '/admin/v1/programs/:code/terms',
    {
      bodyLimit: termsBytesMax,
      onRequest: allow('programs:write', deps),
      schema: { params: CodeParams, body: TermsRequest, response: { 201: TermsBody, 202: ApprovalBody } },
      config: moveDocs({
        operationId: 'changeTerms',
        tag,
        summary: 'Change the terms of a program',
        description: 'Adds a version. What was decided under the terms before stays as it was decided.',
      }),
    },
    async (request, reply) => {
      const { apiKey, params, body } = request
      const program = await find(apiKey, params.code)
      if (program === null) return sendProblem(reply, { reason: 'not_found' })
      if (!mayFund(apiKey, program.funder)) return sendProblem(reply, { reason: 'forbidden' })
      const wish = { startsAt: body.startsAt ?? null, terms: body.terms }
      const terms = termsOf(wish)
      if ('errors' in terms) return sendProblem(reply, { reason: 'format_invalid', ...terms })
      const call = { request, reply, deps, inFlight }
      const names = namesOf(TermsRequest)
      const { code } = program
      const asked = { kind: 'terms', amount: null, request: { program: code, ...wish }, names } as const
      if (await waitsForSecond(call, asked)) return reply
      return answerCreate(call, { names, render: termsBody }, creation =>
        programs.changeTerms(creation, code, terms, 'refuse'),
      )
    },
  )
}

const bodyOf = ({ id: _, funderId: __, version, ...rest }: ProgramRecord) => ({ ...rest, version })
