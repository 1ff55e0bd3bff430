import { xor } from './bytes.ts'
import { CryptoError } from './errors.ts'
import { type KeyAlgorithm, matchesCheckValue } from './key-check-value.ts'

/** What one key custodian enters. The check value, where there is one, is at least 3 bytes. */
type KeyComponent = { readonly bytes: Buffer; readonly checkValue?: Buffer }

const lengths: Readonly<Record<KeyAlgorithm, readonly number[]>> = { tdes: [16, 24], aes: [16, 24, 32] }

/**
 * The key of two or more components, by exclusive or, a triple DES key with odd parity. `checkValue` is the key's own.
 * Throws CryptoError `components` if they are too few or of no one usable length, `check_value` with the position of
 * the component, or with none for the key.
 */
export function combineComponents(
  algorithm: KeyAlgorithm,
  components: readonly KeyComponent[],
  checkValue: Buffer,
): Buffer {
  const [first, ...others] = components.map(({ bytes }) => bytes)
  const hasOneLength = others.every(({ length }) => length === first?.length)
  if (first === undefined || others.length === 0 || !hasOneLength || !lengths[algorithm].includes(first.length)) {
    throw new CryptoError('components')
  }
  for (const [index, component] of components.entries()) {
    if (component.checkValue === undefined) continue
    if (!matchesCheckValue(algorithm, component.bytes, component.checkValue)) {
      throw new CryptoError('check_value', index + 1)
    }
  }
  const combined = others.reduce(xor, first)
  const key = algorithm === 'tdes' ? withOddParity(combined) : combined
  if (!matchesCheckValue(algorithm, key, checkValue)) throw new CryptoError('check_value')
  return key
}

/** The key with the lowest bit of every byte set so that its one bits are odd in number: DES's parity (FIPS 46-3). */
export const withOddParity = (key: Buffer): Buffer => Buffer.from(key.map(byte => (hasOddOnes(byte) ? byte : byte ^ 1)))

function hasOddOnes(byte: number): boolean {
  let folded = byte ^ (byte >> 4)
  folded ^= folded >> 2
  folded ^= folded >> 1
  return (folded & 1) === 1
}
