import { createSecretKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { plainVoucherCode, voucherCode, voucherToken } from './voucher-codes.ts'

const key = createSecretKey(Buffer.alloc(32, 7))
const seed = { tenant: 1, salt: 'ab'.repeat(32) }

test('a code is the same for ever, and that of nobody else', () => {
  const code = voucherCode(seed, 1, key)
  expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/)
  expect(voucherCode(seed, 1, key)).toBe(code)
  const codes = new Set(Array.from({ length: 5_000 }, (_, serial) => voucherCode(seed, serial, key)))
  expect(codes.size).toBe(5_000)
  expect(codes.has(voucherCode({ ...seed, tenant: 2 }, 1, key))).toBe(false)
  expect(codes.has(voucherCode({ ...seed, salt: 'cd'.repeat(32) }, 1, key))).toBe(false)
})

test('however a code is typed, it is the same voucher, of one tenant', () => {
  expect(plainVoucherCode('o0il-1abc defg-hjkm')).toBe('001111ABCDEFGHJKM')
  const code = voucherCode(seed, 7, key)
  const token = voucherToken(code, 1, key)
  expect(token).toMatch(/^[0-9a-f]{32}$/)
  expect(voucherToken(code.toLowerCase().replaceAll('-', ' '), 1, key)).toBe(token)
  expect(voucherToken(code, 2, key)).not.toBe(token)
})

test('all characters are used', () => {
  const used = new Set(Array.from({ length: 500 }, (_, serial) => voucherCode(seed, serial, key)).join(''))
  expect(used.size).toBe(33)
})
