import {
  type Change,
  type Changed,
  type Created,
  type Creation,
  type Page,
  type PageRequest,
  refused,
} from '../../core/admin.ts'
import type { Tenant } from '../../core/catalog.ts'
import type { LoadSchedule, NewSchedule, ScheduleMember, SchedulePatch, ScheduleStatus } from '../../core/load-lists.ts'
import { dueAfter, periodOf } from '../../core/schedules.ts'
import { arrayOf, dayOfTime, idOf, microsOf, timestampOf } from '../sql.ts'
import { assignments, changeOnce, createOnce } from './changes.ts'
import { countLines } from './load-checks.ts'
import { patience } from './load-lists.ts'
import { pageOf } from './page.ts'
import type { AdminPool, Run, TextRow } from './pool.ts'

const entity = { name: 'load-schedule', isReference: false } as const

const columns = `s.id, s.version, s.name, s.program, s.funder, s.amount, s.calendar, s.day_of_month, s.minute,
  s.holders, s.catch_up, s.status, s.reason, s.next_day, ${microsOf('s.due_at')} AS due_at, s.actor,
  ${microsOf('s.made_at')} AS made_at, ${microsOf('clock_timestamp()')} AS now,
  (SELECT count(*) FROM load_schedule_members m WHERE m.tenant = s.tenant AND m.schedule = s.id) AS members`

const scheduleOf = (row: TextRow): LoadSchedule => ({
  id: idOf(row.id),
  version: idOf(row.version),
  name: row.name as string,
  program: idOf(row.program),
  funder: idOf(row.funder),
  amount: BigInt(row.amount as string),
  calendar: row.calendar as LoadSchedule['calendar'],
  dayOfMonth: idOf(row.day_of_month),
  minute: idOf(row.minute),
  holders: row.holders as LoadSchedule['holders'],
  members: idOf(row.members),
  catchUp: row.catch_up as LoadSchedule['catchUp'],
  status: row.status as ScheduleStatus,
  reason: row.reason ?? null,
  nextDay: idOf(row.next_day),
  dueAt: idOf(row.due_at),
  actor: row.actor as string,
  madeAt: idOf(row.made_at),
})

export function createSchedule(
  pool: AdminPool,
  creation: Creation<LoadSchedule>,
  { members, ...schedule }: NewSchedule,
): Promise<Created> {
  const { actor } = creation
  return createOnce(pool, entity, creation, async run => {
    const [made] = await run(
      `INSERT INTO load_schedules (id, made_at, tenant, name, program, funder, amount, calendar, day_of_month, minute,
         holders, catch_up, reason, next_day, due_at, made_by, actor)
       VALUES (nextval('load_schedule_seq'), clock_timestamp(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
         ${timestampOf('$13::bigint')}, $14, $15) RETURNING id`,
      [
        actor.tenant,
        schedule.name,
        schedule.program,
        schedule.funder,
        schedule.amount,
        schedule.calendar,
        schedule.dayOfMonth,
        schedule.minute,
        schedule.holders,
        schedule.catchUp,
        schedule.reason,
        schedule.nextDay,
        schedule.dueAt,
        actor.apiKey,
        actor.label,
      ],
    )
    const id = idOf(made?.id)
    if (!(await writeMembers(run, actor.tenant, id, members)))
      return refused('format_invalid', '/members', unknownMember)
    const item = (await readSchedule(run, actor.tenant, id, null)) as LoadSchedule
    return { kind: 'made', item, id: String(id), version: item.version }
  })
}

const unknownMember = 'must name holders that are known, each once'

/** False: one of them is not known, or there twice. */
async function writeMembers(
  run: Run,
  tenant: number,
  schedule: number,
  members: readonly ScheduleMember[],
): Promise<boolean> {
  await run('DELETE FROM load_schedule_members WHERE tenant = $1 AND schedule = $2', [tenant, schedule])
  if (members.length === 0) return true
  const rows = await run(
    `INSERT INTO load_schedule_members (tenant, schedule, holder, amount)
     SELECT $1, $2, c.id, min(u.amount) FROM unnest($3::bigint[], $4::bigint[]) AS u(holder, amount)
     JOIN cardholders c ON c.tenant = $1 AND c.id = u.holder GROUP BY c.id RETURNING holder`,
    [tenant, schedule, arrayOf(members.map(({ holder }) => holder)), arrayOf(members.map(({ amount }) => amount))],
  )
  return rows.length === members.length
}

