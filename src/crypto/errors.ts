/** What can go wrong in this room. The texts never contain what was given: no key, PIN, PAN or block. */
const cryptoErrorTexts = {
  key_length: 'a key of this length is not usable here',
  key_strength: 'the key is stronger than the key that would protect or derive it',
  data_length: 'not a whole number of cipher blocks',
  pan: 'not a card number of a usable length',
  pin: 'a PIN is 4 to 12 digits',
  pin_block: 'the PIN block is not valid',
  pin_translation: 'ISO 9564-1 does not allow a PIN to go from this format to that one',
  validation_data: 'the data of a PIN verification is not of its form',
  decimalisation_table: 'the decimalisation table is not sixteen well spread digits',
  ksn: 'the key serial number is not valid, or its counter breaks the rules',
  components: 'key components must be two or more, of one usable length',
  check_value: 'the check value differs',
  key_block_format: 'the key block is not well formed',
  key_block_version: 'key blocks of this version are not made here',
  key_block_mac: 'the key block has been altered, or is under another key',
  stored_key: 'the stored key has been altered, belongs elsewhere, or is under another key',
  sealed_pan: 'the sealed card number has been altered, belongs elsewhere, or is under another key',
} as const

type CryptoErrorCode = keyof typeof cryptoErrorTexts

/**
 * Thrown by every function of this room. `position` tells an operator where: the component, counted from 1, or the
 * character of a key block, counted from 0. Safe to log.
 */
export class CryptoError extends Error {
  readonly code: CryptoErrorCode
  readonly position: number | undefined

  constructor(code: CryptoErrorCode, position?: number) {
    super(`${code}: ${cryptoErrorTexts[code]}${position === undefined ? '' : `, at ${position}`}`)
    this.name = 'CryptoError'
    this.code = code
    this.position = position
  }
}
