import {
  type Actor,
  type Change,
  type Changed,
  type Page,
  type PageRequest,
  type Refused,
  refused,
} from '../../core/admin.ts'
import type { Agreed } from '../../core/approvals.ts'
import type { Day } from '../../core/ids.ts'
import { type Holiday, type HolidaySet, isForTwo, type TenantPatch, type TenantRecord } from '../../core/tenants.ts'
import { idOf } from '../sql.ts'
import { answerApproval } from './approval-answers.ts'
import { writeAudit } from './audit-log.ts'
import { assignments, changeOnce, moveCatalogVersion } from './changes.ts'
import { pageOf } from './page.ts'
import type { AdminPool, Run } from './pool.ts'

const entity = { name: 'tenant', isReference: true } as const

export async function readTenant(run: Run, tenant: number): Promise<TenantRecord | null> {
  const [row] = await run(
    `SELECT t.code, t.name, a.code AS currency, t.time_zone, t.calendar, t.cut_over_seconds, t.four_eyes_above,
       t.version
     FROM tenants t JOIN assets a ON a.tenant = t.id AND a.id = t.currency WHERE t.id = $1`,
    [tenant],
  )
  if (row === undefined) return null
  return {
    code: row.code as string,
    name: row.name as string,
    currency: row.currency as string,
    timeZone: row.time_zone as string,
    calendar: row.calendar as TenantRecord['calendar'],
    cutOverSeconds: idOf(row.cut_over_seconds),
    fourEyesAbove: typeof row.four_eyes_above === 'string' ? BigInt(row.four_eyes_above) : null,
    version: idOf(row.version),
  }
}

/** Whether an approved request has been carried out. Its row stays locked, so that nobody else carries it out. */
async function isCarriedOut(run: Run, tenant: number, approval: number): Promise<boolean> {
  const [row] = await run(
    `SELECT answer IS NULL AS open FROM approvals WHERE tenant = $1 AND id = $2 AND status = 'approved' FOR UPDATE`,
    [tenant, approval],
  )
  return row?.open !== 't'
}

/** `agreed`: a second person has approved it. */
export function changeTenant(
  pool: AdminPool,
  change: Change<TenantRecord>,
  patch: TenantPatch,
  agreed: Agreed<TenantRecord> | null,
): Promise<Changed<TenantRecord>> {
  const { tenant } = change.actor
  return changeOnce(pool, { ...entity, id: String(tenant) }, change, {
    // Its row is locked: the version of its reference data has just been moved.
    read: run => readTenant(run, tenant),
    write: async (run, before) => {
      if (agreed === null && isForTwo(before, patch)) return refused('second_person_needed')
      if (agreed !== null && (await isCarriedOut(run, tenant, agreed.approval))) return refused('state_unsuitable')
      const { sql, values } = assignments(
        {
          name: patch.name,
          time_zone: patch.timeZone,
          calendar: patch.calendar,
          cut_over_seconds: patch.cutOverSeconds,
          four_eyes_above: patch.fourEyesAbove,
        },
        2,
      )
      await run(`UPDATE tenants SET ${sql} WHERE id = $1`, [tenant, ...values])
      const after = agreed === null ? null : await readTenant(run, tenant)
      if (agreed !== null && after !== null) await answerApproval(run, tenant, agreed.approval, agreed.answerOf(after))
      return null
    },
  })
}

/** In the order of the calendar, from one day on and before another. */
export async function listHolidays(
  run: Run,
  tenant: number,
  { from, to }: { readonly from: Day | null; readonly to: Day | null },
  page: PageRequest,
): Promise<Page<Holiday>> {
  const rows = await run(
    `SELECT day, name FROM holidays WHERE tenant = $1 AND day > coalesce($2::bigint, -2147483648)
       AND ($3::integer IS NULL OR day >= $3) AND ($4::integer IS NULL OR day < $4) ORDER BY day LIMIT $5`,
    [tenant, page.after, from, to, page.limit + 1],
  )
  const holidays = rows.map(row => ({ day: idOf(row.day), name: row.name as string }))
  return pageOf(holidays, page, ({ day }) => String(day))
}

/** What a change of a holiday is called in the audit log: its date, and the JSON texts before and after. */
interface HolidayLine {
  readonly date: string
  jsonOf(name: string): string
}

interface NewHoliday {
  readonly day: Day
  readonly name: string | null
}

/**
 * Sets the name of a day, or makes it no holiday (`name` null). Nothing is logged where nothing changes. `agreed`: a
 * second person has approved it, as is needed where four eyes are asked for.
 */
export async function setHoliday(
  pool: AdminPool,
  actor: Actor,
  holiday: NewHoliday,
  line: HolidayLine,
  agreed: Agreed<HolidaySet> | null,
): Promise<{ readonly kind: HolidaySet } | Refused> {
  const { tenant } = actor
  return pool.transaction(async (run): Promise<{ readonly kind: HolidaySet } | Refused> => {
    await moveCatalogVersion(run, tenant)
    if (agreed === null) {
      const [tenantRow] = await run('SELECT four_eyes_above AS above FROM tenants WHERE id = $1', [tenant])
      if (tenantRow?.above != null) return refused('second_person_needed')
      return { kind: await writeHoliday(run, actor, holiday, line) }
    }
    if (await isCarriedOut(run, tenant, agreed.approval)) return refused('state_unsuitable')
    const kind = await writeHoliday(run, actor, holiday, line)
    await answerApproval(run, tenant, agreed.approval, agreed.answerOf(kind))
    // As `not_found` the transaction would be undone, and what was agreed would be there to be done later.
    return { kind: kind === 'not_found' ? 'changed' : kind }
  })
}

async function writeHoliday(
  run: Run,
  actor: Actor,
  { day, name }: NewHoliday,
  { date, jsonOf }: HolidayLine,
): Promise<HolidaySet> {
  const { tenant } = actor
  const [found] = await run('SELECT name FROM holidays WHERE tenant = $1 AND day = $2', [tenant, day])
  const before = found === undefined ? null : (found.name as string)
  if (before === null && name === null) return 'not_found'
  if (before === name) return 'changed'
  if (name === null) await run('DELETE FROM holidays WHERE tenant = $1 AND day = $2', [tenant, day])
  else {
    await run(
      `INSERT INTO holidays (tenant, day, name) VALUES ($1, $2, $3)
       ON CONFLICT (tenant, day) DO UPDATE SET name = excluded.name`,
      [tenant, day, name],
    )
  }
  await writeAudit(run, actor, {
    action: before === null ? 'create' : name === null ? 'delete' : 'update',
    entity: 'holiday',
    entityId: date,
    before: before === null ? null : jsonOf(before),
    after: name === null ? null : jsonOf(name),
  })
  return before === null ? 'created' : 'changed'
}
