import { createHmac, createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { HmacSha256 } from './hmac-sha256.ts'

const keyOf = (bytes: Uint8Array) => createSecretKey(Buffer.from(bytes))

test('it is the HMAC of node:crypto, for keys and texts of every length', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 130 }),
      fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { minLength: 1, maxLength: 5 }),
      (bytes, texts) => {
        const key = keyOf(bytes)
        const hmac = new HmacSha256(key)
        for (const text of texts) expect(hmac.hexOf(text)).toBe(createHmac('sha256', key).update(text).digest('hex'))
      },
    ),
  )
})

test.each([32, 100])('the copy of a key of %i bytes is wiped', length => {
  const key = keyOf(Buffer.alloc(length, 7))
  const copy = key.export()
  vi.spyOn(key, 'export').mockReturnValue(copy)
  const hmac = new HmacSha256(key)
  expect(copy).toEqual(Buffer.alloc(length))
  expect(hmac.hexOf('text')).toBe(
    createHmac('sha256', keyOf(Buffer.alloc(length, 7)))
      .update('text')
      .digest('hex'),
  )
})

test.each([
  // RFC 4231: key, text, HMAC-SHA-256
  ['0b'.repeat(20), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  ['4a656665', 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
  [
    'aa'.repeat(131),
    'Test Using Larger Than Block-Size Key - Hash Key First',
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
])('RFC 4231: key %s', (key, text, expected) => {
  expect(new HmacSha256(keyOf(Buffer.from(key, 'hex'))).hexOf(text)).toBe(expected)
})
