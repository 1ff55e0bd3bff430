import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tdesEncrypt } from './block-ciphers.ts'
import type { CryptoError } from './errors.ts'
import { decodePinBlock, encodePinBlock, type TdesPinBlockFormat } from './pin-block.ts'
import { decipherPinBlock4, decodePinField4, encipherPinBlock4, encodePinField4 } from './pin-block-aes.ts'
import { decipherPin, encipherPin, type PinBlockFormat, translatePin } from './pin-translation.ts'
import vectors from './vectors/pin.json' with { type: 'json' }

const hex = (text: string) => Buffer.from(text, 'hex')
const toHex = (bytes: Buffer) => bytes.toString('hex').toUpperCase()
const { format0, format1, format2, format3, format4, format4Fields, negative } = vectors.pinBlock

test.each([
  ...format0.map(row => ({ format: 0 as const, ...row })),
  ...format2.map(row => ({ format: 2 as const, pan: '', ...row })),
])('format $format is written and read: $clearBlock', ({ format, pin, pan, clearBlock }) => {
  expect(toHex(encodePinBlock(format, pin, pan))).toBe(clearBlock)
  expect(decodePinBlock(format, hex(clearBlock), pan)).toBe(pin)
})

test.each([
  ...format1.map(row => ({ format: 1 as const, pan: '', ...row })),
  ...format3.map(row => ({ format: 3 as const, ...row })),
])('format $format, filled by chance, is read: $clearBlock', ({ format, pin, pan, clearBlock }) => {
  expect(decodePinBlock(format, hex(clearBlock), pan)).toBe(pin)
})

test('format 1 takes its fill from the random bytes', () => {
  const random = (count: number) => Buffer.alloc(count, 0xff)
  expect(toHex(encodePinBlock(1, '1234', '', random))).toBe(format1[0]!.clearBlock)
})

test('format 3 takes only random bytes that give each of A to F the same chance', () => {
  const random = (count: number) =>
    Buffer.from([252, 255, 0, 1, 2, 3, 4, 5, 6, 11, 251, 0, 0, 0, 0, 0]).subarray(0, count)
  expect(toHex(encodePinBlock(3, '1234', '0000000000000', random))).toBe('341234AFFAAAAAAB')
})

test.each(format4)('format 4 is written and read: $encipheredBlock', row => {
  const random = () => hex(row.plainPinField.slice(16))
  expect(toHex(encodePinField4(row.pin, random))).toBe(row.plainPinField)
  expect(decodePinField4(hex(row.plainPinField))).toBe(row.pin)
  expect(toHex(encipherPinBlock4(hex(row.aesKey), row.pin, row.pan, random))).toBe(row.encipheredBlock)
  expect(decipherPinBlock4(hex(row.aesKey), hex(row.encipheredBlock), row.pan)).toBe(row.pin)
})

test.each(format4Fields)('the left half of a format 4 field', ({ pin, pinFieldLeft }) => {
  expect(toHex(encodePinField4(pin)).slice(0, 16)).toBe(pinFieldLeft)
})

test.each(vectors.zonePin)('a zone PIN, $encryptedBlock', ({ zpk, account12, pin, clearBlock, encryptedBlock }) => {
  const pan = `${account12}0`
  expect(toHex(encodePinBlock(0, pin, pan))).toBe(clearBlock)
  expect(toHex(tdesEncrypt(hex(zpk), hex(clearBlock)))).toBe(encryptedBlock)
  expect(decipherPin({ format: 0, key: hex(zpk) }, hex(encryptedBlock), pan)).toBe(pin)
})

test.each(negative)('refused: $error', row => {
  const format = Number.parseInt(/iso_([0-4])_exception/.exec(row.where)![1]!, 10)
  const decode = () => {
    if (row.key !== undefined) return decipherPinBlock4(hex(row.key), hex(row.pinBlock), row.pan!)
    if (format === 4) return decodePinField4(hex(row.pinBlock))
    return decodePinBlock(format as TdesPinBlockFormat, hex(row.pinBlock), row.pan ?? '')
  }
  expect(codeOf(decode)).toBe(row.error.startsWith('PAN') ? 'pan' : 'pin_block')
})

