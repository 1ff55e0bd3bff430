import { tdesEncrypt } from './block-ciphers.ts'
import { equalTexts } from './bytes.ts'
import { digitsOfBlock } from './decimal-digits.ts'
import { CryptoError } from './errors.ts'

/** What a Visa PVV is made from: the key pair (16 bytes), its index (one digit), and the PAN with its check digit. */
type VisaPvvData = { readonly key: Buffer; readonly keyIndex: string; readonly pan: string }

/**
 * The PIN verification value of Visa, 4 digits: triple DES of 11 digits of the PAN, the key index and the first 4
 * digits of the PIN; its decimal digits, then its letters as digits. Throws CryptoError `pin`, `pan`,
 * `validation_data` or `key_length`.
 */
export function visaPvv({ key, keyIndex, pan }: VisaPvvData, pin: string): string {
  checkPin(pin)
  if (!/^[0-9]{12,19}$/.test(pan)) throw new CryptoError('pan')
  if (!/^[0-9]$/.test(keyIndex)) throw new CryptoError('validation_data')
  const parameter = Buffer.from(`${pan.slice(-12, -1)}${keyIndex}${pin.slice(0, 4)}`, 'hex')
  return digitsOfBlock(tdesEncrypt(key, parameter), 4)
}

/** Whether the PVV is that of the PIN, in constant time. Throws as `visaPvv` does. */
export const verifyVisaPvv = (data: VisaPvvData, pin: string, pvv: string): boolean =>
  equalTexts(visaPvv(data, pin), pvv)

/**
 * What an IBM 3624 PIN is made from: the PIN verification key (16 or 24 bytes), the decimalisation table (what 0 to F
 * become, 16 digits), and the validation data (16 hexadecimal digits, as of `validationDataOf`).
 */
type Ibm3624Data = {
  readonly key: Buffer
  readonly decimalisation: string
  readonly validationData: string
}

/** Digits `start` (from 0) and on of the PAN, `length` of them, filled on the right with `pad` to 16. */
export function validationDataOf(pan: string, part: { start: number; length: number; pad: string }): string {
  const digits = pan.slice(part.start, part.start + part.length)
  if (digits.length !== part.length || !/^[0-9A-F]$/.test(part.pad)) throw new CryptoError('validation_data')
  return digits.padEnd(16, part.pad)
}

/**
 * The natural PIN of IBM 3624, `length` digits (4 to 12): the validation data under triple DES, decimalised. Throws
 * CryptoError `pin` for another length, `decimalisation_table`, `validation_data` or `key_length`.
 */
export function naturalPin({ key, decimalisation, validationData }: Ibm3624Data, length: number): string {
  checkPin('0'.repeat(length))
  checkDecimalisation(decimalisation)
  if (!/^[0-9A-F]{16}$/.test(validationData)) throw new CryptoError('validation_data')
  const block = tdesEncrypt(key, Buffer.from(validationData, 'hex')).toString('hex')
  return [...block.slice(0, length)].map(digit => decimalisation.charAt(Number.parseInt(digit, 16))).join('')
}

/** The IBM 3624 offset of a PIN, as many digits as it has: PIN minus natural PIN, each digit modulo 10. */
export function ibm3624Offset(data: Ibm3624Data, pin: string): string {
  checkPin(pin)
  return combineDigits(pin, naturalPin(data, pin.length), (digit, natural) => digit + 10 - natural)
}

/**
 * Whether natural PIN and offset make the PIN, in constant time. An offset that has not as many digits as the PIN is
 * another PIN's. Throws as `naturalPin` does.
 */
export function verifyIbm3624(data: Ibm3624Data, pin: string, offset: string): boolean {
  checkPin(pin)
  if (!/^[0-9]*$/.test(offset)) throw new CryptoError('validation_data')
  const natural = naturalPin(data, pin.length)
  if (offset.length !== pin.length) return false
  return equalTexts(
    combineDigits(natural, offset, (digit, shift) => digit + shift),
    pin,
  )
}

function combineDigits(left: string, right: string, combine: (left: number, right: number) => number): string {
  return [...left]
    .map((digit, index) => combine(Number.parseInt(digit, 10), Number.parseInt(right.charAt(index), 10)) % 10)
    .join('')
}

function checkPin(pin: string) {
  if (!/^[0-9]{4,12}$/.test(pin)) throw new CryptoError('pin')
}

/**
 * At least eight different digits, none more than four times, as security modules demand: a table of few digits tells
 * the PIN to whoever may choose it.
 */
function checkDecimalisation(table: string) {
  const counts = [...'0123456789'].map(digit => table.split(digit).length - 1).filter(count => count > 0)
  const isSpread = counts.length >= 8 && Math.max(...counts) <= 4
  if (!/^[0-9]{16}$/.test(table) || !isSpread) throw new CryptoError('decimalisation_table')
}
