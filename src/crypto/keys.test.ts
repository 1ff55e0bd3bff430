import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyCheckValue, matchesCheckValue } from './key-check-value.ts'
import { combineComponents, withOddParity } from './key-components.ts'
import { decryptStoredKey, encryptStoredKey, keyEncryptionKeyOf, newKeyEncryptionKey } from './key-encryption.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
const toHex = (bytes: Buffer) => bytes.toString('hex').toUpperCase()

describe('check values', () => {
  test.each([
    // algorithm, key,                                            check value, from the key blocks of TR-31 and X9.143
    ['tdes', 'F039121BEC83D26B169BDCD5B22AAF8F', 'CB9DEA'],
    ['tdes', '3F419E1CB7079442AA37474C2EFBF8B8', '57C409'],
    ['aes', '3F419E1CB7079442AA37474C2EFBF8B8', '08793E25AB'],
    ['aes', 'FA36E44278DB3AB5F298F9F7DA8F1F88', 'D77F007724'],
  ] as const)('%s %s', (algorithm, key, checkValue) => {
    expect(toHex(keyCheckValue(algorithm, hex(key)))).toBe(checkValue)
    expect(matchesCheckValue(algorithm, hex(key), hex(checkValue))).toBe(true)
    expect(matchesCheckValue(algorithm, hex(key), hex(checkValue.slice(0, 6)))).toBe(true)
    expect(matchesCheckValue(algorithm, hex(key), hex(checkValue.slice(0, 4)))).toBe(false)
    expect(matchesCheckValue(algorithm, hex(key), hex(`${checkValue}00`))).toBe(false)
    expect(matchesCheckValue(algorithm, hex(key), Buffer.alloc(0))).toBe(false)
  })
})

describe('components', () => {
  const one = hex('6EF2BAC0B5FB3E1C0DD6BAB6D5160BE9')
  const two = hex('0123456789ABCDEFFEDCBA9876543210')
  const key = withOddParity(hex('6FD1FFA73C50F3F3F30A002EA34239F9'))
  const checkValue = keyCheckValue('tdes', key)

  test('two make a key of odd parity', () => {
    const combined = combineComponents(
      'tdes',
      [{ bytes: one, checkValue: keyCheckValue('tdes', one) }, { bytes: two }],
      checkValue,
    )
    expect(toHex(combined)).toBe(toHex(key))
  })

  test('three make the same key in any order', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (a, b) => {
          const target = Buffer.alloc(32, 0x5a)
          const components = [
            Buffer.from(a),
            Buffer.from(b),
            Buffer.from(target.map((byte, at) => byte ^ a[at]! ^ b[at]!)),
          ]
          const entered = components.map(bytes => ({ bytes, checkValue: keyCheckValue('aes', bytes) }))
          const expected = keyCheckValue('aes', target)
          expect(combineComponents('aes', entered, expected)).toEqual(target)
          expect(combineComponents('aes', entered.reverse(), expected)).toEqual(target)
        },
      ),
      { numRuns: 20 },
    )
  })

  test.each([
    // name,                        components,                                           check value, code,   position
    ['one alone', [{ bytes: one }], checkValue, 'components', undefined],
    ['none', [], checkValue, 'components', undefined],
    ['two lengths', [{ bytes: one }, { bytes: two.subarray(8) }], checkValue, 'components', undefined],
    ['single DES', [{ bytes: one.subarray(8) }, { bytes: two.subarray(8) }], checkValue, 'components', undefined],
    ['a wrong second', [{ bytes: one }, { bytes: two, checkValue: hex('000000') }], checkValue, 'check_value', 2],
    ['a wrong key', [{ bytes: one }, { bytes: two }], hex('000000'), 'check_value', undefined],
    ['no check value', [{ bytes: one }, { bytes: two }], Buffer.alloc(0), 'check_value', undefined],
  ] as const)('refused: %s', (_name, components, given, code, position) => {
    expect(() => combineComponents('tdes', components, given)).toThrow(expect.objectContaining({ code, position }))
  })

  test.each([
    [0x00, 0x01],
    [0x01, 0x01],
    [0xff, 0xfe],
    [0xfe, 0xfe],
    [0x10, 0x10],
    [0x11, 0x10],
  ])('parity of %i', (byte, odd) => {
    expect(withOddParity(Buffer.from([byte]))[0]).toBe(odd)
  })
})

describe('stored keys', () => {
  const keyEncryptionKey = createSecretKey(randomBytes(32))
  const binding = { tenant: 'bazaar', owner: 'T0000001', usage: 'mac' }
  const anyKey = fc.uint8Array({ minLength: 16, maxLength: 32 }).map(bytes => Buffer.from(bytes))

  test('come back as they were, each time written otherwise', () => {
    fc.assert(
      fc.property(anyKey, key => {
        const stored = encryptStoredKey(keyEncryptionKey, key, binding)
        expect(stored).toHaveLength(key.length + 29)
        expect(decryptStoredKey(keyEncryptionKey, stored, binding)).toEqual(key)
        expect(encryptStoredKey(keyEncryptionKey, key, binding)).not.toEqual(stored)
      }),
    )
  })

  test('are refused once any byte is another, or is missing', () => {
    const stored = encryptStoredKey(keyEncryptionKey, randomBytes(16), binding)
    for (let index = 0; index < stored.length; index++) {
      const altered = Buffer.from(stored)
      altered[index]! ^= 1
      for (const bytes of [altered, stored.subarray(0, index)]) {
        expect(() => decryptStoredKey(keyEncryptionKey, bytes, binding)).toThrow(
          expect.objectContaining({ code: 'stored_key' }),
        )
      }
    }
  })

  test.each([
    ['another tenant', { ...binding, tenant: 'other' }],
    ['another terminal', { ...binding, owner: 'T0000002' }],
    ['another use', { ...binding, usage: 'pin' }],
    ['the same letters, cut elsewhere', { tenant: 'bazaarT', owner: '0000001', usage: 'mac' }],
  ])('are refused for %s', (_name, other) => {
    const stored = encryptStoredKey(keyEncryptionKey, randomBytes(16), binding)
    expect(() => decryptStoredKey(keyEncryptionKey, stored, other)).toThrow(
      expect.objectContaining({ code: 'stored_key' }),
    )
  })

  test('are refused under another key-encryption key', () => {
    const stored = encryptStoredKey(keyEncryptionKey, randomBytes(16), binding)
    expect(() => decryptStoredKey(createSecretKey(randomBytes(32)), stored, binding)).toThrow(
      expect.objectContaining({ code: 'stored_key' }),
    )
  })
})

describe('the key-encryption key', () => {
  test.each(['', 'ab', 'g'.repeat(64), 'a'.repeat(63), 'a'.repeat(65)])('is not: %j', text => {
    expect(() => keyEncryptionKeyOf(text)).toThrow('64 hexadecimal digits')
  })

  test('a new one opens what it closed', () => {
    const digits = newKeyEncryptionKey()
    expect(keyEncryptionKeyOf(digits).export().toString('hex')).toBe(digits)
  })
})
