import type { FastifyRequest } from 'fastify'
import { dateOfDay, dayOfDate } from '../../../core/calendar.ts'
import type { Day } from '../../../core/ids.ts'
import { isForTwo } from '../../../core/tenants.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import type { InFlight } from '../../idempotency.ts'
import { sendProblem } from '../../problem.ts'
import type { Scope } from '../../scopes.ts'
import { waitsForSecond } from '../approvals.ts'
import { actorOf, allow, allowList, type Call, sendJson } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { changeDocs, listDocs, mayWait, putDocs, readDocs, removeDocs } from '../docs.ts'
import { answerChange, readIfMatch, sendItem } from '../items.ts'
import { answerList, type Filter } from '../lists.ts'
import { ApprovalBody } from '../schemas/approvals.ts'
import { Gone, namesOf } from '../schemas/common.ts'
import {
  HolidayBody,
  HolidayList,
  HolidayParams,
  HolidayRequest,
  TenantBody,
  TenantPatchBody,
} from '../schemas/setup.ts'
import { type HolidayWish, holidayBody, holidayLine, tenantBody, tenantPatch } from '../tenant-changes.ts'

const tag = 'Tenant'
/** Every role has one of these: each lives by the tenant's calendar. */
const anyReader: readonly Scope[] = ['organisations:read', 'merchants:read', 'programs:read']
const date = (about: string): Filter<number> => ({ about, must: 'must be a date such as 2026-11-21', parse: dayOfDate })
const filters = { from: date('From this day on.'), to: date('Before this day.') }

