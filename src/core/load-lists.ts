import type { Day, Micros } from './ids.ts'
import type { HolderField, LoadField } from './load-columns.ts'
import type { LineReason } from './load-rows.ts'
import type { MonthCalendar } from './months.ts'
import type { Reason } from './reasons.ts'

export const listStates = ['checked', 'running', 'done', 'cancelled'] as const
export type ListState = (typeof listStates)[number]

export const listSources = ['file', 'schedule', 'vouchers', 'request'] as const
export type ListSource = (typeof listSources)[number]

/** What is loaded for many holders at once, or taken back from them: a file, a period of a schedule, a series. */
export interface LoadList {
  readonly id: number
  readonly version: number
  readonly kind: 'load' | 'clawback'
  readonly source: ListSource
  readonly state: ListState
  /** Of the file. */
  readonly name: string | null
  readonly program: number | null
  readonly funder: number | null
  readonly expiresAt: Micros | null
  readonly reason: string | null
  readonly reference: string | null
  /** Titles of columns that say nothing to the switch. */
  readonly ignored: readonly string[]
  readonly lines: number
  readonly accepted: number
  readonly rejected: number
  /** Of the accepted lines: how many were decided, and how many of these were approved. */
  readonly done: number
  readonly loaded: number
  /** Of the accepted lines, and of those that were approved. */
  readonly total: bigint
  readonly loadedTotal: bigint
  readonly schedule: number | null
  /** The day on which the period of a schedule was due. */
  readonly period: Day | null
  readonly series: number | null
  readonly actor: string
  readonly madeAt: Micros
  readonly checkedAt: Micros | null
  readonly runAt: Micros | null
  readonly finishedAt: Micros | null
  /** Since when it has been running without a break, and what was done by then: for the estimate. */
  readonly resumedAt: Micros | null
  readonly resumedDone: number
  /** The database's clock when this was read. */
  readonly readAt: Micros
}

/** Seconds that are left of a run at its present speed; null where nothing can be said. */
export function secondsLeftOf({ state, accepted, done, resumedAt, resumedDone, readAt }: LoadList): number | null {
  if (state === 'done') return 0
  if (state !== 'running' || resumedAt === null || done <= resumedDone || readAt <= resumedAt) return null
  const perMicro = (done - resumedDone) / (readAt - resumedAt)
  return Math.ceil((accepted - done) / perMicro / 1_000_000)
}

/** Hundredths of the accepted lines that are done. */
export const percentageOf = ({ accepted, done, state }: LoadList): number =>
  accepted === 0 ? (state === 'done' ? 100 : 0) : Math.floor((done * 100) / accepted)

export interface NewList {
  readonly name: string
  readonly size: number
  /** 64 hexadecimal digits. */
  readonly hash: string
  readonly program: number | null
  readonly funder: number | null
  readonly expiresAt: Micros | null
  readonly reason: string | null
  readonly reference: string | null
  readonly ignored: readonly string[]
  readonly lines: readonly NewLine[]
}

export interface NewLine {
  readonly line: number
  readonly who: {
    readonly by: HolderField
    /** Hexadecimal hash of a card number or national code; else the text itself. */
    readonly key: string
    readonly shown: string
  } | null
  readonly amount: bigint | null
  readonly program: number | null
  readonly funder: number | null
  readonly expiresAt: Micros | null
  /** What is wrong with the line itself. */
  readonly error: { readonly field: LoadField | 'holder'; readonly reason: LineReason } | null
}

export const lineStates = ['accepted', 'rejected', 'done'] as const
export type LineState = (typeof lineStates)[number]

export interface LoadLine {
  readonly line: number
  readonly state: LineState
  readonly holder: number | null
  /** What of its holder people may see. */
  readonly shown: string | null
  readonly program: number | null
  readonly funder: number | null
  readonly amount: bigint | null
  readonly expiresAt: Micros | null
  readonly lot: number | null
  readonly field: string | null
  readonly reason: LineReason | Reason | null
}

export const scheduleStatuses = ['active', 'paused', 'ended'] as const
export type ScheduleStatus = (typeof scheduleStatuses)[number]

/** Loads the same amount every month, to a list of holders or to all who have credit of a program and funder. */
export interface LoadSchedule {
  readonly id: number
  readonly version: number
  readonly name: string
  readonly program: number
  readonly funder: number
  readonly amount: bigint
  readonly calendar: MonthCalendar
  /** A month without such a day has it on its last. */
  readonly dayOfMonth: number
  /** Minutes after local midnight. */
  readonly minute: number
  readonly holders: 'program' | 'list'
  readonly members: number
  /** After a time without a switch: every period that was missed, or the latest only. */
  readonly catchUp: 'all' | 'latest'
  readonly status: ScheduleStatus
  readonly reason: string | null
  readonly nextDay: Day
  readonly dueAt: Micros
  readonly actor: string
  readonly madeAt: Micros
}

export interface ScheduleMember {
  readonly holder: number
  /** Null: the amount of the schedule. */
  readonly amount: bigint | null
}

export type NewSchedule = Pick<
  LoadSchedule,
  | 'name'
  | 'program'
  | 'funder'
  | 'amount'
  | 'calendar'
  | 'dayOfMonth'
  | 'minute'
  | 'holders'
  | 'catchUp'
  | 'reason'
  | 'nextDay'
  | 'dueAt'
> & { readonly members: readonly ScheduleMember[] }

export type SchedulePatch = Partial<
  Pick<
    LoadSchedule,
    'name' | 'amount' | 'dayOfMonth' | 'minute' | 'catchUp' | 'status' | 'reason' | 'nextDay' | 'dueAt'
  >
> & { readonly members?: readonly ScheduleMember[] }
