import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Account, accountsOf } from '../../../core/accounts.ts'
import type { Catalog, Program } from '../../../core/catalog.ts'
import type { Micros } from '../../../core/ids.ts'
import { availableOf, isExpired, type Lot } from '../../../core/ledger.ts'
import { type LocalTime, localTimeOf } from '../../../core/local-time.ts'
import { entryTypes } from '../../../core/statement.ts'
import { toJsonAmount } from '../../amounts.ts'
import type { ApiKey } from '../../api-keys.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import { sendProblem } from '../../problem.ts'
import { rfc3339 } from '../../times.ts'
import { actorOf, allow, allowList, sendJson } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { actionDocs, listDocs, readDocs } from '../docs.ts'
import { limitUseBody } from '../limit-uses.ts'
import { answerList, oneOf, parseId, time } from '../lists.ts'
import {
  AccountBody,
  AccountList,
  AccountParams,
  EntryBody,
  FreezeBody,
  ReleaseBody,
  Statement,
} from '../schemas/accounts.ts'
import { IdParams } from '../schemas/common.ts'
import { entriesOf, entryBody } from '../statement-pages.ts'

const tag = 'Cardholders'
const statementFilters = {
  from: time('From here.'),
  to: time('Before this.'),
  type: oneOf('Only these.', entryTypes),
}

/** What holders have: an account is a holder's credit in one program. */
export function addAccountRoutes(app: HttpApp, deps: HttpDeps): void {
  const { cards, accounts } = deps.admin

  /** Null: there is none, or none that this key may see. */
  const holderOf = async ({ tenant, organisation }: ApiKey, text: string): Promise<number | null> => {
    const id = parseId(text)
    return id === null ? null : ((await cards.cardholder(tenant, id, organisation))?.id ?? null)
  }

  const accountsOfHolder = async (apiKey: ApiKey, holder: number, catalog: Catalog) => {
    const found = await deps.reads.holder(apiKey.tenant, holder)
    if (found === null) return null
    const local = localTimeOf(found.at, catalog.tenant)
    return { at: found.at, local, accounts: accountsOf(ofFunder(found, apiKey.organisation), local, catalog) }
  }

  app.get(
    '/admin/v1/cardholders/:id/accounts',
    {
      onRequest: allow('accounts:read', deps),
      schema: { params: IdParams, response: { 200: AccountList } },
      config: readDocs({
        operationId: 'listAccounts',
        tag,
        summary: 'Read the accounts of a cardholder',
        description:
          'One for each program, with its loads and what its limits have counted. The key of an organisation sees ' +
          'what the organisation has loaded.',
      }),
    },
    async ({ apiKey, params }, reply) => {
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const holder = await holderOf(apiKey, params.id)
      const found = holder === null ? null : await accountsOfHolder(apiKey, holder, catalog)
      if (found === null) return sendProblem(reply, { reason: 'not_found' })
      const items = found.accounts.map(account => accountBody(account, found.local, catalog))
      return sendJson(reply, 200, { items, at: rfc3339(found.at) })
    },
  )

  const setFrozen = async (
    request: FastifyRequest & { params: { id: string; program: string } },
    reply: FastifyReply,
    isFrozen: boolean,
    reason: string | null,
  ): Promise<FastifyReply> => {
    const { apiKey, params } = request
    const catalog = deps.catalogOf(apiKey.tenant)
    if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
    const holder = await holderOf(apiKey, params.id)
    const program = programOf(params.program, catalog)
    if (holder === null || program === undefined) return sendProblem(reply, { reason: 'not_found' })
    const account = { holder, program: program.id, code: program.code }
    const changed = await accounts.freeze(actorOf(request), account, isFrozen, reason)
    if (changed.kind === 'not_found') return sendProblem(reply, { reason: 'not_found' })
    const found = await accountsOfHolder(apiKey, holder, catalog)
    const now = found?.accounts.find(one => one.program.id === program.id)
    if (found === null || now === undefined) return sendProblem(reply, { reason: 'not_found' })
    return sendJson(reply, 200, accountBody(now, found.local, catalog))
  }

  app.post(
    '/admin/v1/cardholders/:id/accounts/:program/freeze',
    {
      onRequest: allow('accounts:write', deps),
      schema: { params: AccountParams, body: FreezeBody, response: { 200: AccountBody } },
      config: actionDocs({
        operationId: 'freezeAccount',
        tag,
        summary: 'Freeze an account',
        description:
          'Nothing of it may be spent, nor what is loaded on it later. What is held may still be confirmed: an ' +
          'approval is a guarantee.',
      }),
    },
    async (request, reply) => setFrozen(request, reply, true, request.body.reason),
  )
  app.post(
    '/admin/v1/cardholders/:id/accounts/:program/release',
    {
      onRequest: allow('accounts:write', deps),
      schema: { params: AccountParams, body: ReleaseBody, response: { 200: AccountBody } },
      config: actionDocs({
        operationId: 'releaseAccount',
        tag,
        summary: 'Release a frozen account',
        description: 'It may be spent again.',
      }),
    },
    async (request, reply) => setFrozen(request, reply, false, request.body.reason ?? null),
  )

  app.get(
    '/admin/v1/cardholders/:id/accounts/:program/statement',
    {
      onRequest: allowList('accounts:read', deps),
      schema: { params: AccountParams, response: { 200: Statement } },
      config: listDocs(
        {
          operationId: 'getStatement',
          tag,
          summary: 'Read the statement of an account',
          description:
            'What was posted on it, the newest first, each with the balance after it. What is only held is not posted.',
          reasons: ['not_found'],
        },
        statementFilters,
      ),
    },
    async (request, reply) => {
      const { apiKey, params } = request
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const holder = await holderOf(apiKey, params.id)
      const program = programOf(params.program, catalog)
      if (holder === null || program === undefined) return sendProblem(reply, { reason: 'not_found' })
      const account = { tenant: apiKey.tenant, holder, program: program.id, funder: apiKey.organisation }
      const first = await accounts.statement(account, deps.now())
      if (first.kind === 'not_found') return sendProblem(reply, { reason: 'not_found' })
      return answerList(request, reply, {
        filters: statementFilters,
        cursor: 'code',
        read: async (values, page) => {
          const statement = await accounts.statement(account, values.from)
          return entriesOf(statement.kind === 'statement' ? statement.entries : [], values, page)
        },
        render: entry => entryBody(entry, catalog),
        columns: columnsOf(EntryBody),
        name: `statement-${holder}-${program.code}`,
      })
    },
  )
}

