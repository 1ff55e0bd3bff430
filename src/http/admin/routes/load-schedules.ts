import { dateOfDay } from '../../../core/calendar.ts'
import type { Catalog } from '../../../core/catalog.ts'
import { approvalKey } from '../../../core/keys.ts'
import { type LoadSchedule, type NewSchedule, type SchedulePatch, scheduleStatuses } from '../../../core/load-lists.ts'
import { dueAfterChange, firstDueAfter } from '../../../core/schedules.ts'
import { toJsonAmount } from '../../amounts.ts'
import type { ApiKey } from '../../api-keys.ts'
import type { HttpApp, HttpDeps } from '../../deps.ts'
import type { InFlight } from '../../idempotency.ts'
import { type Refusal, sendProblem } from '../../problem.ts'
import { rfc3339 } from '../../times.ts'
import { carriedRefusal, type Executor, waitsForSecond } from '../approvals.ts'
import { allow, allowList } from '../call.ts'
import { columnsOf } from '../csv-cells.ts'
import { changeDocs, listDocs, moveDocs, readDocs } from '../docs.ts'
import { fieldRefusal, firstHidden, funderOf, programOf } from '../holders.ts'
import { answerChange, answerCreate, sendItem } from '../items.ts'
import { answerList, oneOf, parseId } from '../lists.ts'
import { ApprovalBody } from '../schemas/approvals.ts'
import { IdParams, namesOf } from '../schemas/common.ts'
import { NewScheduleBody, ScheduleBody, ScheduleList, SchedulePatchBody } from '../schemas/load-schedules.ts'

const tag = 'Load files'
const filters = { status: oneOf('Only these.', scheduleStatuses) }

/** Loads that come every month. Each period is a list, found among the load files. */
export function addLoadScheduleRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  const { loads } = deps.admin
  const render = (catalog: Catalog | undefined) => (schedule: LoadSchedule) => scheduleBody(schedule, catalog)

  const membersOf = async (
    given: readonly { readonly cardholder: string; readonly amount?: number }[],
    apiKey: ApiKey,
    schedule: number | null,
  ): Promise<Members> => {
    const list = given.map(({ cardholder, amount }) => ({
      holder: parseId(cardholder) ?? 0,
      amount: amount === undefined ? null : BigInt(amount),
    }))
    const holders = list.map(({ holder }) => holder)
    if (new Set(holders).size < holders.length) return fieldRefusal('/members', 'must name each holder once')
    const isHidden = (await firstHidden(holders, apiKey, deps, schedule)) >= 0
    return isHidden ? fieldRefusal('/members', 'must name holders that are known, each once') : { list }
  }

  app.post(
    '/admin/v1/load-schedules',
    {
      onRequest: allow('loads:write', deps),
      bodyLimit: 1024 * 1024,
      schema: { body: NewScheduleBody, response: { 201: ScheduleBody, 202: ApprovalBody } },
      config: moveDocs({
        operationId: 'createLoadSchedule',
        tag,
        summary: 'Load every month',
        description:
          'The same amount for a list of holders, or for all who have credit of a program and funder. Members whose ' +
          'cards are all blocked, or whose account is frozen, are passed over and listed with the reason. Of a ' +
          'program, those who were named in a list of claw-backs since their last load are left out.',
      }),
    },
    async (request, reply) => {
      const { apiKey, body } = request
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const program = programOf(body.program, catalog)
      if ('refusal' in program) return sendProblem(reply, program.refusal)
      const paid = funderOf(body.funder, program.program, apiKey, catalog)
      if ('refusal' in paid) return sendProblem(reply, paid.refusal)
      const members = await membersOf(body.members ?? [], apiKey, null)
      if ('refusal' in members) return sendProblem(reply, members.refusal)
      if ((body.holders === 'list') !== members.list.length > 0) {
        const message = body.holders === 'list' ? 'must name at least one' : 'is only for a list'
        return sendProblem(reply, fieldRefusal('/members', message).refusal)
      }
      const wish: Wish = {
        name: body.name,
        program: program.program.id,
        funder: paid.funder.id,
        amount: String(body.amount),
        calendar: body.calendar,
        dayOfMonth: body.dayOfMonth,
        minute: minuteOf(body.time),
        holders: body.holders,
        members: members.list.map(({ holder, amount }) => [holder, amount === null ? null : String(amount)]),
        catchUp: body.catchUp ?? 'all',
        reason: body.reason ?? null,
      }
      const call = { request, reply, deps, inFlight }
      const names = namesOf(NewScheduleBody)
      // Whoever it will be for, and however often: what it comes to is not known.
      if (await waitsForSecond(call, { kind: 'schedule', amount: null, request: wish, names })) return reply
      return answerCreate(call, { names, render: render(catalog) }, creation =>
        loads.createSchedule(creation, scheduleOf(wish, catalog, deps)),
      )
    },
  )

  app.get(
    '/admin/v1/load-schedules',
    {
      onRequest: allowList('loads:read', deps),
      schema: { response: { 200: ScheduleList } },
      config: listDocs(
        {
          operationId: 'listLoadSchedules',
          tag,
          summary: 'List schedules of loads',
          description: 'In the order in which they were set up.',
        },
        filters,
      ),
    },
    async (request, reply) => {
      const { tenant, organisation: only } = request.apiKey
      return answerList(request, reply, {
        filters,
        cursor: 'id',
        read: ({ status }, page) => loads.schedules(tenant, { status, only }, page),
        render: render(deps.catalogOf(tenant)),
        columns: columnsOf(ScheduleBody),
        name: 'load-schedules',
      })
    },
  )

  app.get(
    '/admin/v1/load-schedules/:id',
    {
      onRequest: allow('loads:read', deps),
      schema: { params: IdParams, response: { 200: ScheduleBody } },
      config: readDocs({
        operationId: 'getLoadSchedule',
        tag,
        summary: 'Read a schedule of loads',
        description: 'Its periods are load files: `GET /admin/v1/load-files?schedule={id}`.',
      }),
    },
    async ({ apiKey, params }, reply) => {
      const { tenant, organisation } = apiKey
      const found = await loads.schedule(tenant, parseId(params.id) ?? 0, organisation)
      return sendItem(reply, found, render(deps.catalogOf(tenant)))
    },
  )

  app.patch(
    '/admin/v1/load-schedules/:id',
    {
      onRequest: allow('loads:write', deps),
      bodyLimit: 1024 * 1024,
      schema: { params: IdParams, body: SchedulePatchBody, response: { 200: ScheduleBody } },
      config: changeDocs({
        operationId: 'changeLoadSchedule',
        tag,
        summary: 'Change, pause or end a schedule of loads',
        description:
          'Periods that pass while it is paused are left out. Where four eyes are asked for, a new amount ' +
          'or list is a new schedule.',
        reasons: ['state_unsuitable'],
      }),
    },
    async (request, reply) => {
      const { apiKey, params, body } = request
      const catalog = deps.catalogOf(apiKey.tenant)
      if (catalog === undefined) return sendProblem(reply, { reason: 'switch_unavailable' })
      const id = parseId(params.id) ?? 0
      const members = body.members === undefined ? null : await membersOf(body.members, apiKey, id)
      if (members !== null && 'refusal' in members) return sendProblem(reply, members.refusal)
      if ((body.amount !== undefined || members !== null) && (await asksForFourEyes(apiKey.tenant))) {
        return sendProblem(reply, { reason: 'forbidden', detail: 'A second person must agree: make a new schedule.' })
      }
      const { time, amount, members: _, ...rest } = body
      return answerChange({ request, reply, deps, inFlight }, render(catalog), change =>
        loads.changeSchedule(change, { id, only: apiKey.organisation }, before => {
          const patch: SchedulePatch = {
            ...rest,
            ...(amount !== undefined && { amount: BigInt(amount) }),
            ...(time !== undefined && { minute: minuteOf(time) }),
            ...(members !== null && { members: members.list }),
          }
          const isMoved = patch.minute !== undefined || patch.dayOfMonth !== undefined
          const isResumed = before.status === 'paused' && patch.status === 'active'
          if (!isMoved && !isResumed) return patch
          const due = dueAfterChange(deps.now(), before.nextDay, { ...before, ...patch }, catalog.tenant)
          return { ...patch, nextDay: due.day, dueAt: due.at }
        }),
      )
    },
  )

  const noKey = '0'.repeat(32)
  const asksForFourEyes = async (tenant: number): Promise<boolean> =>
    (await deps.admin.approvals.fourEyes(tenant, noKey)).above !== null
}

