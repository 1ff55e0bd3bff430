import type { ApprovalKind } from '../../core/approvals.ts'
import type { Executor } from './approvals.ts'
import { activateApproved } from './gift-activation.ts'
import { loadApproved } from './gift-load.ts'
import { mergeApproved } from './gift-merge.ts'
import { carryOutTerms } from './program-terms.ts'
import { clawBackApproved } from './routes/clawback-lists.ts'
import { runApprovedList } from './routes/load-files.ts'
import { createApprovedSchedule } from './routes/load-schedules.ts'
import { createApprovedSeries } from './routes/vouchers.ts'
import { changeApprovedTenant, setApprovedHoliday } from './tenant-changes.ts'
import { carryOutMove } from './value-moves.ts'

/** How each kind of request is carried out, once a second person has approved it. */
export const executors: Readonly<Record<ApprovalKind, Executor>> = {
  load: carryOutMove,
  clawback: carryOutMove,
  adjust: carryOutMove,
  transfer: carryOutMove,
  list: runApprovedList,
  'clawback-list': clawBackApproved,
  schedule: createApprovedSchedule,
  vouchers: createApprovedSeries,
  activation: activateApproved,
  'gift-load': loadApproved,
  merge: mergeApproved,
  terms: carryOutTerms,
  tenant: changeApprovedTenant,
  holiday: setApprovedHoliday,
}
