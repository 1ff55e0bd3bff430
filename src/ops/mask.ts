/**
 * Runs of 13 to 19 digits, not inside a longer word. A card number may have 12, but so have a retrieval reference
 * number and an amount of ISO 8583, and one in ten of them passes the check of the last digit.
 */
const digitRuns = /(?<![0-9A-Za-z.])[0-9]{13,19}(?![0-9A-Za-z])/g

/** The shortest run of digits that is masked. */
export const maskedDigitsMin = 13

/**
 * Masks what passes for a card number, wherever it may have come from: the last resort, behind code that never logs
 * one.
 */
export const maskCardNumbers = (line: string): string =>
  line.replace(digitRuns, digits => (isLuhn(digits) ? `${'*'.repeat(digits.length - 4)}${digits.slice(-4)}` : digits))

function isLuhn(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48
    const doubled = digit * 2
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
