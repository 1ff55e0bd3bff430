import type { Micros } from './ids.ts'
import type { Card } from './transactions.ts'

export const cardStatuses = ['active', 'blocked', 'inactive', 'replaced', 'closed'] as const
export const cardKinds = ['physical', 'virtual', 'voucher'] as const
export type CardKind = (typeof cardKinds)[number]

/** A card as the admin API has it: never its number, which is in the vault. */
export interface CardRecord {
  readonly id: number
  /** What the switch knows it by; it is no secret, and no number can be made of it. */
  readonly token: string
  readonly holder: number
  readonly kind: CardKind
  readonly status: Card['status']
  /** Why it was blocked, replaced or closed, in an operator's words. */
  readonly statusReason: string | null
  readonly last4: string
  /** Id of the program whose range the number is from; null where it was not issued here. */
  readonly program: number | null
  readonly expiresAt: Micros | null
  readonly issuedAt: Micros
  /** Id of the card that took its place. */
  readonly replacedBy: number | null
  /** Wrong PINs in a row. */
  readonly pinTries: number
  readonly version: number
}

/** A number that may be given to a card: as the database keeps it. `sealed`: hexadecimal, see `crypto/pan-vault.ts`. */
export interface NumberOffer {
  readonly token: string
  readonly last4: string
  readonly sealed: string
}

export interface NewCard {
  readonly holder: number
  readonly program: number
  readonly kind: 'physical' | 'virtual'
  readonly expiresAt: Micros | null
  /** Some more than one, since a number may be given already. */
  readonly offers: readonly NumberOffer[]
}

export interface CardFilter {
  readonly holder: number | null
  readonly last4: string | null
  readonly status: Card['status'] | null
  readonly token: string | null
  /** Only of holders who have credit of this organisation. */
  readonly funder: number | null
}

/** What may be done with a card, and the states it may be done in. A card that is replaced or closed stays so. */
export const cardMoves = {
  activate: { from: ['inactive'], to: 'active' },
  block: { from: ['active'], to: 'blocked' },
  unblock: { from: ['blocked'], to: 'active' },
  replace: { from: ['active', 'blocked', 'inactive'], to: 'replaced' },
  close: { from: ['active', 'blocked', 'inactive'], to: 'closed' },
} as const satisfies Record<string, { from: readonly Card['status'][]; to: Card['status'] }>
export type CardMove = keyof typeof cardMoves

export const mayMove = ({ status }: Pick<CardRecord, 'status'>, move: CardMove): boolean =>
  (cardMoves[move].from as readonly Card['status'][]).includes(status)

/** A physical card is activated when it is in its holder's hands; a virtual one has nothing to wait for. */
export const firstStatusOf = (kind: NewCard['kind']): Card['status'] => (kind === 'physical' ? 'inactive' : 'active')
