import type { Created, Creation } from '../../core/admin.ts'
import type { GiftBatch, NewGiftBatch } from '../../core/gift-cards.ts'

/** Gift cards, beside what all cards have. */
export interface GiftCardsAdmin {
  issue(creation: Creation<GiftBatch>, batch: NewGiftBatch): Promise<Created>
  /** Takes the activation of a card for one request. False: another has it. */
  reserve(tenant: number, card: number, key: string): Promise<boolean>
  /** Gives it back: the first load was refused. */
  release(tenant: number, card: number, key: string): Promise<void>
}
