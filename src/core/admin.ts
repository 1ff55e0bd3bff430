import type { Agreed } from './approvals.ts'
import type { Micros } from './ids.ts'
import type { Reason } from './reasons.ts'

/** Who changes something: an API key of a tenant, and what people call it. */
export interface Actor {
  readonly tenant: number
  readonly apiKey: number
  readonly label: string
}

/** A change that cannot be made. Nothing is stored: the same request may come again. */
export interface Refused {
  readonly kind: 'refused'
  readonly reason: Reason
  readonly errors?: readonly { readonly field: string; readonly message: string }[]
}

export const refused = (reason: Reason, field?: string, message = ''): Refused => ({
  kind: 'refused',
  reason,
  ...(field !== undefined && { errors: [{ field, message }] }),
})

/** A request to make something, under its key. */
export interface Creation<Item> {
  readonly actor: Actor
  /** 32 hexadecimal digits: the same key makes one thing, for ever. */
  readonly key: string
  /** Fingerprint of what may not differ under the key. See `core/content.ts`. */
  readonly content: string
  /** The JSON text that is answered and logged. It must have no secret in it. */
  bodyOf(item: Item): string
  /** The approval that it carries out: what is made and the answer of the approval are stored together. */
  readonly approval?: number
}

/** What is answered to a creation: `version` is that of the item, where it has one. */
interface StoredAnswer {
  readonly status: number
  readonly version: number | null
  readonly body: string
}

export type Created =
  | ({ readonly kind: 'created'; readonly replayed: boolean } & StoredAnswer)
  /** The key was used before with content of this fingerprint. */
  | { readonly kind: 'other_content'; readonly stored: string }
  | Refused

/** A request to change something that is there. */
export interface Change<Item> {
  readonly actor: Actor
  /** The version that the asker has seen; null: whichever it is. */
  readonly version: number | null
  /** The JSON text that is logged, before and after. It must have no secret in it. */
  bodyOf(item: Item): string
  /** The approval that it carries out. */
  readonly agreed?: Agreed<Item>
}

export type Changed<Item> =
  | { readonly kind: 'changed'; readonly item: Item }
  /** It has another version by now. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'not_found' }
  | Refused

/** `after`: the cursor of the last item of the page before; null: from the start. */
export interface PageRequest {
  readonly limit: number
  readonly after: string | null
}

/** `next`: the cursor of the last item, if there are more. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next: string | null
}

/** What a command of the engine did, for the audit log. */
export interface CommandEntry {
  readonly actor: Actor
  readonly key: string
  /** Such as `load`. */
  readonly action: string
  readonly entity: string
  readonly entityId: string
  /** JSON text. */
  readonly after: string
}

/** What was done to something. */
export interface AuditEntry {
  readonly action: string
  readonly entity: string
  readonly entityId: string
  /** JSON texts. */
  readonly before: string | null
  readonly after: string | null
}

/** A line of the audit log. */
export interface AuditLine extends AuditEntry {
  readonly id: number
  readonly at: Micros
  readonly apiKey: number
  /** What people called the API key then. */
  readonly actor: string
}

/** Each null: any. */
export interface AuditFilter {
  readonly entity: string | null
  readonly entityId: string | null
  readonly action: string | null
  /** Id of an API key. */
  readonly actor: number | null
  readonly from: Micros | null
  readonly to: Micros | null
}
