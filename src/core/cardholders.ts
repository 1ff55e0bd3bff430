import type { Micros } from './ids.ts'

/** Who a holder is, as people see it. */
export interface Cardholder {
  readonly id: number
  readonly version: number
  /** The business's own number of the person. */
  readonly reference: string | null
  readonly name: string | null
  /** E.164: +989… */
  readonly mobile: string | null
  /** The last four digits of the national code; the code itself is kept only as a keyed hash. */
  readonly nationalLast: string | null
  /** When the profile was made; null: there is none, as of holders of first loads. */
  readonly madeAt: Micros | null
}

/** A national code as it is kept: a keyed hash (64 hexadecimal digits) and the last four digits. */
interface National {
  readonly hash: string
  readonly last: string
}

/** What may be set of a holder; undefined: left as it is. */
export interface CardholderPatch {
  readonly reference?: string | null | undefined
  readonly name?: string | null | undefined
  readonly mobile?: string | null | undefined
  readonly national?: National | null | undefined
}

/** Which holders are meant; null: any. `funder`: those who have credit of this organisation. */
export interface CardholderFilter {
  readonly reference: string | null
  readonly mobile: string | null
  readonly nationalHash: string | null
  readonly funder: number | null
}

/** Persian, Arabic and full-width digits as the Latin ones; everything else stays. */
export const latinDigits = (text: string): string =>
  text.replace(/[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g, digit => String(digit.charCodeAt(0) & 0xf))

/** A mobile number of Iran in E.164 (+989121234567), however it was written; null if it is none. */
export function mobileOf(text: string): string | null {
  const digits = latinDigits(text).replace(/[\s\u200c\u200e\u200f().-]/g, '')
  const [, number] = /^(?:\+98|0098|98|0)?(9[0-9]{9})$/.exec(digits) ?? []
  return number === undefined ? null : `+98${number}`
}

/**
 * A national code of Iran, ten digits with the check digit last; null if it is none. Zeros that a spreadsheet took off
 * its front are put back.
 */
export function nationalCodeOf(text: string): string | null {
  const digits = latinDigits(text).replace(/[\s\u200c\u200e\u200f-]/g, '')
  if (!/^[0-9]{8,10}$/.test(digits)) return null
  const code = digits.padStart(10, '0')
  if (/^([0-9])\1{9}$/.test(code)) return null
  let sum = 0
  for (let index = 0; index < 9; index++) sum += (code.charCodeAt(index) - 48) * (10 - index)
  const rest = sum % 11
  return code.charCodeAt(9) - 48 === (rest < 2 ? rest : 11 - rest) ? code : null
}
