import type { Change, Changed, Created, Creation, Page, PageRequest } from '../../core/admin.ts'
import type { Day } from '../../core/ids.ts'
import type {
  LineState,
  ListSource,
  ListState,
  LoadLine,
  LoadList,
  LoadSchedule,
  NewClawbackList,
  NewList,
  NewSchedule,
  SchedulePatch,
  ScheduleStatus,
} from '../../core/load-lists.ts'
import type { HolderName, ListedMovement, LotMovement, MovementFilter } from '../../core/lot-movements.ts'

/** Loads and what moves value: holders and lots as they are needed for it, and lists of many loads. */
export interface LoadsAdmin {
  /** The id of a holder; null: there is none of that name. */
  holder(tenant: number, name: HolderName): Promise<number | null>
  /**
   * Of these holders, those whom the key of this organisation may name by their ids: who have credit of it, or are
   * members of this schedule of its own (null: of none).
   */
  seen(
    tenant: number,
    of: { readonly holders: readonly number[]; readonly only: number; readonly schedule: number | null },
  ): Promise<ReadonlySet<number>>
  /** What of a holder's program, from one funder (null: any), could be taken back now. */
  unspent(
    tenant: number,
    of: { readonly holder: number; readonly program: number; readonly funder: number | null },
  ): Promise<bigint>
  /** The funder of a lot of a holder; null: there is no such lot. */
  funderOfLot(tenant: number, holder: number, lot: number): Promise<number | null>
  /** What one decision did to the lots of these holders. */
  movements(
    tenant: number,
    of: { readonly batch: number; readonly index: number; readonly holders: readonly number[] },
  ): Promise<readonly LotMovement[]>
  /** What moved value outside purchases, the newest first. */
  allMovements(tenant: number, filter: MovementFilter, page: PageRequest): Promise<Page<ListedMovement>>
  /** Whether the engine has decided a command under this key and day. */
  isDecided(tenant: number, of: { readonly key: string; readonly day: Day }): Promise<boolean>
  /** Whether a request under this key was told to wait for a second person, or has a decision to be answered again. */
  isAnswered(tenant: number, key: string): Promise<boolean>
  /** `only`: the organisation of whose credit the asker sees and makes lists; null: all. */
  createList(creation: Creation<LoadList>, list: NewList, only: number | null): Promise<Created>
  createClawbackList(creation: Creation<LoadList>, list: NewClawbackList): Promise<Created>
  list(tenant: number, id: number, only: number | null): Promise<LoadList | null>
  lists(
    tenant: number,
    filter: {
      readonly state: ListState | null
      readonly source: ListSource | null
      readonly schedule: number | null
      readonly only: number | null
    },
    page: PageRequest,
  ): Promise<Page<LoadList>>
  lines(tenant: number, list: number, state: LineState | null, page: PageRequest): Promise<Page<LoadLine>>
  checkList(change: Change<LoadList>, id: number, only: number | null): Promise<Changed<LoadList>>
  /** `checked`: the version that was looked at, if it is to run only as it was then. */
  runList(change: Change<LoadList>, id: number, only: number | null, checked: number | null): Promise<Changed<LoadList>>
  cancelList(change: Change<LoadList>, id: number, only: number | null): Promise<Changed<LoadList>>
  createSchedule(creation: Creation<LoadSchedule>, schedule: NewSchedule): Promise<Created>
  schedule(tenant: number, id: number, only: number | null): Promise<LoadSchedule | null>
  schedules(
    tenant: number,
    filter: { readonly status: ScheduleStatus | null; readonly only: number | null },
    page: PageRequest,
  ): Promise<Page<LoadSchedule>>
  /** `patchOf` is given the schedule as it stands. One that has ended is not changed any more. */
  changeSchedule(
    change: Change<LoadSchedule>,
    of: { readonly id: number; readonly only: number | null },
    patchOf: (before: LoadSchedule) => SchedulePatch,
  ): Promise<Changed<LoadSchedule>>
}
