import {
  type Actor,
  type Change,
  type Changed,
  type Page,
  type PageRequest,
  type Refused,
  refused,
} from '../../core/admin.ts'
import type { Day } from '../../core/ids.ts'
import { type Holiday, isForTwo, type TenantPatch, type TenantRecord } from '../../core/tenants.ts'
import { idOf } from '../sql.ts'
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

/** `isAgreed`: a second person has approved it. */
export function changeTenant(
  pool: AdminPool,
  change: Change<TenantRecord>,
  patch: TenantPatch,
  isAgreed: boolean,
): Promise<Changed<TenantRecord>> {
  const { tenant } = change.actor
  return changeOnce(pool, { ...entity, id: String(tenant) }, change, {
    // Its row is locked: the version of its reference data has just been moved.
    read: run => readTenant(run, tenant),
    write: async (run, before) => {
      if (!isAgreed && isForTwo(before, patch)) return refused('second_person_needed')
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
export interface HolidayLine {
  readonly date: string
  jsonOf(name: string): string
}

/**
 * Sets the name of a day, or makes it no holiday (`name` null). Nothing is logged where nothing changes. `isAgreed`: a
 * second person has approved it, as is needed where four eyes are asked for.
 */
export async function setHoliday(
  pool: AdminPool,
  actor: Actor,
  { day, name }: { readonly day: Day; readonly name: string | null },
  { date, jsonOf }: HolidayLine,
  isAgreed: boolean,
): Promise<{ readonly kind: 'created' | 'changed' | 'not_found' } | Refused> {
  const { tenant } = actor
  return pool.transaction(async run => {
    await moveCatalogVersion(run, tenant)
    const [tenantRow] = await run('SELECT four_eyes_above AS above FROM tenants WHERE id = $1', [tenant])
    if (!isAgreed && tenantRow?.above != null) return refused('second_person_needed')
    const [found] = await run('SELECT name FROM holidays WHERE tenant = $1 AND day = $2', [tenant, day])
    const before = found === undefined ? null : (found.name as string)
    if (before === null && name === null) return { kind: 'not_found' }
    if (before === name) return { kind: 'changed' }
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
    return { kind: before === null ? 'created' : 'changed' }
  })
}
