/** The check digit of a card number without one (ISO/IEC 7812-1, annex B: Luhn's formula). */
export function luhnDigit(digits: string): string {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48
    const doubled = digit * 2
    sum += index % 2 === 1 ? digit : doubled > 9 ? doubled - 9 : doubled
  }
  return String((10 - (sum % 10)) % 10)
}

/** A card number of a BIN (6 digits), a running number (9 digits) and its check digit. */
export function cardNumber(bin: string, serial: number): string {
  const digits = bin + String(serial).padStart(9, '0')
  return digits + luhnDigit(digits)
}

/** Whether the last of these digits is the check digit of those before it. */
export const hasCheckDigit = (digits: string): boolean => luhnDigit(digits.slice(0, -1)) === digits.slice(-1)

const cardNumberLength = 16

/**
 * A card number of 16 digits in a range (its first 6 to 12 digits). `digitsOf` gives so many random digits: numbers
 * that follow one another could be guessed.
 */
export function randomCardNumber(range: string, digitsOf: (count: number) => string): string {
  const digits = range + digitsOf(cardNumberLength - 1 - range.length)
  return digits + luhnDigit(digits)
}
