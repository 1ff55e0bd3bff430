import { dateOfDay, dayOfDate } from '../../../core/calendar.ts'
import type { Holiday, TenantRecord } from '../../../core/tenants.ts'
import { toJsonAmount } from '../../amounts.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import type { InFlight } from '../../idempotency.ts'
import { sendProblem } from '../../problem.ts'
import type { Scope } from '../../scopes.ts'
import { actorOf, allow, allowList, sendJson } from '../call.ts'
import { changeDocs, listDocs, putDocs, readDocs, removeDocs } from '../docs.ts'
import { answerChange, sendItem } from '../items.ts'
import { answerList, type Filter } from '../lists.ts'
import { namesOf } from '../schemas/common.ts'
import {
  HolidayBody,
  HolidayList,
  HolidayParams,
  HolidayRequest,
  TenantBody,
  TenantPatchBody,
} from '../schemas/setup.ts'

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
    async ({ apiKey }, reply) => sendItem(reply, await setup.tenant(apiKey.tenant), bodyOf),
  )

  app.patch(
    '/admin/v1/tenant',
    {
      onRequest: allow('admin', deps),
      schema: { body: TenantPatchBody, response: { 200: TenantBody } },
      config: changeDocs({
        operationId: 'changeTenant',
        tag,
        summary: 'Change the tenant',
        description: 'Only the fields that are given.',
      }),
    },
    async (request, reply) => {
      const { fourEyesAbove, ...patch } = request.body
      if (patch.timeZone !== undefined && !isTimeZone(patch.timeZone)) {
        const errors = [{ field: '/timeZone', message: 'must be the name of a time zone such as Asia/Tehran' }]
        return sendProblem(reply, { reason: 'format_invalid', errors })
      }
      return answerChange({ request, reply, deps, inFlight }, bodyOf, change =>
        setup.changeTenant(change, {
          ...patch,
          ...(fourEyesAbove !== undefined && {
            fourEyesAbove: fourEyesAbove === null ? null : BigInt(fourEyesAbove),
          }),
        }),
      )
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
        columns: namesOf(HolidayBody),
        name: 'holidays',
      }),
  )

  app.put(
    '/admin/v1/holidays/:date',
    {
      onRequest: allow('programs:write', deps),
      schema: { params: HolidayParams, body: HolidayRequest, response: { 200: HolidayBody, 201: HolidayBody } },
      config: putDocs({
        operationId: 'putHoliday',
        tag,
        summary: 'Make a day a holiday',
        description: 'Or give it another name. Doing it again changes nothing.',
      }),
    },
    async (request, reply) => {
      const day = dayOfDate(request.params.date)
      if (day === null) return sendProblem(reply, noDay)
      const { name } = request.body
      const { kind } = await setup.setHoliday(actorOf(request), { day, name }, lineOf(day))
      await deps.admin.refresh()
      return sendJson(reply, kind === 'created' ? 201 : 200, holidayBody({ day, name }))
    },
  )

  app.delete(
    '/admin/v1/holidays/:date',
    {
      onRequest: allow('programs:write', deps),
      schema: { params: HolidayParams },
      config: removeDocs({
        operationId: 'deleteHoliday',
        tag,
        summary: 'Make a day an ordinary one',
        description: 'What was decided while it was a holiday stays as it was decided.',
      }),
    },
    async (request, reply) => {
      const day = dayOfDate(request.params.date)
      if (day === null) return sendProblem(reply, noDay)
      const { kind } = await setup.setHoliday(actorOf(request), { day, name: null }, lineOf(day))
      if (kind === 'not_found') return sendProblem(reply, { reason: 'not_found' })
      await deps.admin.refresh()
      return reply.code(204).send()
    },
  )
}

const noDay = {
  reason: 'format_invalid',
  errors: [{ field: '/date', message: 'must be a date of the calendar' }],
} as const

const lineOf = (day: number) => ({
  date: dateOfDay(day),
  jsonOf: (name: string) => JSON.stringify(holidayBody({ day, name })),
})

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    // An offset such as +03:30 is taken as well, but has no rules of summer time: a name is wanted.
    return /^[A-Za-z]/.test(name)
  } catch {
    return false
  }
}

const bodyOf = ({ fourEyesAbove, version, ...rest }: TenantRecord) => ({
  ...rest,
  fourEyesAbove: fourEyesAbove === null ? null : toJsonAmount(fourEyesAbove),
  version,
})

const holidayBody = ({ day, name }: Holiday) => ({ date: dateOfDay(day), name })
