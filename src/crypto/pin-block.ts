import { randomBytes } from 'node:crypto'
import { type RandomBytes, xor } from './bytes.ts'
import { CryptoError } from './errors.ts'

/** The formats of 8 bytes, which a triple DES key enciphers; format 4 is in `pin-block-aes.ts`. */
export type TdesPinBlockFormat = 0 | 1 | 2 | 3

type Format = {
  readonly isPanBound: boolean
  /** Sixteen nibbles of which those that neither length nor PIN take become the fill. */
  fill(random: RandomBytes): string
  readonly fillForm: RegExp
}

const blockBytes = 8
const blockDigits = 16

const formats: Readonly<Record<TdesPinBlockFormat, Format>> = {
  0: { isPanBound: true, fill: () => 'F'.repeat(blockDigits), fillForm: /^F*$/ },
  1: { isPanBound: false, fill: random => random(blockBytes).toString('hex'), fillForm: /^/ },
  2: { isPanBound: false, fill: () => 'F'.repeat(blockDigits), fillForm: /^F*$/ },
  3: { isPanBound: true, fill: fromAToF, fillForm: /^[A-F]*$/ },
}

/**
 * A clear PIN block of ISO 9564-1, section 9.3, 8 bytes. Formats 0 and 3 are bound to the PAN: 13 to 19 digits, the
 * last one the check digit; 1 and 2 do not use it. Throws CryptoError `pin` or `pan`.
 */
export function encodePinBlock(
  format: TdesPinBlockFormat,
  pin: string,
  pan: string,
  random: RandomBytes = randomBytes,
): Buffer {
  const { isPanBound, fill } = formats[format]
  const front = `${format}${pinLengthDigit(pin)}${pin}`
  const field = Buffer.from(front + fill(random).slice(front.length), 'hex')
  return isPanBound ? xor(field, panField(pan)) : field
}

/**
 * The PIN in a clear PIN block, 4 to 12 digits. Throws CryptoError `pin_block` for every malformed block alike, so that
 * the answer can't be used to search for a PIN; `pan` if the format needs a PAN and this is none.
 */
export function decodePinBlock(format: TdesPinBlockFormat, block: Buffer, pan: string): string {
  const { isPanBound, fillForm } = formats[format]
  if (block.length !== blockBytes) throw new CryptoError('pin_block')
  const field = isPanBound ? xor(block, panField(pan)) : block
  return readPinField(field.toString('hex').toUpperCase(), format, fillForm)
}

/**
 * The PIN of a field of sixteen hexadecimal digits: control, length, PIN, fill. Throws CryptoError `pin_block`.
 */
export function readPinField(field: string, control: number, fillForm: RegExp): string {
  const pinEnd = 2 + Number.parseInt(field.charAt(1), 16)
  const pin = field.slice(2, pinEnd)
  if (field.charAt(0) !== String(control) || !pinForm.test(pin) || !fillForm.test(field.slice(pinEnd))) {
    throw new CryptoError('pin_block')
  }
  return pin
}

/** The length of a PIN as one hexadecimal digit. Throws CryptoError `pin`. */
export function pinLengthDigit(pin: string): string {
  if (!pinForm.test(pin)) throw new CryptoError('pin')
  return pin.length.toString(16).toUpperCase()
}

const pinForm = /^[0-9]{4,12}$/

/** Four zeros and the rightmost twelve digits of the PAN without its check digit. */
function panField(pan: string): Buffer {
  if (!/^[0-9]{13,19}$/.test(pan)) throw new CryptoError('pan')
  return Buffer.from(`0000${pan.slice(-13, -1)}`, 'hex')
}

/** Nibbles that are each 10 to 15 with the same chance: 252 is the greatest multiple of 6 that a byte can hold. */
function fromAToF(random: RandomBytes): string {
  let nibbles = ''
  while (nibbles.length < blockDigits) {
    for (const byte of random(blockDigits)) if (byte < 252) nibbles += 'ABCDEF'.charAt(byte % 6)
  }
  return nibbles.slice(0, blockDigits)
}
