import { expect, test } from 'vitest'
import { cardVerificationValue, verifyCardVerificationValue } from './card-verification.ts'
import { cardMasterKey, responseCryptogram, verifyCryptogram } from './emv-cryptogram.ts'
import vectors from './vectors/card.json' with { type: 'json' }

const hex = (text: string) => Buffer.from(text, 'hex')

test.each(vectors.cvv)('card verification value: $source', ({ cvk, pan, expiry, serviceCode, cvv }) => {
  const data = { pan, expiry, serviceCode }
  expect(cardVerificationValue(hex(cvk), data)).toBe(cvv)
  expect(verifyCardVerificationValue(hex(cvk), data, cvv)).toBe(true)
  expect(verifyCardVerificationValue(hex(cvk), { ...data, expiry: '3112' }, cvv)).toBe(false)
})

test.each([
  [{ pan: '12345' }, 'pan'],
  [{ expiry: '111' }, 'validation_data'],
  [{ serviceCode: '' }, 'validation_data'],
])('card verification refuses %j', (change, code) => {
  const data = { pan: '1234567890123456', expiry: '1111', serviceCode: '000', ...change }
  expect(() => cardVerificationValue(Buffer.alloc(16), data)).toThrow(expect.objectContaining({ code }))
})

test.each(vectors.emvCryptogram)('EMV cryptogram: $source, $where', row => {
  const key = cardMasterKey(hex(row.imkAc), row.pan, row.csn)
  if (row.data !== undefined) {
    const altered = hex(row.data)
    altered[0]! ^= 1
    expect(verifyCryptogram(key, hex(row.data), hex(row.arqc), 1)).toBe(true)
    expect(verifyCryptogram(key, altered, hex(row.arqc), 1)).toBe(false)
  } else {
    expect(responseCryptogram(key, hex(row.arqc), hex(row.arc!)).toString('hex').toUpperCase()).toBe(row.arpc)
  }
})
