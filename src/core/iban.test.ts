import { expect, test } from 'vitest'
import { isIban } from './iban.ts'

test.each([
  // text, expected: examples of the SWIFT registry, and what is wrong with them
  ['IR580540105180021273113007', true],
  ['GB29NWBK60161331926819', true],
  ['DE89370400440532013000', true],
  ['DE88370400440532013000', false],
  ['DE89370400440532013001', false],
  ['de89370400440532013000', false],
  ['DE89 3704 0044 0532 0130 00', false],
  ['IR58', false],
  ['', false],
])('%s: %s', (text, expected) => {
  expect(isIban(text)).toBe(expected)
})
