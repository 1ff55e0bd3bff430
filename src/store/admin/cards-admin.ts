import type { Actor, Change, Creation, PageRequest } from '../../core/admin.ts'
import type { Cardholder, CardholderFilter, CardholderPatch } from '../../core/cardholders.ts'
import type { CardFilter, CardMove, CardRecord, NewCard } from '../../core/cards.ts'
import { changeCardholder, createCardholder, listCardholders, readCardholder } from './cardholders.ts'
import {
  changeCard,
  issueCard,
  listCards,
  moveCard,
  type Replacement,
  readCardRecord,
  readLast4,
  readRange,
  replaceCard,
  resetCardPin,
  revealCard,
} from './cards.ts'
import type { AdminPool } from './pool.ts'

/** Cardholders and their cards. */
export const createCards = (pool: AdminPool) => ({
  cardholder: (tenant: number, id: number, funder: number | null) => readCardholder(pool.run, tenant, id, funder),
  cardholders: (tenant: number, filter: CardholderFilter, page: PageRequest) =>
    listCardholders(pool.run, tenant, filter, page),
  createCardholder: (creation: Creation<Cardholder>, fields: CardholderPatch) =>
    createCardholder(pool, creation, fields),
  changeCardholder: (change: Change<Cardholder>, id: number, patch: CardholderPatch) =>
    changeCardholder(pool, change, id, patch),

  card: (tenant: number, id: number, funder: number | null) => readCardRecord(pool.run, tenant, id, funder),
  cards: (tenant: number, filter: CardFilter, page: PageRequest) => listCards(pool.run, tenant, filter, page),
  last4Of: (tenant: number, tokens: readonly string[]) => readLast4(pool.run, tenant, tokens),
  range: (tenant: number, program: number) => readRange(pool.run, tenant, program),
  issue: (creation: Creation<CardRecord>, card: NewCard) => issueCard(pool, creation, card),
  replace: (creation: Creation<CardRecord>, id: number, replacement: Replacement) =>
    replaceCard(pool, creation, id, replacement),
  move: (
    change: Omit<Change<CardRecord>, 'version'>,
    id: number,
    move: Exclude<CardMove, 'replace'>,
    reason: string | null,
  ) => moveCard(pool, change, id, move, reason),
  change: (change: Change<CardRecord>, id: number, patch: { readonly expiresAt: number | null }) =>
    changeCard(pool, change, id, patch),
  resetPin: (change: Omit<Change<CardRecord>, 'version'>, id: number) => resetCardPin(pool, change, id),
  reveal: (actor: Actor, id: number) => revealCard(pool, actor, id),
})
