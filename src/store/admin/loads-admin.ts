import type { Actor, Change, Creation, PageRequest } from '../../core/admin.ts'
import type { Approval, ApprovalAnswer, ApprovalKind } from '../../core/approvals.ts'
import type { LineState, LoadList, LoadSchedule, NewList, NewSchedule, SchedulePatch } from '../../core/load-lists.ts'
import type { HolderName, MovementFilter } from '../../core/lot-movements.ts'
import { answerApproval } from './approval-answers.ts'
import {
  type ApprovalFilter,
  createApproval,
  decideApproval,
  listApprovals,
  readApproval,
  readFourEyes,
  readIsAnswered,
} from './approvals.ts'
import { createClawbackList } from './clawback-lists.ts'
import { issueGiftCards, releaseActivation, reserveActivation } from './gift-cards.ts'
import {
  cancelList,
  checkList,
  createList,
  type ListFilter,
  listLines,
  listLists,
  readList,
  runList,
} from './load-lists.ts'
import { changeSchedule, createSchedule, listSchedules, readSchedule } from './load-schedules.ts'
import { findHolder, readFunderOfLot, readIsDecided, readMovements, readSeen, readUnspent } from './loads.ts'
import { listMovements } from './movements.ts'
import type { AdminPool } from './pool.ts'
import { createSeries, listSeries, readSeries, sealSeries, takeSalt } from './vouchers.ts'

type Of<Read extends (run: AdminPool['run'], tenant: number, of: never, ...rest: never[]) => unknown> =
  Parameters<Read>[2]

export const createLoads = (pool: AdminPool) => ({
  holder: (tenant: number, name: HolderName) => findHolder(pool.run, tenant, name),
  seen: (tenant: number, of: Of<typeof readSeen>) => readSeen(pool.run, tenant, of),
  unspent: (tenant: number, of: Of<typeof readUnspent>) => readUnspent(pool.run, tenant, of),
  funderOfLot: (tenant: number, holder: number, lot: number) => readFunderOfLot(pool.run, tenant, holder, lot),
  movements: (tenant: number, of: Of<typeof readMovements>) => readMovements(pool.run, tenant, of),
  allMovements: (tenant: number, filter: MovementFilter, page: PageRequest) =>
    listMovements(pool.run, tenant, filter, page),
  isDecided: (tenant: number, of: Of<typeof readIsDecided>) => readIsDecided(pool.run, tenant, of),
  isAnswered: (tenant: number, key: string) => readIsAnswered(pool.run, tenant, key),
  createList: (creation: Creation<LoadList>, list: NewList, only: number | null) =>
    createList(pool, creation, list, only),
  createClawbackList: createClawbackList.bind(null, pool),
  list: (tenant: number, id: number, only: number | null) => readList(pool.run, tenant, id, only),
  lists: (tenant: number, filter: ListFilter, page: PageRequest) => listLists(pool.run, tenant, filter, page),
  lines: (tenant: number, list: number, state: LineState | null, page: PageRequest) =>
    listLines(pool.run, tenant, list, state, page),
  checkList: (change: Change<LoadList>, id: number, only: number | null) => checkList(pool, change, id, only),
  runList: (change: Change<LoadList>, id: number, only: number | null, checked: number | null) =>
    runList(pool, change, id, only, checked),
  cancelList: (change: Change<LoadList>, id: number, only: number | null) => cancelList(pool, change, id, only),
  createSchedule: (creation: Creation<LoadSchedule>, schedule: NewSchedule) => createSchedule(pool, creation, schedule),
  schedule: (tenant: number, id: number, only: number | null) => readSchedule(pool.run, tenant, id, only),
  schedules: (tenant: number, filter: Of<typeof listSchedules>, page: PageRequest) =>
    listSchedules(pool.run, tenant, filter, page),
  changeSchedule: (
    change: Change<LoadSchedule>,
    of: { id: number; only: number | null },
    patchOf: (before: LoadSchedule) => SchedulePatch,
  ) => changeSchedule(pool, change, of, patchOf),
})

export const createApprovals = (pool: AdminPool) => ({
  fourEyes: (tenant: number, key: string) => readFourEyes(pool.run, tenant, key),
  create: (creation: Creation<Approval>, kind: ApprovalKind, request: object) =>
    createApproval(pool, creation, kind, request),
  approval: (tenant: number, id: number, madeBy: number | null) => readApproval(pool.run, tenant, id, madeBy),
  approvals: (tenant: number, filter: ApprovalFilter, page: PageRequest) =>
    listApprovals(pool.run, tenant, filter, page),
  decide: (actor: Actor, decision: Parameters<typeof decideApproval>[2]) => decideApproval(pool, actor, decision),
  answer: (tenant: number, id: number, answer: ApprovalAnswer) => answerApproval(pool.run, tenant, id, answer),
})

export const createVouchers = (pool: AdminPool) => ({
  create: createSeries.bind(null, pool),
  series: readSeries.bind(null, pool.run),
  list: listSeries.bind(null, pool.run),
  salt: takeSalt.bind(null, pool),
  seal: sealSeries.bind(null, pool),
})

export const createGiftCards = (pool: AdminPool) => ({
  issue: issueGiftCards.bind(null, pool),
  reserve: reserveActivation.bind(null, pool),
  release: releaseActivation.bind(null, pool),
})
