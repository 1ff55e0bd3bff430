import { beforeEach, describe, expect, test } from 'vitest'
import { messageOf } from '../../test/support/terminal.ts'
import { unwrapKeyBlock } from '../crypto/key-block.ts'
import { keyCheckValue } from '../crypto/key-check-value.ts'
import type { KeyPlace, OpenKey } from '../crypto/key-ring.ts'
import { KeyExchange, keysInUseMax, madeByExchange } from './key-exchange.ts'
import type { MacSettings } from './mac-guard.ts'
import type { PinSettings } from './pin-check.ts'

const master: OpenKey = {
  algorithm: 'tdes',
  key: Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex'),
  settings: null,
}
const loaded: OpenKey = {
  algorithm: 'tdes',
  key: Buffer.from('1023456789ABCDEFFEDCBA9876543201', 'hex'),
  settings: null,
}
const mac: MacSettings = { method: { algorithm: 'retail', padding: 1, bytes: 8 }, keys: 'terminal', required: true }
const pin: PinSettings = { keys: 'terminal', format: 0, element: 52, ksnElement: 53, required: false }
const request = messageOf('0800', { 7: '1121143000', 11: '000001', 41: 'T0000001', 70: '101' })

/** Keys by usage, the newest first, as a key ring gives them. */
let held: Record<string, OpenKey[]>
let stored: KeyPlace[]
let proved: Set<Buffer>
let seconds: number
beforeEach(() => {
  held = { master: [master] }
  stored = []
  proved = new Set()
  seconds = 1_000
})

const exchangeOf = (over: Partial<{ mac: MacSettings; pin: PinSettings | undefined }> = {}) =>
  new KeyExchange(
    { element: 48, overlapSeconds: 3_600 },
    { mac, pin, ...over },
    {
      keys: {
        find: ({ usage, owner }) => (owner === 'terminal:T0000001' ? (held[usage] ?? []) : []),
        findBase: () => [],
      },
      async store(place, key) {
        stored.push(place)
        held[place.usage] = [key, ...(held[place.usage] ?? [])]
      },
      now: () => seconds * 1_000_000,
      isProved: key => proved.has(key),
    },
  )

async function ask(exchange: KeyExchange, macKey: Buffer | null = null) {
  const { reason, message } = await exchange.answer(request, 1, macKey)
  const keys = (message.fields[48] ?? '').split(';').filter(entry => entry !== '')
  return {
    reason,
    keys: Object.fromEntries(
      keys.map(entry => {
        const [mark = '', block = '', checkValue] = entry.split(':')
        const { key } = unwrapKeyBlock(master.key, block)
        expect(keyCheckValue('tdes', key).toString('hex').toUpperCase()).toBe(checkValue)
        return [mark, key]
      }),
    ),
  }
}

const newestMac = (): Buffer => held.mac![0]!.key
const use = (key: Buffer): void => void proved.add(key)

describe('keys of the terminal', () => {
  test('the first ones need no MAC, and the same come again until they are used', async () => {
    const exchange = exchangeOf()
    const first = await ask(exchange)
    expect(first).toMatchObject({ reason: 'approved', keys: { M: expect.anything(), P: expect.anything() } })
    for (let flood = 0; flood < 50; flood++) {
      seconds += 60
      expect(await ask(exchange)).toEqual(first)
    }
    expect(stored.map(({ usage }) => usage)).toEqual(['mac', 'pin'])
    use(newestMac())
    expect(await ask(exchange)).toMatchObject({ reason: 'mac_invalid', keys: {} })
  })

  test('a loaded key: without a MAC 63; under it new keys, once; an older key changes nothing any more', async () => {
    held.mac = [loaded]
    const exchange = exchangeOf()
    expect(await ask(exchange)).toMatchObject({ reason: 'mac_invalid', keys: {} })
    use(loaded.key)
    const given = await ask(exchange, loaded.key)
    expect(given.reason).toBe('approved')
    seconds += 3_000
    expect(await ask(exchange, loaded.key)).toEqual(given)
    // It has the loaded one, so it can make a MAC.
    expect(await ask(exchange)).toMatchObject({ reason: 'mac_invalid' })
    use(newestMac())
    expect(await ask(exchange, loaded.key)).toMatchObject({ reason: 'mac_invalid', keys: {} })
    expect(held.mac).toHaveLength(2)
    const next = await ask(exchange, newestMac())
    expect(next.keys.M).not.toEqual(given.keys.M)
    expect(held.mac).toHaveLength(3)
  })

  test('the answer was lost and the old key has run out: the same keys come without a MAC', async () => {
    held.mac = [loaded]
    use(loaded.key)
    const exchange = exchangeOf()
    const given = await ask(exchange, loaded.key)
    held.mac = held.mac.slice(0, 1)
    // Another switch, or this one started anew: it has seen none of them used.
    for (const one of [exchange, exchangeOf()]) expect(await ask(one)).toEqual(given)
    expect(held.mac).toHaveLength(1)
  })

  test('a key that an operator rotated is sent to a terminal that has the one before', async () => {
    held.mac = [{ ...loaded, key: Buffer.alloc(16, 0x5b) }, loaded]
    use(loaded.key)
    expect(await ask(exchangeOf(), loaded.key)).toMatchObject({ reason: 'approved', keys: { M: newestMac() } })
    expect(held.mac).toHaveLength(2)
  })

  test('two requests at once make one set of keys', async () => {
    const exchange = exchangeOf()
    const both = await Promise.all([ask(exchange), ask(exchange)])
    expect(both.map(({ reason }) => reason)).toEqual(['approved', 'switch_busy'])
    expect(stored).toHaveLength(2)
  })

  test('new ones at most once in 30 seconds, and never more than so many in use', async () => {
    held.mac = [loaded]
    use(loaded.key)
    const exchange = exchangeOf({ pin: undefined })
    expect(await ask(exchange, loaded.key)).toMatchObject({ reason: 'approved' })
    use(newestMac())
    expect(await ask(exchange, newestMac())).toMatchObject({ reason: 'switch_busy' })
    for (let turn = 0; turn < 20; turn++) {
      seconds += 31
      await ask(exchange, newestMac())
      use(newestMac())
    }
    expect(held.mac).toHaveLength(keysInUseMax)
    expect(await ask(exchange, newestMac())).toMatchObject({ reason: 'switch_busy' })
  })

  test('a MAC key of another algorithm is one too', async () => {
    held.mac = [{ algorithm: 'aes', key: Buffer.alloc(16, 1), settings: madeByExchange }]
    expect(await ask(exchangeOf())).toMatchObject({ reason: 'mac_invalid' })
  })

  test('no master key: not allowed', async () => {
    held.master = []
    expect(await ask(exchangeOf())).toMatchObject({ reason: 'operation_not_allowed' })
  })
})

test("under the listener's MAC key a terminal gets PIN keys, and the same until it has used them", async () => {
  const exchange = exchangeOf({ mac: { ...mac, keys: 'listener' } })
  expect(await ask(exchange)).toMatchObject({ reason: 'mac_invalid' })
  const given = await ask(exchange, loaded.key)
  expect(Object.keys(given.keys)).toEqual(['P'])
  seconds += 60
  expect(await ask(exchange, loaded.key)).toEqual(given)
  use(held.pin![0]!.key)
  expect((await ask(exchange, loaded.key)).keys.P).not.toEqual(given.keys.P)
  expect(held.pin).toHaveLength(2)
})
