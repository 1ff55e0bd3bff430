import { equalTexts } from './bytes.ts'
import { digitsOfBlock } from './decimal-digits.ts'
import { CryptoError } from './errors.ts'
import { retailMac } from './mac.ts'

/** `expiry` is four digits in the order that the issuer uses; a service code of 000 makes the CVV2, 999 the iCVV. */
type CardVerificationData = { readonly pan: string; readonly expiry: string; readonly serviceCode: string }

/**
 * The card verification value (CVV, CVC), 3 digits, under a key pair of 16 bytes: the two blocks of PAN, expiry and
 * service code through DES, DES, inverse DES and DES, which is a retail MAC. Throws CryptoError `pan`,
 * `validation_data` or `key_length`.
 */
export function cardVerificationValue(key: Buffer, { pan, expiry, serviceCode }: CardVerificationData): string {
  if (!/^[0-9]{12,19}$/.test(pan)) throw new CryptoError('pan')
  if (!/^[0-9]{4}$/.test(expiry) || !/^[0-9]{3}$/.test(serviceCode)) throw new CryptoError('validation_data')
  const data = Buffer.from((pan + expiry + serviceCode).padEnd(32, '0'), 'hex')
  return digitsOfBlock(retailMac(key, data, 1), 3)
}

/** Whether `value` is the card verification value, in constant time. Throws as `cardVerificationValue` does. */
export const verifyCardVerificationValue = (key: Buffer, data: CardVerificationData, value: string): boolean =>
  equalTexts(cardVerificationValue(key, data), value)
