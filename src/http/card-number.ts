import { hasCheckDigit } from '../core/card-numbers.ts'

// A run of digits with nothing between, or grouped as it is printed on a card.
const candidates = /(?<!\d)(?:[2-69]\d{14,18}|[2-69]\d{3}(?:[ -]\d{4}){3}(?:[ -]\d{1,3})?)(?!\d)/g

// Persian, Arabic and full-width digits: their last four bits are their value.
const otherDigits = /[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g

/**
 * Whether a text holds what may be a card number: 15 to 19 digits that begin as payment cards do (2 to 6, and 9, which
 * is for national use) and satisfy the Luhn check (ISO/IEC 7812-1). Times in any unit begin with 1, and many bill
 * numbers are times.
 */
export function holdsCardNumber(text: string): boolean {
  const latin = text.replace(otherDigits, digit => String(digit.charCodeAt(0) & 0xf))
  for (const [run] of latin.matchAll(candidates)) if (hasCheckDigit(run.replace(/[ -]/g, ''))) return true
  return false
}
