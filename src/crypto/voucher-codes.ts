import { createHmac, type KeyObject } from 'node:crypto'

/** Crockford's base 32: no I, L, O or U, so that a code can be read out and typed. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const randomChars = 15
const groupChars = 4

/** What the codes of a series are made from, beside the key: without it they cannot be made again. */
interface VoucherSeed {
  readonly tenant: number
  /** 64 hexadecimal digits, random for each series. */
  readonly salt: string
}

/**
 * The code of voucher number `serial` of a series: 15 characters (75 bits of HMAC-SHA-256 under the PAN key, which
 * nobody can guess) and a check character, in groups of four. It is stored nowhere: only who has the salt, which is in
 * the database until the series is sealed, and the key, which never is, can make it.
 */
export function voucherCode({ tenant, salt }: VoucherSeed, serial: number, key: KeyObject): string {
  const digest = createHmac('sha256', key).update(`charsu voucher code|${tenant}|${salt}|${serial}`).digest()
  // A byte for each character: 256 is a multiple of 32, so that all are as likely.
  let code = ''
  for (let index = 0; index < randomChars; index++) code += alphabet[(digest[index] as number) % 32]
  return grouped(code + checkCharacter(code))
}

const grouped = (code: string): string => code.match(new RegExp(`.{${groupChars}}`, 'g'))?.join('-') ?? code

/** Luhn's formula on base 32: it finds every wrong character and nearly all that have changed places. */
function checkCharacter(code: string): string {
  let sum = 0
  for (let index = 0; index < code.length; index++) {
    const value = alphabet.indexOf(code.charAt(code.length - 1 - index))
    const weighed = index % 2 === 0 ? value * 2 : value
    sum += Math.floor(weighed / 32) + (weighed % 32)
  }
  return alphabet.charAt((32 - (sum % 32)) % 32)
}

/** A code as it is stored and compared: capitals, without hyphens, look-alikes read as what they stand for. */
export const plainVoucherCode = (code: string): string =>
  code.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')

/** What a voucher is found by, as the token of a card: 32 hexadecimal digits, apart from the tokens of numbers. */
export const voucherToken = (code: string, key: KeyObject): string =>
  createHmac('sha256', key)
    .update(`voucher:${plainVoucherCode(code)}`)
    .digest('hex')
    .slice(0, 32)
