import type { PinVerdict } from './commands.ts'
import type { Reason } from './reasons.ts'
import type { Card } from './transactions.ts'
import type { WorkingSet } from './working-set.ts'

/** A card with so many wrong PINs in a row is refused everywhere, until an operator sets its counter back. */
export const pinTriesMax = 3

/**
 * Why a request is refused for its PIN; null if it is not. It counts a wrong PIN and forgets the count on a right one,
 * so it comes after everything that may defer the command.
 */
export function refusalOfPin(pin: PinVerdict | undefined, card: Card, rows: WorkingSet): Reason | null {
  switch (pin) {
    case undefined:
      return null
    case 'verified':
      if (card.pinTries > 0) rows.setPinTries(card, 0)
      return null
    case 'wrong':
      rows.setPinTries(card, card.pinTries + 1)
      return 'pin_wrong'
    case 'unverifiable':
      return 'pin_unverifiable'
    case 'replayed':
      return 'pin_replayed'
  }
}
