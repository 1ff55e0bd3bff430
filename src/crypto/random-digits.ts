import { randomInt } from 'node:crypto'

/** So many decimal digits that nobody can guess. */
export const randomDigits = (count: number): string => Array.from({ length: count }, () => randomInt(10)).join('')
