import type { Actor, Changed, Created, Creation, Page, PageRequest } from '../../core/admin.ts'
import type { Approval, ApprovalAnswer, ApprovalKind, ApprovalStatus } from '../../core/approvals.ts'
import type { Catalog } from '../../core/catalog.ts'
import { type Day, dayOfMicros } from '../../core/ids.ts'
import { fingerprintOf, readKey } from '../idempotency.ts'
import { problemOf, type Refusal, sendProblem } from '../problem.ts'
import { rfc3339 } from '../times.ts'
import { tellRequest } from './approval-requests.ts'
import type { Call } from './call.ts'
import { answerCreate, callOf, fieldsOf } from './items.ts'

/** Requests that wait for a second person. */
export interface ApprovalsAdmin {
  /**
   * `above`: amounts beyond it wait; null: none does. `isKnown`: a request under this key was told to wait.
   * `decided`: the fingerprint of what was carried out at once under this key, and is sure to be answered again.
   */
  fourEyes(
    tenant: number,
    key: string,
  ): Promise<{ readonly above: bigint | null; readonly isKnown: boolean; readonly decided: string | null }>
  create(creation: Creation<Approval>, kind: ApprovalKind, request: object): Promise<Created>
  /** `madeBy`: only what this API key has asked for; null: all. */
  approval(tenant: number, id: number, madeBy: number | null): Promise<Approval | null>
  approvals(
    tenant: number,
    filter: {
      readonly status: ApprovalStatus | null
      readonly kind: ApprovalKind | null
      readonly madeBy: number | null
    },
    page: PageRequest,
  ): Promise<Page<Approval>>
  decide(
    actor: Actor,
    decision: { readonly id: number; readonly verdict: 'approved' | 'rejected'; readonly note: string | null },
  ): Promise<Changed<Approval>>
  answer(tenant: number, id: number, answer: ApprovalAnswer): Promise<void>
}

/** An approved request, to be carried out. However often that is tried, it has one effect. */
interface Order {
  readonly id: number
  /** Who asked for it, and who has approved it. */
  readonly asker: Actor
  readonly approver: Actor
  /** 32 hexadecimal digits, and the day under which it is stored: see `Command`. */
  readonly key: string
  readonly day: Day
  readonly content: string
  /** As it was given to `waitsForSecond`. */
  readonly request: unknown
}

/**
 * Carries an order out: what the request would have been answered with. `again`: it may be tried again. What the engine
 * has not decided must be stored together with its answer: an order without one expires, and is asked for anew.
 */
export type Executor = (order: Order, call: Call) => Promise<Carried>
export type Carried = ApprovalAnswer | { readonly again: Refusal }

export const carriedRefusal = (refusal: Refusal): ApprovalAnswer => {
  const body = problemOf(refusal)
  return { status: body.status, body }
}

export const orderOf = ({ id, key, content, madeAt, madeBy, request }: Approval, approver: Actor): Order => ({
  id,
  asker: { ...approver, ...madeBy },
  approver,
  key,
  // That of the request, so that the key is looked for under the same day however late it is carried out.
  day: dayOfMicros(madeAt),
  content,
  request,
})

interface Wish {
  readonly kind: ApprovalKind
  /** Null: it waits wherever four eyes are asked for at all. */
  readonly amount: bigint | null
  /** What its executor gets, once it is approved: JSON, without any secret. */
  readonly request: object
  /** The fields of the body in an order that never changes, and the body without secrets: as in `answerCreate`. */
  readonly names: readonly string[]
  readonly content?: object
}

/**
 * Whether a second person must agree, now or when the same request came before: it has been answered then, 202 with an
 * approval, or why not. False: it is to be carried out at once, and nothing has been answered.
 */
export async function waitsForSecond(call: Call, wish: Wish): Promise<boolean> {
  const { request, reply, deps } = call
  const read = readKey(request)
  if ('refusal' in read) {
    sendProblem(reply, read.refusal)
    return true
  }
  const { approvals } = deps.admin
  const { above, isKnown, decided } = await approvals.fourEyes(request.apiKey.tenant, read.key)
  const waits = above !== null && (wish.amount === null || wish.amount > above)
  const { names, content } = wish
  const asked = fingerprintOf(callOf(request), ...fieldsOf(content ?? (request.body as object), names))
  // What was carried out before the threshold was there is answered again: as an approval it would be done twice.
  if (!isKnown && (!waits || decided === asked)) return false
  const catalog = deps.catalogOf(request.apiKey.tenant)
  const render = (approval: Approval): object => approvalBody(approval, catalog)
  await answerCreate(call, { names, render, ...(content !== undefined && { content }) }, creation =>
    approvals.create(creation, wish.kind, wish.request),
  )
  return true
}

export const approvalBody = (approval: Approval, catalog: Catalog | undefined) => ({
  id: String(approval.id),
  kind: approval.kind,
  status: approval.status,
  request: tellRequest(approval.request, catalog),
  requestedBy: approval.madeBy.label,
  requestedAt: rfc3339(approval.madeAt),
  expiresAt: rfc3339(approval.expiresAt),
  decidedBy: approval.decidedBy?.label ?? null,
  decidedAt: approval.decidedAt === null ? null : rfc3339(approval.decidedAt),
  note: approval.note,
  answer: approval.answer,
})
