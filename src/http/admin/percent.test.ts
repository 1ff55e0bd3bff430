import { expect, test } from 'vitest'
import { millionthsOf, percentOf } from './percent.ts'

test.each([
  ['0', 0],
  ['1.25', 12_500],
  ['0.0001', 1],
  ['100', 1_000_000],
  ['99.9999', 999_999],
])('%s %% is %i millionths, and back', (percent, millionths) => {
  expect(millionthsOf(percent)).toBe(millionths)
  expect(percentOf(millionths)).toBe(percent)
})

test.each(['', '100.0001', '1.00001', '-1', '1.', '.5', '1e1', '1,5'])('%s is none', percent => {
  expect(millionthsOf(percent)).toBeNull()
})
