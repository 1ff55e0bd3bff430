import { readFileSync } from 'node:fs'
import { compileDialect, type Dialect } from '../../src/codec/dialect.ts'
import { type Message, newMessage } from '../../src/codec/message.ts'
import type { Tenant } from '../../src/core/catalog.ts'

/** A dialect of switch-config/, compiled. */
export function readDialect(name: string): Dialect {
  const path = new URL(`../../switch-config/dialects/${name}.json`, import.meta.url)
  return compileDialect(JSON.parse(readFileSync(path, 'utf8')))
}

/** Data elements by number; undefined leaves one out. */
export type Elements = Readonly<Record<number, string | undefined>>

export function messageOf(mti: string, elements: Elements): Message {
  const message = newMessage(mti)
  for (const [element, text] of Object.entries(elements)) message.fields[Number.parseInt(element, 10)] = text
  return message
}

/** The elements that a message has. */
export function elementsOf({ fields }: Message): Record<number, string> {
  const elements: Record<number, string> = {}
  fields.forEach((text, element) => {
    if (text !== undefined) elements[element] = text
  })
  return elements
}

/** Demo card `n`: 936400, nine digits, and the Luhn digit (ISO/IEC 7812-1, annex B). */
export function panOfCard(n: number): string {
  const digits = `936400${String(n).padStart(9, '0')}`
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = Number.parseInt(digits[digits.length - 1 - index]!, 10) * (index % 2 === 0 ? 2 : 1)
    sum += digit > 9 ? digit - 9 : digit
  }
  return digits + ((10 - (sum % 10)) % 10)
}

export const merchantOne = 'M00000000000001'
export const terminalOne = 'T0000001'

/** A purchase of 1,000 rials at the first terminal with the first card. */
export const purchaseElements: Elements = {
  2: panOfCard(1),
  3: '000000',
  4: '000000001000',
  7: '1121143000',
  11: '000001',
  41: terminalOne,
  42: merchantOne,
  49: '364',
}

/** DE90: MTI, DE11, DE7 of the original, and the institutions as zeros. */
export const originalElements = (mti: string, stan: string, sentAt: string): string =>
  `${mti}${stan}${sentAt}${'0'.repeat(22)}`

export const testTenant: Tenant = {
  id: 1,
  code: 'bazaar',
  currency: { id: 1, code: 'IRR', numeric: '364', scale: 0 },
  timeZone: 'Asia/Tehran',
  cutOverSeconds: 0,
  clearingAccount: -1,
  breakageAccount: -2,
  feesAccount: -3,
  calendar: 'persian',
  holidays: new Set(),
}
