import type { Tenant } from './catalog.ts'
import type { Day, Micros } from './ids.ts'

export const calendars = ['gregorian', 'persian'] as const

/** A tenant as the admin API has it. */
export interface TenantRecord {
  readonly code: string
  readonly name: string
  /** Code of the asset that purchases are made in. */
  readonly currency: string
  readonly timeZone: string
  readonly calendar: Tenant['calendar']
  readonly cutOverSeconds: number
  /** Beyond this amount a load, adjustment or claw-back waits for a second person; null: none does. */
  readonly fourEyesAbove: bigint | null
  readonly version: number
}

export type TenantPatch = Partial<
  Pick<TenantRecord, 'name' | 'timeZone' | 'calendar' | 'cutOverSeconds' | 'fourEyesAbove'>
>

/**
 * Whether a change waits for a second person: it would let go of four eyes, or give the terms of all programs another
 * meaning.
 */
export function isForTwo(
  { fourEyesAbove: above, timeZone, calendar }: Pick<TenantRecord, 'fourEyesAbove' | 'timeZone' | 'calendar'>,
  patch: TenantPatch,
): boolean {
  if (above === null) return false
  const { fourEyesAbove = above } = patch
  const isMoved = (patch.timeZone ?? timeZone) !== timeZone || (patch.calendar ?? calendar) !== calendar
  return isMoved || fourEyesAbove === null || fourEyesAbove > above
}

export interface Holiday {
  readonly day: Day
  readonly name: string
}

/** What came of setting a holiday. */
export type HolidaySet = 'created' | 'changed' | 'not_found'

/** An API key as people see it: the key itself is nowhere. */
export interface ApiKeyRecord {
  readonly id: number
  readonly label: string
  readonly role: string | null
  readonly scopes: readonly string[]
  /** Codes, or `*` alone: all. */
  readonly merchants: readonly string[]
  /** Code of the only organisation that it sees; null: all. */
  readonly organisation: string | null
  readonly madeAt: Micros
  readonly disabledAt: Micros | null
  readonly version: number
}

export interface NewApiKey extends Pick<ApiKeyRecord, 'label' | 'role' | 'scopes' | 'merchants' | 'organisation'> {
  /** SHA-256 of the key, 64 hexadecimal digits. */
  readonly hash: string
}
