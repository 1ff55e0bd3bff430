import { timingSafeEqual } from 'node:crypto'
import { CryptoError } from './errors.ts'

/** `left` xor `right`, which must be as long. */
export function xor(left: Buffer, right: Buffer): Buffer {
  if (left.length !== right.length) throw new CryptoError('data_length')
  const result = Buffer.allocUnsafe(left.length)
  for (let index = 0; index < left.length; index++) result[index] = left[index]! ^ right[index]!
  return result
}

/** Equal, in a time that tells only whether the lengths differ. */
export const equalBytes = (left: Buffer, right: Buffer): boolean =>
  left.length === right.length && timingSafeEqual(left, right)

/** The same for short texts, such as a PVV. */
export const equalTexts = (left: string, right: string): boolean => equalBytes(Buffer.from(left), Buffer.from(right))

/** How random bytes are come by: `crypto.randomBytes`, or a fixed source that replays a run. */
export type RandomBytes = (count: number) => Buffer