/** `only`: the organisation that the asker speaks for; null: all. */
export async function readSchedule(
  run: Run,
  tenant: number,
  id: number,
  only: number | null,
): Promise<LoadSchedule | null> {
  const [row] = await run(
    `SELECT ${columns} FROM load_schedules s WHERE tenant = $1 AND id = $2 AND ($3::integer IS NULL OR funder = $3)`,
    [tenant, id, only],
  )
  return row === undefined ? null : scheduleOf(row)
}

export async function listSchedules(
  run: Run,
  tenant: number,
  { status, only }: { readonly status: ScheduleStatus | null; readonly only: number | null },
  page: PageRequest,
): Promise<Page<LoadSchedule>> {
  const rows = await run(
    `SELECT ${columns} FROM load_schedules s
     WHERE tenant = $1 AND id > coalesce($2::bigint, 0) AND ($3::text IS NULL OR status = $3)
       AND ($4::integer IS NULL OR funder = $4) ORDER BY id LIMIT $5`,
    [tenant, page.after, status, only, page.limit + 1],
  )
  return pageOf(rows.map(scheduleOf), page, ({ id }) => String(id))
}

export function changeSchedule(
  pool: AdminPool,
  change: Change<LoadSchedule>,
  { id, only }: { readonly id: number; readonly only: number | null },
  patchOf: (before: LoadSchedule) => SchedulePatch,
): Promise<Changed<LoadSchedule>> {
  const { tenant } = change.actor
  return changeOnce(pool, { ...entity, id: String(id) }, change, {
    read: async run => {
      await run('SELECT FROM load_schedules WHERE tenant = $1 AND id = $2 FOR UPDATE', [tenant, id])
      return readSchedule(run, tenant, id, only)
    },
    write: async (run, before) => {
      if (before.status === 'ended') return refused('state_unsuitable')
      const { members, dueAt, ...patch } = patchOf(before)
      if (members !== undefined && !(await writeMembers(run, tenant, id, members))) {
        return refused('format_invalid', '/members', unknownMember)
      }
      const fields = {
        name: patch.name,
        amount: patch.amount,
        day_of_month: patch.dayOfMonth,
        minute: patch.minute,
        catch_up: patch.catchUp,
        status: patch.status,
        reason: patch.reason,
        next_day: patch.nextDay,
      }
      const { sql, values } = assignments(fields, 4)
      await run(
        `UPDATE load_schedules SET ${sql}, due_at = coalesce(${timestampOf('$3::bigint')}, due_at)
         WHERE tenant = $1 AND id = $2`,
        [tenant, id, dueAt ?? null, ...values],
      )
      return null
    },
  })
}

/**
 * Begins the oldest period that is due, as a list that runs: with every member, those who cannot be loaded now as
 * rejected. The row of the schedule is locked, so that a period has one list, whichever switch is first. False: nothing
 * is due.
 */