/** A schedule as an approval keeps it. */
interface Wish extends Omit<NewSchedule, 'amount' | 'members' | 'nextDay' | 'dueAt'> {
  readonly amount: string
  readonly members: readonly (readonly [holder: number, amount: string | null])[]
}

const scheduleOf = (wish: Wish, { tenant }: Catalog, { now }: HttpDeps): NewSchedule => {
  const due = firstDueAfter(now(), wish, tenant)
  return {
    ...wish,
    amount: BigInt(wish.amount),
    members: wish.members.map(([holder, amount]) => ({ holder, amount: amount === null ? null : BigInt(amount) })),
    nextDay: due.day,
    dueAt: due.at,
  }
}

/** Sets up a schedule that a second person has approved. */
export const createApprovedSchedule: Executor = async ({ id, asker, content, request }, { deps }) => {
  const catalog = deps.catalogOf(asker.tenant)
  if (catalog === undefined) return { again: { reason: 'switch_unavailable' } }
  const bodyOf = (schedule: LoadSchedule): string => JSON.stringify(scheduleBody(schedule, catalog))
  // The key of the request has the approval as its answer.
  const creation = { actor: asker, key: approvalKey(id), content, bodyOf, approval: id }
  const created = await deps.admin.loads.createSchedule(creation, scheduleOf(request as Wish, catalog, deps))
  if (created.kind === 'refused') return carriedRefusal(created)
  if (created.kind === 'other_content') throw new Error('an approval was carried out with other content')
  return { status: created.status, body: JSON.parse(created.body) }
}

type Members = { readonly list: NewSchedule['members'] } | { readonly refusal: Refusal }

const minuteOf = (time: string): number =>
  Number.parseInt(time.slice(0, 2), 10) * 60 + Number.parseInt(time.slice(3), 10)
const timeOf = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`

const scheduleBody = (schedule: LoadSchedule, catalog: Catalog | undefined) => ({
  id: String(schedule.id),
  name: schedule.name,
  amount: toJsonAmount(schedule.amount),
  dayOfMonth: schedule.dayOfMonth,
  time: timeOf(schedule.minute),
  catchUp: schedule.catchUp,
  reason: schedule.reason,
  calendar: schedule.calendar,
  program: catalog?.programsById.get(schedule.program)?.code ?? null,
  funder: catalog?.fundersById.get(schedule.funder)?.code ?? null,
  holders: schedule.holders,
  members: schedule.members,
  status: schedule.status,
  nextPeriod: dateOfDay(schedule.nextDay),
  dueAt: rfc3339(schedule.dueAt),
  createdBy: schedule.actor,
  createdAt: rfc3339(schedule.madeAt),
  version: schedule.version,
})
