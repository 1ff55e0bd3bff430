import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tdesDecrypt } from './block-ciphers.ts'
import { digitsOfBlock } from './decimal-digits.ts'
import {
  ibm3624Offset,
  naturalPin,
  validationDataOf,
  verifyIbm3624,
  verifyVisaPvv,
  visaPvv,
} from './pin-verification.ts'
import vectors from './vectors/pin.json' with { type: 'json' }

const hex = (text: string) => Buffer.from(text, 'hex')

test.each(vectors.visaPvv)('Visa PVV: $source, PVV $pvv', ({ pvk, pvki, pin, pan, pvv }) => {
  const data = { key: hex(pvk), keyIndex: pvki, pan }
  expect(visaPvv(data, pin)).toBe(pvv)
  expect(verifyVisaPvv(data, pin, pvv)).toBe(true)
  expect(verifyVisaPvv(data, `${pin.slice(0, 3)}${pin.endsWith('0') ? '1' : '0'}`, pvv)).toBe(false)
  for (const other of ['', pvv.slice(1), `${pvv}0`, '0000']) expect(verifyVisaPvv(data, pin, other)).toBe(false)
})

test.each([
  // block,            digits
  ['1234567890ABCDEF', '1234'],
  ['A1B2CDEFABCDEFAB', '1201'],
  ['ABCDEFABCDEFABCD', '0123'],
  ['ABCDEFABCDEFABC9', '9012'],
] as const)('the scans of %s', (block, digits) => {
  expect(digitsOfBlock(hex(block), 4)).toBe(digits)
})

test.each([
  // name,               change,                      code
  ['a short PAN', { pan: '12345678901' }, 'pan'],
  ['a letter as index', { keyIndex: 'A' }, 'validation_data'],
  ['a short key', { key: Buffer.alloc(15) }, 'key_length'],
] as const)('Visa PVV refuses %s', (_name, change, code) => {
  const data = { key: Buffer.alloc(16, 1), keyIndex: '1', pan: '1122334455667788', ...change }
  expect(() => visaPvv(data, '1234')).toThrow(expect.objectContaining({ code }))
})

test.each(vectors.ibm3624)('IBM 3624: PIN $pin, offset $offset, $panVerifyLength digits', row => {
  const part = { start: row.panVerifyOffset, length: row.panVerifyLength, pad: row.panPad }
  const data = {
    key: hex(row.pvk),
    decimalisation: row.decimalisation,
    validationData: validationDataOf(row.pan, part),
  }
  expect(ibm3624Offset(data, row.pin)).toBe(row.offset)
  expect(verifyIbm3624(data, row.pin, row.offset)).toBe(true)
  expect(verifyIbm3624(data, row.pin, '9999')).toBe(false)
  if (row.offset === '0000') expect(naturalPin(data, 4)).toBe(row.pin)
})

describe('IBM 3624', () => {
  const data = {
    key: hex('0123456789ABCDEFFEDCBA9876543210'),
    decimalisation: '0123456789012345',
    validationData: '1122334455667788',
  }

  test('decimalises what the cipher gives', () => {
    const validationData = tdesDecrypt(data.key, hex('0123456789ABCDEF')).toString('hex').toUpperCase()
    expect(naturalPin({ ...data, validationData }, 12)).toBe('012345678901')
  })

  test('an offset is for one PIN only', () => {
    const anyPin = fc.array(fc.constantFrom(...'0123456789'), { minLength: 4, maxLength: 12 }).map(all => all.join(''))
    fc.assert(
      fc.property(anyPin, anyPin, (pin, other) => {
        const offset = ibm3624Offset(data, pin)
        expect(verifyIbm3624(data, pin, offset)).toBe(true)
        expect(verifyIbm3624(data, other, offset)).toBe(other === pin)
      }),
    )
  })

  test.each([
    // name,                       change,                                   code
    ['a table of few digits', { decimalisation: '0000000000000001' }, 'decimalisation_table'],
    ['a table of one digit five times', { decimalisation: '0123456789000012' }, 'decimalisation_table'],
    ['a table with a letter', { decimalisation: '012345678901234A' }, 'decimalisation_table'],
    ['a short table', { decimalisation: '0123456789' }, 'decimalisation_table'],
    ['short validation data', { validationData: '1234' }, 'validation_data'],
    ['a short key', { key: Buffer.alloc(8) }, 'key_length'],
  ] as const)('refuses %s', (_name, change, code) => {
    expect(() => verifyIbm3624({ ...data, ...change }, '1234', '0000')).toThrow(expect.objectContaining({ code }))
  })

  test.each([
    ['a part beyond the PAN', { start: 10, length: 8, pad: 'F' }],
    ['a pad that is no digit', { start: 0, length: 12, pad: '' }],
  ])('no validation data of %s', (_name, part) => {
    expect(() => validationDataOf('1122334455667788', part)).toThrow(
      expect.objectContaining({ code: 'validation_data' }),
    )
  })
})
