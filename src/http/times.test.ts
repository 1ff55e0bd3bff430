import { expect, test } from 'vitest'
import { dateText, parseRfc3339, rfc3339 } from './times.ts'

test.each([
  '1970-01-01T00:00:00.000000Z',
  '2024-02-29T23:59:59.999999Z',
  '2026-11-21T08:05:09.000001Z',
  '2026-12-31T19:00:00.123000Z',
  '2100-03-01T00:00:00.100000Z',
])('%s is told as it was read', text => {
  expect(rfc3339(parseRfc3339(text) ?? 0)).toBe(text)
})

test('dates are right however many are asked for', () => {
  const days = Array.from({ length: 300 }, (_, index) => 20_000 + index)
  const expected = days.map(day => new Date(day * 86_400_000).toISOString().slice(0, 10))
  expect(days.map(dateText)).toEqual(expected)
  expect(days.map(dateText)).toEqual(expected)
})
