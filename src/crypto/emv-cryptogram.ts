import { tdesEncrypt } from './block-ciphers.ts'
import { equalBytes, xor } from './bytes.ts'
import { CryptoError } from './errors.ts'
import { type MacPadding, retailMac } from './mac.ts'

/**
 * The card's master key by option A of EMV book 2, annex A1.4.1, 16 bytes, from the issuer's (16 bytes), the PAN and
 * the two digits of the PAN sequence number. Throws CryptoError `pan` or `key_length`.
 */
export function cardMasterKey(issuerKey: Buffer, pan: string, sequenceNumber: string): Buffer {
  if (!/^[0-9]{12,19}$/.test(pan) || !/^[0-9]{2}$/.test(sequenceNumber)) throw new CryptoError('pan')
  const left = Buffer.from((pan + sequenceNumber).slice(-16).padStart(16, '0'), 'hex')
  return tdesEncrypt(issuerKey, Buffer.concat([left, xor(left, Buffer.alloc(8, 0xff))]))
}

/**
 * Whether `cryptogram` (ARQC, 8 bytes) is that of the card's data, in constant time: ISO/IEC 9797-1 algorithm 3 under
 * the session key, or under the card's master key where the scheme has none (CVN 10). EMV book 2, section 8.1.
 */
export const verifyCryptogram = (key: Buffer, data: Buffer, cryptogram: Buffer, padding: MacPadding): boolean =>
  equalBytes(retailMac(key, data, padding), cryptogram)

/** The issuer's answer to an ARQC (ARPC, method 1), 8 bytes; the response code has 2. EMV book 2, section 8.2.1. */
export function responseCryptogram(key: Buffer, cryptogram: Buffer, responseCode: Buffer): Buffer {
  return tdesEncrypt(key, xor(cryptogram, Buffer.concat([responseCode, Buffer.alloc(6)])))
}
