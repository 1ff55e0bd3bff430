import type { ApprovalAnswer } from '../../core/approvals.ts'
import type { Run } from './pool.ts'

/** Keeps what came of an approved request: the first that is known. */
export async function answerApproval(run: Run, tenant: number, id: number, answer: ApprovalAnswer): Promise<void> {
  await run(`UPDATE approvals SET answer = $3::json WHERE tenant = $1 AND id = $2 AND answer IS NULL`, [
    tenant,
    id,
    JSON.stringify(answer),
  ])
}
