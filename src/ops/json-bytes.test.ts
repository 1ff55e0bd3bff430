import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fixed, JsonBytes } from './json-bytes.ts'

const json = new JsonBytes()

/** As a text, and as the bytes behind it. */
function written(write: () => void): string {
  json.begin()
  write()
  expect(json.bytes.toString('utf8', 0, json.length)).toBe(json.toString())
  return json.toString()
}

test('whole numbers and texts are the same as those of JSON.stringify', () => {
  const texts = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 5_000 }), fc.constant(null))
  const numbers = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -1_000, max: 1_000 }))
  fc.assert(
    fc.property(fc.array(fc.oneof(texts, numbers)), values => {
      const text = written(() => {
        json.fixed(fixed('['))
        values.forEach((value, index) => {
          if (index > 0) json.ascii(',')
          if (typeof value === 'number') json.integer(value)
          else json.text(value)
        })
        json.json(']')
      })
      expect(text).toBe(JSON.stringify(values.map(value => (Object.is(value, -0) ? 0 : value))))
    }),
  )
})

test.each([0, 9, 10, 2 ** 31 - 1, 2 ** 31, 10 ** 15, 2 ** 53 - 1, -(2 ** 53 - 1)])('the number %d', value => {
  expect(written(() => json.integer(value))).toBe(String(value))
})

test('a text that is longer than all before', () => {
  const long = '"'.repeat(10_000)
  expect(JSON.parse(written(() => json.text(long)))).toBe(long)
})
