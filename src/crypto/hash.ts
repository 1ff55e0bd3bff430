import { hash, type KeyObject } from 'node:crypto'
import { HmacSha256 } from './hmac-sha256.ts'

/** SHA-256 in hexadecimal, 64 digits. */
export const sha256Hex = (data: string | Uint8Array): string => hash('sha256', data, 'hex')

const hmacs = new WeakMap<KeyObject, HmacSha256>()

function hmacOf(key: KeyObject): HmacSha256 {
  let hmac = hmacs.get(key)
  if (hmac === undefined) {
    hmac = new HmacSha256(key)
    hmacs.set(key, hmac)
  }
  return hmac
}

/**
 * The token of a card number: HMAC-SHA-256 under the switch's PAN key, the first 16 bytes as 32 hexadecimal digits.
 * It is what the rest of the switch knows a card by; without the key a PAN cannot be guessed from it.
 */
export function panToken(pan: string, key: KeyObject): string {
  return hmacOf(key).hexOf(pan).slice(0, 32)
}

/**
 * What a national code is found by: HMAC-SHA-256 under the PAN key, 64 hexadecimal digits. The words in front keep it
 * apart from the tokens of cards, and the tenant keeps the people of one from being looked up in another.
 */
export const nationalCodeHash = (code: string, tenant: number, key: KeyObject): string =>
  hmacOf(key).hexOf(`charsu national code|${tenant}|${code}`)
