import fc from 'fast-check'
import { expect, test } from 'vitest'
import { approve, dialect, noon, panKey } from '../../test/support/iso-server.ts'
import { messageOf, originalElements, panOfCard, purchaseElements, testTenant } from '../../test/support/terminal.ts'
import type { Command } from '../core/commands.ts'
import { Exchanges } from './exchange.ts'
import type { Sender } from './exchange-types.ts'
import { isAnswerable } from './mti.ts'

const quiet = () => undefined

function start() {
  const commands: Command[] = []
  const errors: object[] = []
  const exchanges = new Exchanges(
    {
      submit: {
        async submit(command) {
          commands.push(command)
          return approve(command, 0)
        },
      },
      panKey,
      log: { debug: quiet, info: quiet, warn: quiet, error: fields => errors.push(fields) },
      onExchange: quiet,
      tenantOf: () => testTenant,
      now: () => noon,
    },
    { dialect, tenant: 1, identity: 'transmission' },
  )
  return { exchanges, commands, errors }
}

const seeds = [
  messageOf('0200', { ...purchaseElements, 35: `${panOfCard(1)}=3012`, 37: 'ABC123456789' }),
  messageOf('0202', { ...purchaseElements, 39: '00', 90: originalElements('0200', '000001', '1121143000') }),
  messageOf('0400', { ...purchaseElements, 90: originalElements('0200', '000001', '1121143000'), 95: '0'.repeat(42) }),
  messageOf('0800', { 7: '1121143000', 11: '000001', 70: '301' }),
].map(message => dialect.pack(message))

test('a mutated message is answered, passed over or rejected: once, and never with an error of ours', async () => {
  const mutations = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...seeds), mutations, fc.nat(400), async (seed, bytes, cut) => {
      const body = Buffer.from(seed.subarray(0, cut < 300 ? seed.length : cut))
      for (const [at, byte] of bytes) if (at < body.length) body[at] = byte
      const { exchanges, commands, errors } = start()
      const calls: (Buffer | null)[] = []
      const sender: Sender = { finish: reply => calls.push(reply), reject: () => calls.push(null) }
      exchanges.handle({ body, tpdu: undefined }, sender)
      await new Promise(setImmediate)
      expect(calls).toHaveLength(1)
      expect(errors).toEqual([])
      const [reply] = calls
      const read = reply === null || reply === undefined ? null : dialect.unpack(reply)
      if (read === null) expect(commands).toEqual([])
      else expect([read.ok, isAnswerable(read.message.mti)]).toEqual([true, false])
      if (read !== null) expect(read.message.fields[39]).toMatch(/^(00|12|25|30|40|58)$/)
    }),
    { numRuns: 2000 },
  )
})
