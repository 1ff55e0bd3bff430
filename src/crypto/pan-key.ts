import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'

/** A new key under which card numbers become tokens: 32 random bytes as 64 hexadecimal digits. */
export const newPanKey = (): string => randomBytes(32).toString('hex')

/**
 * The key of 64 hexadecimal digits. Every switch on one database needs the same one. Throws without naming the
 * digits.
 */
export function panKeyOf(hex: string): KeyObject {
  if (!/^[0-9a-f]{64}$/i.test(hex)) throw new Error('the PAN key must be 64 hexadecimal digits')
  return createSecretKey(Buffer.from(hex, 'hex'))
}
