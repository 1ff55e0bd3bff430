import { randomBytes } from 'node:crypto'
import { tdesDecrypt, tdesEncrypt } from './block-ciphers.ts'
import type { RandomBytes } from './bytes.ts'
import { CryptoError } from './errors.ts'
import { decodePinBlock, encodePinBlock } from './pin-block.ts'
import { decipherPinBlock4, encipherPinBlock4 } from './pin-block-aes.ts'

/** Formats that travel between hosts. Format 2 goes to a chip card only. */
export type PinBlockFormat = 0 | 1 | 3 | 4

/** A zone's or a terminal's way of sending PINs. The key is triple DES for formats 0, 1 and 3, AES for format 4. */
type PinEncryption = { readonly format: PinBlockFormat; readonly key: Buffer }

/** Of each format, those it may become: a PIN that is bound to a PAN stays bound to it (ISO 9564-1, section 9.5). */
const translations: Readonly<Record<PinBlockFormat, readonly PinBlockFormat[]>> = {
  0: [0, 3, 4],
  1: [0, 1, 3, 4],
  3: [0, 3, 4],
  4: [0, 3, 4],
}

/** An enciphered PIN block, 8 bytes, or 16 for format 4. Throws CryptoError `pin`, `pan` or `key_length`. */
export function encipherPin(to: PinEncryption, pin: string, pan: string, random: RandomBytes = randomBytes): Buffer {
  if (to.format === 4) return encipherPinBlock4(to.key, pin, pan, random)
  return tdesEncrypt(to.key, encodePinBlock(to.format, pin, pan, random))
}

/**
 * The PIN in an enciphered block. Throws CryptoError `pin_block` for every malformed block alike; `pan` or `key_length`
 * if these are not usable.
 */
export function decipherPin(from: PinEncryption, block: Buffer, pan: string): string {
  if (from.format === 4) return decipherPinBlock4(from.key, block, pan)
  if (block.length !== 8) throw new CryptoError('pin_block')
  return decodePinBlock(from.format, tdesDecrypt(from.key, block), pan)
}

/**
 * An enciphered PIN block under another key and, where ISO 9564-1 allows it, in another format, for the same PAN.
 * Throws CryptoError `pin_translation`, or as `decipherPin` and `encipherPin` do.
 */
export function translatePin(
  from: PinEncryption,
  to: PinEncryption,
  block: Buffer,
  pan: string,
  random: RandomBytes = randomBytes,
): Buffer {
  if (!translations[from.format].includes(to.format)) throw new CryptoError('pin_translation')
  return encipherPin(to, decipherPin(from, block, pan), pan, random)
}
