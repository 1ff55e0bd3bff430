import { randomBytes } from 'node:crypto'
import { aesBlockBytes, aesDecrypt, aesEncrypt } from './block-ciphers.ts'
import { type RandomBytes, xor } from './bytes.ts'
import { CryptoError } from './errors.ts'
import { pinLengthDigit, readPinField } from './pin-block.ts'

const fieldDigits = 16

/**
 * An enciphered PIN block of ISO 9564-1 format 4, section 9.4, 16 bytes: the PIN field enciphered, joined with the PAN
 * field, enciphered again. The PAN is up to 19 digits, the check digit among them. Throws CryptoError `pin`, `pan` or
 * `key_length`.
 */
export function encipherPinBlock4(key: Buffer, pin: string, pan: string, random: RandomBytes = randomBytes): Buffer {
  return aesEncrypt(key, xor(aesEncrypt(key, encodePinField4(pin, random)), panField4(pan)))
}

/**
 * The PIN in an enciphered format 4 block. Throws CryptoError `pin_block` for a malformed block, another key or another
 * PAN alike; `pan` or `key_length` if these are not usable.
 */
export function decipherPinBlock4(key: Buffer, block: Buffer, pan: string): string {
  if (block.length !== aesBlockBytes) throw new CryptoError('pin_block')
  return decodePinField4(aesDecrypt(key, xor(aesDecrypt(key, block), panField4(pan))))
}

/** The clear PIN field of format 4, 16 bytes: control 4, length, PIN, fill A, and 8 random bytes. */
export function encodePinField4(pin: string, random: RandomBytes = randomBytes): Buffer {
  const front = `4${pinLengthDigit(pin)}${pin}`.padEnd(fieldDigits, 'A')
  return Buffer.concat([Buffer.from(front, 'hex'), random(aesBlockBytes / 2)])
}

/** The PIN in a clear PIN field of format 4. Throws CryptoError `pin_block`. */
export function decodePinField4(field: Buffer): string {
  if (field.length !== aesBlockBytes) throw new CryptoError('pin_block')
  return readPinField(field.toString('hex').toUpperCase().slice(0, fieldDigits), 4, /^A*$/)
}

/** How many digits there are beyond twelve, the PAN, and zeros; a shorter PAN gets zeros in front. */
function panField4(pan: string): Buffer {
  if (!/^[0-9]{1,19}$/.test(pan)) throw new CryptoError('pan')
  const digits = pan.padStart(12, '0')
  return Buffer.from(`${digits.length - 12}${digits}`.padEnd(aesBlockBytes * 2, '0'), 'hex')
}
