import type { Static } from 'typebox'
import type { Agreed } from '../../core/approvals.ts'
import { dateOfDay, dayOfDate } from '../../core/calendar.ts'
import type { Day } from '../../core/ids.ts'
import type { Holiday, HolidaySet, TenantPatch, TenantRecord } from '../../core/tenants.ts'
import { toJsonAmount } from '../amounts.ts'
import { type Carried, carriedRefusal, type Executor } from './approvals.ts'
import type { TenantPatchBody } from './schemas/setup.ts'

export const tenantBody = ({ fourEyesAbove, version, ...rest }: TenantRecord) => ({
  ...rest,
  fourEyesAbove: fourEyesAbove === null ? null : toJsonAmount(fourEyesAbove),
  version,
})

export const holidayBody = ({ day, name }: Holiday) => ({ date: dateOfDay(day), name })

/** For the audit log. */
export const holidayLine = (day: Day) => ({
  date: dateOfDay(day),
  jsonOf: (name: string) => JSON.stringify(holidayBody({ day, name })),
})

export const tenantPatch = ({ fourEyesAbove, ...patch }: Static<typeof TenantPatchBody>): TenantPatch => ({
  ...patch,
  ...(fourEyesAbove !== undefined && { fourEyesAbove: fourEyesAbove === null ? null : BigInt(fourEyesAbove) }),
})

/** A change of a holiday as an approval keeps it; `name` null: it is none any more. */
export interface HolidayWish {
  readonly date: string
  readonly name: string | null
}

/** Changes the tenant as a second person has approved: what was asked for is set, whatever it is by now. */
export const changeApprovedTenant: Executor = async ({ id, asker, request }, { deps }): Promise<Carried> => {
  const bodyOf = (tenant: TenantRecord): string => JSON.stringify(tenantBody(tenant))
  const patch = tenantPatch(request as Static<typeof TenantPatchBody>)
  const agreed: Agreed<TenantRecord> = {
    approval: id,
    answerOf: tenant => ({ status: 200, body: tenantBody(tenant) }),
  }
  const changed = await deps.admin.setup.changeTenant({ actor: asker, version: null, bodyOf }, patch, agreed)
  if (changed.kind !== 'changed') return carriedRefusal(changed.kind === 'refused' ? changed : { reason: 'not_found' })
  await deps.admin.refresh()
  return agreed.answerOf(changed.item)
}

/** Makes a day a holiday, or an ordinary one, as a second person has approved. */
export const setApprovedHoliday: Executor = async ({ id, asker, request }, { deps }): Promise<Carried> => {
  const { date, name } = request as HolidayWish
  const day = dayOfDate(date)
  if (day === null) return carriedRefusal({ reason: 'format_invalid' })
  const agreed: Agreed<HolidaySet> = {
    approval: id,
    answerOf: kind => {
      if (name === null) return { status: 204, body: null }
      return { status: kind === 'created' ? 201 : 200, body: holidayBody({ day, name }) }
    },
  }
  const set = await deps.admin.setup.setHoliday(asker, { day, name }, holidayLine(day), agreed)
  if (set.kind === 'refused') return carriedRefusal(set)
  await deps.admin.refresh()
  return agreed.answerOf(set.kind)
}