/** The tenant itself, and its holidays. */
export function addTenantRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const { setup } = deps.admin

  app.get(
    '/admin/v1/tenant',
    {
      onRequest: allow(anyReader, deps),
      schema: { response: { 200: TenantBody } },
      config: readDocs({
        operationId: 'getTenant',
        tag,
        summary: 'Read the tenant',
        description: 'The business that the API key is of.',
      }),
    },
    async ({ apiKey }, reply) => sendItem(reply, await setup.tenant(apiKey.tenant), tenantBody),
  )

  app.patch(
    '/admin/v1/tenant',
    {
      onRequest: allow('admin', deps),
      schema: { body: TenantPatchBody, response: { 200: TenantBody, 202: ApprovalBody } },
      config: mayWait(
        changeDocs({
          operationId: 'changeTenant',
          tag,
          summary: 'Change the tenant',
          description:
            'Only the fields that are given. While four eyes are asked for, a higher threshold or none, another time ' +
            'zone and another calendar wait for a second person.',
        }),
      ),
    },
    async (request, reply) => {
      const patch = tenantPatch(request.body)
      if (patch.timeZone !== undefined && !isTimeZone(patch.timeZone)) {
        const errors = [{ field: '/timeZone', message: 'must be the name of a time zone such as Asia/Tehran' }]
        return sendProblem(reply, { reason: 'format_invalid', errors })
      }
      const call = { request, reply, deps, inFlight }
      const seen = readIfMatch(request)
      const before = await setup.tenant(request.apiKey.tenant)
      const isOfNow = 'version' in seen && seen.version === before?.version
      const isWaiting = isOfNow && before !== null && isForTwo(before, patch)
      const wish = { kind: 'tenant', request: request.body, names: namesOf(TenantPatchBody) } as const
      // With a key it may be the repeat of one that waits.
      if (isWaiting || hasKey(request)) {
        if (await waitsForSecond(call, { ...wish, amount: isWaiting ? null : 0n })) return reply
      }
      return answerChange(call, tenantBody, change => setup.changeTenant(change, patch, null))
    },
  )

  app.get(
    '/admin/v1/holidays',
    {
      onRequest: allowList(anyReader, deps),
      schema: { response: { 200: HolidayList } },
      config: listDocs(
        {
          operationId: 'listHolidays',
          tag,
          summary: 'List holidays',
          description: 'In the order of the calendar. Terms of programs may be for holidays only, or never for them.',
        },
        filters,
      ),
    },
    async (request, reply) =>
      answerList(request, reply, {
        filters,
        cursor: 'id',
        read: (values, page) => setup.holidays(request.apiKey.tenant, values, page),
        render: holidayBody,
        columns: columnsOf(HolidayBody),
        name: 'holidays',
      }),
  )

  app.put(
    '/admin/v1/holidays/:date',
    {
      onRequest: allow('programs:write', deps),
      schema: {
        params: HolidayParams,
        body: HolidayRequest,
        response: { 200: HolidayBody, 201: HolidayBody, 202: ApprovalBody },
      },
      config: mayWait(
        putDocs({
          operationId: 'putHoliday',
          tag,
          summary: 'Make a day a holiday',
          description:
            'Or give it another name. Doing it again changes nothing. Waits for a second person while four eyes are ' +
            'asked for. No key of one organisation may do it.',
        }),
      ),
    },
    async (request, reply) => {
      if (request.apiKey.organisation !== null) return sendProblem(reply, ofTheTenant)
      const day = dayOfDate(request.params.date)
      if (day === null) return sendProblem(reply, noDay)
      const { name } = request.body
      if (await holidayWaits({ request, reply, deps, inFlight }, day, name)) return reply
      const set = await setup.setHoliday(actorOf(request), { day, name }, holidayLine(day), null)
      if (set.kind === 'refused') return sendProblem(reply, set)
      await deps.admin.refresh()
      return sendJson(reply, set.kind === 'created' ? 201 : 200, holidayBody({ day, name }))
    },
  )

  app.delete(
    '/admin/v1/holidays/:date',
    {
      onRequest: allow('programs:write', deps),
      schema: { params: HolidayParams, response: { 202: ApprovalBody, 204: Gone } },
      config: mayWait(
        removeDocs({
          operationId: 'deleteHoliday',
          tag,
          summary: 'Make a day an ordinary one',
          description:
            'What was decided while it was a holiday stays as it was decided. Waits for a second person while four ' +
            'eyes are asked for. No key of one organisation may do it.',
        }),
      ),
    },
    async (request, reply) => {
      if (request.apiKey.organisation !== null) return sendProblem(reply, ofTheTenant)
      const day = dayOfDate(request.params.date)
      if (day === null) return sendProblem(reply, noDay)
      if (await holidayWaits({ request, reply, deps, inFlight }, day, null)) return reply
      const set = await setup.setHoliday(actorOf(request), { day, name: null }, holidayLine(day), null)
      if (set.kind === 'refused') return sendProblem(reply, set)
      if (set.kind === 'not_found') return sendProblem(reply, { reason: 'not_found' })
      await deps.admin.refresh()
      return reply.code(204).send(null)
    },
  )
}

const hasKey = ({ headers }: FastifyRequest): boolean => headers['idempotency-key'] !== undefined

/** Whether a change of a holiday waits for a second person: it needs a key only where four eyes are asked for. */
async function holidayWaits(call: Call, day: Day, name: string | null): Promise<boolean> {
  const { request, deps } = call
  const tenant = await deps.admin.setup.tenant(request.apiKey.tenant)
  if (tenant?.fourEyesAbove === null && !hasKey(request)) return false
  const wish: HolidayWish = { date: dateOfDay(day), name }
  return waitsForSecond(call, { kind: 'holiday', amount: null, request: wish, names: ['name'], content: { name } })
}

const ofTheTenant = { reason: 'forbidden', detail: 'The calendar is that of the whole tenant.' } as const

const noDay = {
  reason: 'format_invalid',
  errors: [{ field: '/date', message: 'must be a date of the calendar' }],
} as const

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    // An offset such as +03:30 is taken as well, but has no rules of summer time: a name is wanted.
    return /^[A-Za-z]/.test(name)
  } catch {
    return false
  }
}
