import type { FieldType, SignedType } from './dialect-format.ts'

const alpha = 1
const digit = 2
const space = 4
const special = 8
/** Printable, above ASCII. */
const high = 16
const control = 32
/** The digits and `: ; < = > ?` of ISO 7811-2 tracks, and the letter D that terminals send in place of `=`. */
const track = 64
/** C for credit, D for debit: the x of x+n. */
const sign = 128

/** The classes of each of the 256 one-byte characters, as bits. */
export const characterClasses = classify()

/** ISO 8583:1987 clause 4, attribute letters; a space goes with every type that has special characters. */
const allowedByType = {
  a: alpha,
  n: digit,
  s: special | space,
  an: alpha | digit,
  as: alpha | special | space,
  ns: digit | special | space,
  anp: alpha | digit | space,
  ans: alpha | digit | special | space,
  z: track,
  any: alpha | digit | special | space | high | control,
} as const

export const signsAllowed: Readonly<Record<SignedType, number>> = { 'x+n': sign, 'an+n': alpha | digit }
export const digitAllowed = digit

/**
 * The class bits that a text type allows; characters above ASCII count as special ones where the encoding has them.
 */
export function allowedClasses(type: Exclude<FieldType, 'b' | SignedType>, aboveAscii: boolean) {
  const allowed = allowedByType[type]
  return aboveAscii && (allowed & special) !== 0 ? allowed | high : allowed
}

/** 0 to 15 for the code of a hexadecimal digit of either case, else -1. */
export const nibbleOfCharacter = new Int8Array(256).fill(-1)
for (let nibble = 0; nibble < 16; nibble++) {
  const text = nibble.toString(16)
  nibbleOfCharacter[text.charCodeAt(0)] = nibble
  nibbleOfCharacter[text.toUpperCase().charCodeAt(0)] = nibble
}

/** The code of the upper-case hexadecimal digit of a nibble. */
export const characterOfNibble = Uint8Array.from('0123456789ABCDEF', character => character.charCodeAt(0))

function classify() {
  const classes = new Uint8Array(256)
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code)
    if (/[A-Za-z]/.test(character)) classes[code] = alpha
    else if (/[0-9]/.test(character)) classes[code] = digit | track
    else if (character === ' ') classes[code] = space
    else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) classes[code] = control
    else classes[code] = code < 0x7f ? special : high
    if (/[:;<=>?]/.test(character)) classes[code]! |= track
  }
  classes['C'.charCodeAt(0)]! |= sign
  classes['D'.charCodeAt(0)]! |= sign | track
  return classes
}