const programOf = (code: string, { programsById }: Catalog): Program | undefined =>
  [...programsById.values()].find(program => program.code === code)

/** Of a snapshot, the loads that an organisation may see. */
const ofFunder = <Found extends { readonly lots: readonly Lot[] }>(found: Found, funder: number | null): Found =>
  funder === null ? found : { ...found, lots: found.lots.filter(lot => lot.funder === funder) }

function accountBody({ program, balance, isFrozen, lots, limits }: Account, local: LocalTime, catalog: Catalog) {
  const available = lots
    .filter(lot => !lot.isFrozen && !isExpired(lot, local.at))
    .reduce((sum, lot) => sum + availableOf(lot), 0n)
  return {
    program: program.code,
    balance: toJsonAmount(balance.balance),
    held: toJsonAmount(balance.held),
    available: toJsonAmount(available),
    spendable: toJsonAmount(balance.spendable),
    isFrozen,
    lots: lots.map(lot => lotBody(lot, local.at, catalog)),
    limits: limits.map(use => limitUseBody(use, catalog)),
  }
}

const lotBody = (lot: Lot, at: Micros, { fundersById }: Catalog) => ({
  id: String(lot.id),
  funder: fundersById.get(lot.funder)?.code ?? String(lot.funder),
  balance: toJsonAmount(lot.creditsPosted - lot.debitsPosted),
  held: toJsonAmount(lot.debitsPending),
  available: toJsonAmount(availableOf(lot)),
  expiresAt: lot.expiresAt === null ? null : rfc3339(lot.expiresAt),
  isExpired: isExpired(lot, at),
  isFrozen: lot.isFrozen,
})
