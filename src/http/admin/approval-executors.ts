import type { ApprovalKind } from '../../core/approvals.ts'
import type { Executor } from './approvals.ts'
import { carryOutTerms } from './program-terms.ts'
import { runApprovedList } from './routes/load-files.ts'
import { createApprovedSchedule } from './routes/load-schedules.ts'
import { carryOutMove } from './value-moves.ts'

/** How each kind of request is carried out, once a second person has approved it. */
export const executors: Readonly<Record<ApprovalKind, Executor>> = {
  load: carryOutMove,
  clawback: carryOutMove,
  adjust: carryOutMove,
  transfer: carryOutMove,
  list: runApprovedList,
  schedule: createApprovedSchedule,
  terms: carryOutTerms,
}
