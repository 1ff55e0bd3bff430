import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fixed, TextBytes } from './text-bytes.ts'

const text = new TextBytes()

/** As a text, and as the bytes behind it. */
function written(write: () => void): string {
  text.begin()
  write()
  expect(text.bytes.toString('utf8', 0, text.length)).toBe(text.toString())
  return text.toString()
}

test('whole numbers and texts are the same as those of JSON.stringify', () => {
  const texts = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 5_000 }), fc.constant(null))
  const numbers = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -1_000, max: 1_000 }))
  fc.assert(
    fc.property(fc.array(fc.oneof(texts, numbers)), values => {
      const list = written(() => {
        text.fixed(fixed('['))
        values.forEach((value, index) => {
          if (index > 0) text.ascii(',')
          if (typeof value === 'number') text.integer(value)
          else text.quoted(value)
        })
        text.utf8(']')
      })
      expect(list).toBe(JSON.stringify(values.map(value => (Object.is(value, -0) ? 0 : value))))
    }),
  )
})

test.each([0, 9, 10, 2 ** 31 - 1, 2 ** 31, 10 ** 15, 2 ** 53 - 1, -(2 ** 53 - 1)])('the number %d', value => {
  expect(written(() => text.integer(value))).toBe(String(value))
})

test('bigints, of 64 bits or more', () => {
  const sizes = fc.oneof(
    fc.bigInt({ min: -1_000n, max: 1_000n }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  )
  fc.assert(
    fc.property(fc.oneof(sizes, fc.bigInt()), value => {
      expect(written(() => text.bigint(value))).toBe(`${value}`)
    }),
  )
  for (const bits of [31n, 32n, 52n, 53n, 63n, 64n]) {
    for (const value of [2n ** bits - 1n, 2n ** bits, 2n ** bits + 1n, -(2n ** bits), -(2n ** bits) - 1n]) {
      expect(written(() => text.bigint(value))).toBe(`${value}`)
    }
  }
})

test('a text that is longer than all before', () => {
  const long = '"'.repeat(10_000)
  expect(JSON.parse(written(() => text.quoted(long)))).toBe(long)
})
