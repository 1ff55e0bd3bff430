import type { Note } from './commands.ts'
import type { Micros } from './ids.ts'
import type { AccountId } from './ledger.ts'

/** How people name a holder. */
export type HolderName =
  | { readonly by: 'id'; readonly id: number }
  | { readonly by: 'reference'; readonly reference: string }
  /** 32 hexadecimal digits. */
  | { readonly by: 'token'; readonly token: string }
  /** Id of a card. */
  | { readonly by: 'card'; readonly id: number }

/** What moves value on lots outside purchases. */
export const movementKinds = ['load', 'clawback', 'adjust', 'transfer', 'breakage'] as const
export type MovementKind = (typeof movementKinds)[number]

/** What a command did to one lot. */
export interface LotMovement {
  readonly lot: AccountId
  readonly holder: number
  readonly program: number
  readonly funder: number
  /** Below zero: taken off. */
  readonly amount: bigint
  /** What was posted on the lot after it. */
  readonly balance: bigint
}

/** The same in a list of many. */
export interface ListedMovement extends LotMovement {
  readonly kind: MovementKind
  /** The decision, by its batch and its place there. */
  readonly batch: number
  readonly index: number
  readonly at: Micros
  readonly note: Note
}

/** Each null: any. */
export interface MovementFilter {
  readonly kind: MovementKind | null
  readonly funder: number | null
  readonly program: number | null
  readonly holder: number | null
  readonly actor: string | null
  readonly from: Micros | null
  readonly to: Micros | null
}
