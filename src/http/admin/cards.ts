import type { Actor, Change, Changed, Created, Creation, Page, PageRequest } from '../../core/admin.ts'
import type { Cardholder, CardholderFilter, CardholderPatch } from '../../core/cardholders.ts'
import type { CardFilter, CardMove, CardRecord, NewCard } from '../../core/cards.ts'

type Replacement = Omit<NewCard, 'holder'> & { readonly reason: string | null }

/**
 * Cardholders and their cards. `funder`: only those who have credit of this organisation; null: all. What a key of an
 * organisation may not see is not there.
 */
export interface CardsAdmin {
  cardholder(tenant: number, id: number, funder: number | null): Promise<Cardholder | null>
  cardholders(tenant: number, filter: CardholderFilter, page: PageRequest): Promise<Page<Cardholder>>
  createCardholder(creation: Creation<Cardholder>, fields: CardholderPatch): Promise<Created>
  changeCardholder(change: Change<Cardholder>, id: number, patch: CardholderPatch): Promise<Changed<Cardholder>>

  card(tenant: number, id: number, funder: number | null): Promise<CardRecord | null>
  cards(tenant: number, filter: CardFilter, page: PageRequest): Promise<Page<CardRecord>>
  /** The last digits of cards, by token. */
  last4Of(tenant: number, tokens: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** What the numbers of a program's cards begin with; null: it has no range. */
  range(tenant: number, program: number): Promise<string | null>
  issue(creation: Creation<CardRecord>, card: NewCard): Promise<Created>
  replace(creation: Creation<CardRecord>, id: number, replacement: Replacement): Promise<Created>
  /** A card that is there already is left as it is. */
  move(
    change: Omit<Change<CardRecord>, 'version'>,
    id: number,
    move: Exclude<CardMove, 'replace'>,
    reason: string | null,
  ): Promise<Changed<CardRecord>>
  change(
    change: Change<CardRecord>,
    id: number,
    patch: { readonly expiresAt: number | null },
  ): Promise<Changed<CardRecord>>
  resetPin(change: Omit<Change<CardRecord>, 'version'>, id: number): Promise<Changed<CardRecord>>
  /** The sealed number in hexadecimal; that it was asked for is logged. */
  reveal(
    actor: Actor,
    id: number,
  ): Promise<
    { readonly kind: 'sealed'; readonly token: string; readonly sealed: string } | { readonly kind: 'not_found' }
  >
}
