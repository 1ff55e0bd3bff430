import { createSecretKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { CryptoError } from './errors.ts'
import { nationalCodeHash, panToken } from './hash.ts'
import { openPan, sealPan, vaultKeyOf } from './pan-vault.ts'

const panKey = createSecretKey(Buffer.alloc(32, 7))
const vaultKey = vaultKeyOf(panKey)
const pan = '9364000000000019'
const binding = { tenant: 1, token: panToken(pan, panKey) }

describe('the vault of card numbers', () => {
  test.each(['936400000001', pan, '9364000000000000019'])('opens what it sealed, of one length: %s', number => {
    const sealed = sealPan(vaultKey, number, binding)
    expect(sealed.length).toBe(48)
    expect(sealed.toString('latin1')).not.toContain(number)
    expect(openPan(vaultKey, sealed, binding)).toBe(number)
  })

  test('the same number is sealed into other bytes each time', () => {
    expect(sealPan(vaultKey, pan, binding).equals(sealPan(vaultKey, pan, binding))).toBe(false)
  })

  test('its key is not the PAN key, and the same for the same PAN key', () => {
    expect(vaultKey.export().equals(panKey.export())).toBe(false)
    expect(vaultKeyOf(panKey).equals(vaultKey)).toBe(true)
  })

  test.each([
    ['another tenant', vaultKey, { ...binding, tenant: 2 }, (sealed: Buffer) => sealed],
    ['another card', vaultKey, { ...binding, token: 'a'.repeat(32) }, (sealed: Buffer) => sealed],
    ['another key', vaultKeyOf(createSecretKey(Buffer.alloc(32, 8))), binding, (sealed: Buffer) => sealed],
    ['a bit turned', vaultKey, binding, (sealed: Buffer) => sealed.map((byte, at) => (at === 40 ? byte ^ 1 : byte))],
    ['another version', vaultKey, binding, (sealed: Buffer) => sealed.map((byte, at) => (at === 0 ? 2 : byte))],
    ['too short', vaultKey, binding, (sealed: Buffer) => sealed.subarray(0, 20)],
  ] as const)('does not open under %s', (_name, key, bound, altered) => {
    const sealed = sealPan(vaultKey, pan, binding)
    const open = (): string => openPan(key, Buffer.from(altered(sealed)), bound)
    expect(open).toThrow(CryptoError)
    expect(open).toThrow(/^sealed_pan/)
  })

  test.each(['', '12345678901', '12345678901234567890', '93640000000000a9'])('takes no number such as "%s"', text => {
    expect(() => sealPan(vaultKey, text, binding)).toThrow(/^pan/)
  })
})

test('a national code is found by tenant, and is no token of a card', () => {
  const hash = nationalCodeHash('0012345679', 1, panKey)
  expect(hash).toMatch(/^[0-9a-f]{64}$/)
  expect(nationalCodeHash('0012345679', 2, panKey)).not.toBe(hash)
  expect(panToken('0012345679', panKey)).not.toBe(hash.slice(0, 32))
})
