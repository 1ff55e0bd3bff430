import { Type } from 'typebox'
import { approvalKinds, approvalStatuses } from '../../../core/approvals.ts'
import { Id, Note, Time } from '../../schemas/common.ts'
import { Choice, closed, ListOf, OrNull } from './common.ts'

const Any = (description: string) => Type.Unsafe<unknown>({ description })

export const ApprovalBody = Type.Object({
  id: Id('Id of the approval.', '42'),
  kind: Choice(approvalKinds, 'What was asked for.'),
  status: Choice(
    approvalStatuses,
    '`expired`: not decided within 7 days, or not carried out within 7 days after that.',
  ),
  request: Any('What is to be done.'),
  requestedBy: Type.String({ description: 'Label of the API key that has asked.', examples: ['finance'] }),
  requestedAt: Time('When it was asked for.'),
  expiresAt: Time('Until when it may be decided; once approved, until when it may be carried out.'),
  decidedBy: OrNull(Type.String({ description: 'Label of the API key that has decided.', examples: ['operator'] })),
  decidedAt: OrNull(Time('When it was decided.')),
  note: OrNull(Note()),
  answer: Any('Once it was carried out: status and body that the request would have been answered with.'),
})
export const ApprovalList = ListOf(ApprovalBody)

export const VerdictBody = Type.Object({ note: Type.Optional(Note()) }, closed)
