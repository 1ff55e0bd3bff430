import type { AccountId } from './ledger.ts'

/** How people name a holder. */
export type HolderName =
  | { readonly by: 'id'; readonly id: number }
  | { readonly by: 'reference'; readonly reference: string }
  /** 32 hexadecimal digits. */
  | { readonly by: 'token'; readonly token: string }
  /** Id of a card. */
  | { readonly by: 'card'; readonly id: number }

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