export async function beginPeriod(pool: AdminPool, tenant: Tenant): Promise<boolean> {
  const { kind } = await pool.transaction(async (run): Promise<{ kind: 'begun' | 'not_found' }> => {
    const [row] = await run(
      `SELECT ${columns} FROM load_schedules s WHERE tenant = $1 AND status = 'active' AND due_at <= clock_timestamp()
       ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
      [tenant.id],
    )
    if (row === undefined) return { kind: 'not_found' }
    const schedule = scheduleOf(row)
    const next = dueAfter(schedule.nextDay, schedule, tenant)
    // Of several that were missed, only the latest is wanted.
    const isSkipped = schedule.catchUp === 'latest' && next.at <= idOf(row.now)
    if (!isSkipped) await insertPeriod(run, tenant.id, schedule)
    await run(
      `UPDATE load_schedules SET next_day = $3, due_at = ${timestampOf('$4::bigint')} WHERE tenant = $1 AND id = $2`,
      [tenant.id, schedule.id, next.day, next.at],
    )
    return { kind: 'begun' }
  })
  return kind === 'begun'
}

/** All of the cards of a holder blocked, or the account frozen: such a member is passed over this time. */
const obstacleOf = `CASE
  WHEN EXISTS (SELECT FROM cards c WHERE c.tenant = $1 AND c.holder = x.holder)
    AND NOT EXISTS (SELECT FROM cards c WHERE c.tenant = $1 AND c.holder = x.holder AND c.status IN (0, 2))
    THEN 'card_blocked'
  WHEN EXISTS (SELECT FROM lots f WHERE f.tenant = $1 AND f.holder = x.holder AND f.program = $3 AND f.status = 1)
    THEN 'account_frozen' END`

/**
 * Of a program: who was named in a list of claw-backs since the last load has left. What came from schedules for a
 * whole program says nothing about who belongs to it: a line of theirs may have waited while the credit was taken back.
 */
const membersOf = {
  list: `SELECT holder, coalesce(amount, $5::bigint) AS amount FROM load_schedule_members
    WHERE tenant = $1 AND schedule = $6`,
  program: `SELECT f.holder, $5::bigint AS amount FROM lots f
    LEFT JOIN (
      SELECT n.holder, max(t.run_at) AS at FROM load_lists t JOIN load_lines n ON n.tenant = t.tenant AND n.list = t.id
      WHERE t.tenant = $1 AND t.kind = 'clawback' AND t.program = $3 AND (t.funder IS NULL OR t.funder = $4)
      GROUP BY n.holder) AS gone ON gone.holder = f.holder
    LEFT JOIN (
      SELECT n.lot FROM load_schedules s JOIN load_lists t ON t.tenant = s.tenant AND t.schedule = s.id
      JOIN load_lines n ON n.tenant = t.tenant AND n.list = t.id
      WHERE s.tenant = $1 AND s.program = $3 AND s.funder = $4 AND s.holders = 'program' AND n.lot IS NOT NULL
      ) AS scheduled ON scheduled.lot = f.lot
    WHERE f.tenant = $1 AND f.program = $3 AND f.funder = $4 AND $6::bigint IS NOT NULL
    GROUP BY f.holder, gone.at
    HAVING gone.at IS NULL OR max(f.loaded_at) FILTER (WHERE scheduled.lot IS NULL) > gone.at`,
} as const

async function insertPeriod(run: Run, tenant: number, schedule: LoadSchedule): Promise<void> {
  await run(patience)
  const [made] = await run(
    `INSERT INTO load_lists (id, made_at, tenant, kind, source, state, name, program, funder, only_funder, reason,
       schedule, period, made_by, actor, run_at, resumed_at, run_day)
     SELECT nextval('load_list_seq'), clock_timestamp(), tenant, 'load', 'schedule', 'running', name, program, funder,
       funder, reason, id, $3, made_by, actor, clock_timestamp(), clock_timestamp(),
       ${dayOfTime('clock_timestamp()')}
     FROM load_schedules WHERE tenant = $1 AND id = $2 RETURNING id`,
    [tenant, schedule.id, periodOf(schedule.nextDay, schedule)],
  )
  const list = idOf(made?.id)
  await run(
    `INSERT INTO load_lines (tenant, list, line, state, by, holder, shown, amount, program, funder, reason, field)
     SELECT $1, $2, row_number() OVER (ORDER BY x.holder), CASE WHEN x.obstacle IS NULL THEN 0 ELSE 1 END, 4, x.holder,
       x.holder::text, x.amount, $3, $4, x.obstacle, CASE WHEN x.obstacle IS NULL THEN NULL ELSE 'holder' END
     FROM (SELECT x.holder, x.amount, ${obstacleOf} AS obstacle FROM (${membersOf[schedule.holders]}) x) x`,
    [tenant, list, schedule.program, schedule.funder, schedule.amount, schedule.id],
  )
  await countLines(run, tenant, list)
}
