import { createHmac, hash, type KeyObject } from 'node:crypto'

/** SHA-256 in hexadecimal, 64 digits. */
export const sha256Hex = (text: string): string => hash('sha256', text, 'hex')

/**
 * The token of a card number: HMAC-SHA-256 under the switch's PAN key, the first 16 bytes as 32 hexadecimal digits.
 * It is what the rest of the switch knows a card by; without the key a PAN cannot be guessed from it.
 */
export function panToken(pan: string, key: KeyObject): string {
  return createHmac('sha256', key).update(pan).digest('hex').slice(0, 32)
}
