import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clientKey, type Step, steps, switchKey, type TerminalRequest, terminalKey, terminalKeyRange } from './keys.ts'

const request: TerminalRequest = {
  terminal: 'T0000001',
  merchant: 'M00000000000001',
  step: 'open',
  stan: 123_456,
  sentAt: 321_080_000,
}
const requests = fc.record({
  terminal: fc.stringMatching(/^[A-Z0-9]{1,8}$/),
  merchant: fc.stringMatching(/^[A-Z0-9]{1,15}$/),
  step: fc.constantFrom(...(Object.keys(steps) as Step[])),
  stan: fc.nat(999_999),
  sentAt: fc.nat(1_231_235_959),
})
const isKey = /^[0-9a-f]{32}$/

describe('the key of a terminal request', () => {
  test('is packed as documented', () => {
    const key = terminalKey(request)
    expect(key).toMatch(isKey)
    expect(Buffer.from(key.slice(0, 16), 'hex').toString('ascii')).toBe('T0000001')
    const packed = BigInt(`0x${key.slice(16, 30)}`)
    expect([packed >> 36n, (packed >> 34n) & 3n, packed & (2n ** 34n - 1n)]).toEqual([123_456n, 0n, 321_080_000n])
  })

  const others: [string, Partial<TerminalRequest>, boolean][] = [
    // what differs,       over,                              is it another key
    ['nothing', {}, false],
    ['the terminal', { terminal: 'T0000002' }, true],
    ['the merchant', { merchant: 'M00000000000002' }, true],
    ['the step', { step: 'confirm' }, true],
    ['the STAN', { stan: 123_457 }, true],
    ['the time', { sentAt: 321_080_001 }, true],
  ]
  test.each(others)('%s', (_what, over, isOther) => {
    expect(terminalKey({ ...request, ...over }) !== terminalKey(request)).toBe(isOther)
  })

  test('is one for one: no two requests of the terminals of a merchant share it', () => {
    fc.assert(
      fc.property(requests, requests, (one, other) => {
        const same = { ...other, merchant: one.merchant }
        const [a, b] = [one, same].map(({ terminal, step, stan, sentAt }) => [terminal, step, stan, sentAt].join())
        expect(terminalKey(one)).toMatch(isKey)
        expect(terminalKey(one) === terminalKey(same)).toBe(a === b)
      }),
    )
  })

  test('ends in what is widest', () => {
    const widest = { ...request, step: 'close', stan: 999_999, sentAt: 1_231_235_959 } as const
    expect(terminalKey(widest)).toMatch(isKey)
  })

  test('a short code is padded, as the wire has it', () => {
    expect(terminalKey({ ...request, terminal: 'T1' })).toBe(terminalKey({ ...request, terminal: 'T1      ' }))
  })
})

describe('the range of a terminal and STAN', () => {
  test('holds every time of that request and nothing else', () => {
    fc.assert(
      fc.property(requests, requests, (one, other) => {
        const { from, to } = terminalKeyRange(one)
        const within = (key: string): boolean => from <= key && key <= to
        expect(within(terminalKey(one))).toBe(true)
        const same = { ...other, merchant: one.merchant }
        const isOne = one.terminal === same.terminal && one.step === same.step && one.stan === same.stan
        expect(within(terminalKey(same))).toBe(isOne)
      }),
    )
  })

  test.each([
    // what differs
    [{ step: 'confirm' }],
    [{ stan: 123_455 }],
    [{ stan: 123_457 }],
    [{ terminal: 'T0000002' }],
  ] as const)('not %o', over => {
    const { from, to } = terminalKeyRange(request)
    const key = terminalKey({ ...request, ...over })
    expect(key < from || key > to).toBe(true)
  })
})

describe('the sources of keys do not meet', () => {
  const first = (key: string): number => Number.parseInt(key.slice(0, 2), 16)
  const hash = 'f'.repeat(64)
  test.each([
    // source,               key,                                                first byte
    ['a terminal', terminalKey({ ...request, terminal: '~~~~~~~~' }), 0x7e],
    ['the least client', clientKey(1, hash), 0x80],
    ['the greatest client', clientKey(2 ** 30 - 1, hash), 0xbf],
    ['the switch', switchKey('expire', 1), 0xff],
  ] as const)('%s', (_source, key, byte) => {
    expect(key).toMatch(isKey)
    expect(first(key)).toBe(byte)
  })

  test('clients have their own keys, and each Idempotency-Key its own', () => {
    const keys = [clientKey(1, hash), clientKey(2, hash), clientKey(1, `e${hash}`), switchKey('load', 1)]
    expect(new Set([...keys, switchKey('expire', 1), switchKey('settle', 1), switchKey('load', 2)]).size).toBe(7)
    expect(switchKey('load', Number.MAX_SAFE_INTEGER)).toMatch(isKey)
  })
})