test.each([
  // name,                 format, block
  ['PIN of three digits', 2, '23123FFFFFFFFFFF'],
  ['PIN of thirteen', 2, '2D1234567890123F'],
  ['a letter in the PIN', 2, '24123AFFFFFFFFFF'],
  ['a fill that is a digit', 3, '341234AAAAAAAA19'],
  ['too short', 1, '141234FFFFFFFF'],
  ['too long', 1, '141234FFFFFFFFFF00'],
  ['empty', 0, ''],
] as const)('refused: %s', (_name, format, block) => {
  expect(codeOf(() => decodePinBlock(format, hex(block), '0000000000000'))).toBe('pin_block')
})

test.each(['', '123', '1234567890123', '12a4', '１２３４'])('not a PIN to write: %j', pin => {
  expect(codeOf(() => encodePinBlock(0, pin, '5555555551234567'))).toBe('pin')
  expect(codeOf(() => encodePinField4(pin))).toBe('pin')
})

describe('whatever the PIN and PAN', () => {
  const digits = (minLength: number, maxLength: number) =>
    fc.array(fc.constantFrom(...'0123456789'), { minLength, maxLength }).map(all => all.join(''))
  const keyOf = (format: PinBlockFormat) => randomBytes(format === 4 ? 32 : 16)
  const formats: readonly PinBlockFormat[] = [0, 1, 3, 4]

  test.each(formats)('format %i goes there and back', format => {
    const to = { format, key: keyOf(format) }
    fc.assert(
      fc.property(digits(4, 12), digits(13, 19), (pin, pan) => {
        expect(decipherPin(to, encipherPin(to, pin, pan), pan)).toBe(pin)
      }),
    )
  })

  test('format 4 refuses another PAN, another key and an altered block, all alike', () => {
    const to = { format: 4, key: keyOf(4) } as const
    // One in 16 million of what decrypts to nothing in particular looks like a long PIN: two in one run do not.
    const misread: string[] = []
    const isRefused = (run: () => string, pin: string): void => {
      const read = codeOf(() => misread.push(run()))
      expect(read ?? 'read').toMatch(/^(?:pin_block|read)$/)
      expect(misread).not.toContain(pin)
    }
    fc.assert(
      fc.property(digits(4, 12), digits(16, 16), digits(16, 16), fc.nat(127), (pin, pan, other, bit) => {
        fc.pre(pan !== other)
        const block = encipherPin(to, pin, pan)
        isRefused(() => decipherPin(to, block, other), pin)
        isRefused(() => decipherPin({ ...to, key: keyOf(4) }, block, pan), pin)
        block[bit >> 3]! ^= 1 << (bit & 7)
        isRefused(() => decipherPin(to, block, pan), pin)
      }),
    )
    expect(misread.length).toBeLessThan(2)
  })

  test.each([
    [0, 0],
    [0, 3],
    [0, 4],
    [1, 0],
    [1, 1],
    [1, 4],
    [3, 0],
    [4, 3],
    [4, 4],
  ] as const)('a PIN goes from format %i to %i', (from, to) => {
    const terminal = { format: from, key: keyOf(from) }
    const zone = { format: to, key: keyOf(to) }
    const block = encipherPin(terminal, '98765', '6037701689095443')
    const translated = translatePin(terminal, zone, block, '6037701689095443')
    expect(decipherPin(zone, translated, '6037701689095443')).toBe('98765')
  })

  test.each([0, 3, 4] as const)('a PIN bound to its PAN does not go from format %i to 1', from => {
    const terminal = { format: from, key: keyOf(from) }
    const block = encipherPin(terminal, '1234', '6037701689095443')
    const translate = () => translatePin(terminal, { format: 1, key: keyOf(1) }, block, '6037701689095443')
    expect(codeOf(translate)).toBe('pin_translation')
  })
})

test('an error tells neither PIN nor PAN nor block', () => {
  const caught = [
    () => encodePinBlock(0, '123', '5555555551234567'),
    () => encodePinBlock(0, '1234', '55555'),
    () => decodePinBlock(0, hex('0F1261AAAAEDCBA9'), '5555555551234567'),
  ].map(run => {
    try {
      run()
    } catch (error) {
      return `${String(error)} ${JSON.stringify(error)}`
    }
    return ''
  })
  expect(caught.join()).toContain('pin_block')
  expect(caught.join()).not.toMatch(/123|555|1261/)
})

function codeOf(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return (error as CryptoError).code
  }
  return undefined
}
