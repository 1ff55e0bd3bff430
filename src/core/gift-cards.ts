import type { NumberOffer } from './cards.ts'
import type { Micros } from './ids.ts'

export const giftCardsMax = 1_000

/** Gift cards that were issued together: inactive, each with an account that nobody else has. */
export interface GiftBatch {
  readonly program: string
  readonly cards: readonly { readonly id: number; readonly holder: number; readonly last4: string }[]
}

export interface NewGiftBatch {
  readonly program: { readonly id: number; readonly code: string }
  readonly count: number
  readonly expiresAt: Micros | null
  /** Some more than `count`, since a number may be given already. */
  readonly offers: readonly NumberOffer[]
}
