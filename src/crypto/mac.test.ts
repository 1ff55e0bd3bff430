import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aesCmac, tdesCmac } from './cmac.ts'
import { computeMac, type MacMethod, type MacPadding, padForMac, retailMac, tdesCbcMac, verifyMac } from './mac.ts'
import vectors from './vectors/mac.json' with { type: 'json' }

const hex = (text: string) => Buffer.from(text, 'hex')
const toHex = (bytes: Buffer) => bytes.toString('hex').toUpperCase()

test.each(vectors.retail)('retail MAC: $source, padding $padding, $dataHex', ({ key, key2, dataHex, padding, mac }) => {
  expect(toHex(retailMac(hex(key + key2), hex(dataHex), padding as MacPadding))).toBe(mac)
})

test.each(vectors.tdesCbc)('triple DES CBC-MAC: padding $padding', ({ key, dataHex, padding, mac }) => {
  expect(toHex(tdesCbcMac(hex(key), hex(dataHex), padding as MacPadding))).toBe(mac)
})

test.each(vectors.padding)('padding $method of $data', ({ data, method, padded }) => {
  expect(toHex(padForMac(hex(data), method as MacPadding))).toBe(padded)
})

test.each([
  // padding, what no data becomes: at least one block
  [1, '0000000000000000'],
  [2, '8000000000000000'],
  [3, '00000000000000000000000000000000'],
] as const)('padding %i of nothing', (padding, padded) => {
  expect(toHex(padForMac(Buffer.alloc(0), padding))).toBe(padded)
})

test.each(vectors.aesCmac)('AES-CMAC: $key, $dataHex', ({ key, dataHex, mac }) => {
  expect(toHex(aesCmac(hex(key), hex(dataHex)))).toBe(mac)
})

test.each(vectors.aesCmacRfc4493.vectors)('AES-CMAC, RFC 4493: $data', ({ data, mac }) => {
  expect(toHex(aesCmac(hex(vectors.aesCmacRfc4493.key), hex(data)))).toBe(mac)
})

test.each(vectors.tdesCmac.vectors)('triple DES CMAC, NIST SP 800-38B: $key, $data', ({ key, data, mac }) => {
  expect(toHex(tdesCmac(hex(key), hex(data)))).toBe(mac)
})

const methods: readonly MacMethod[] = [
  { algorithm: 'retail', padding: 1, bytes: 4 },
  { algorithm: 'retail', padding: 2, bytes: 8 },
  { algorithm: 'tdes-cbc', padding: 3, bytes: 8 },
  { algorithm: 'aes-cmac', bytes: 8 },
]

describe.each(methods)('$algorithm, $bytes bytes', method => {
  const anyKey = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytes => Buffer.from(bytes))
  const anyData = fc.uint8Array({ minLength: 1, maxLength: 80 }).map(bytes => Buffer.from(bytes))

  test('is verified, and not once a bit of data or MAC is another', () => {
    fc.assert(
      fc.property(anyKey, anyData, fc.nat(), fc.nat(), (key, data, place, bit) => {
        const mac = computeMac(method, key, data)
        expect(mac).toHaveLength(method.bytes)
        expect(verifyMac(method, key, data, mac)).toBe(true)
        expect(verifyMac(method, key, flip(data, place, bit), mac)).toBe(false)
        expect(verifyMac(method, key, data, flip(mac, place, bit))).toBe(false)
      }),
    )
  })

  test('of another length is refused', () => {
    const key = Buffer.alloc(16, 7)
    const mac = computeMac({ ...method, bytes: 8 }, key, Buffer.from('data'))
    for (const length of [0, 1, 4, 7, 8].filter(bytes => bytes !== method.bytes)) {
      expect(verifyMac(method, key, Buffer.from('data'), mac.subarray(0, length))).toBe(false)
    }
  })

  test.each([0, 8, 15, 17, 33])('a key of %i bytes is refused', length => {
    expect(() => computeMac(method, Buffer.alloc(length), Buffer.alloc(8))).toThrow(
      expect.objectContaining({ code: 'key_length' }),
    )
  })
})

function flip(bytes: Buffer, place: number, bit: number): Buffer {
  const changed = Buffer.from(bytes)
  changed[place % bytes.length]! ^= 1 << (bit % 8)
  return changed
}
