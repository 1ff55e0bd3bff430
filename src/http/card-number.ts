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
  for (const [run] of latin.matchAll(candidates)) if (isLuhnValid(run.replace(/[ -]/g, ''))) return true
  return false
}

function isLuhnValid(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48
    const doubled = index % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
