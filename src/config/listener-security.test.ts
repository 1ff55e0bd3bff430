import { expect, test } from 'vitest'
import { readDialect } from '../../test/support/terminal.ts'
import { securityOf } from './listener-security.ts'

const listener = { name: 'fleet', port: 8583, dialect: 'iso87a', tenant: 'bazaar' }
const check = (over: object) => () =>
  securityOf({ ...listener, ...over } as Parameters<typeof securityOf>[0], readDialect('iso87a'), '/', 'at')

const mac = { algorithm: 'retail', keys: 'terminal' }
const cases: [string, object, RegExp | null][] = [
  ['keys are changed under a MAC', { mac, keyExchange: {} }, null],
  ['keys are changed without one', { keyExchange: {} }, /^at\/keyExchange: needs "mac"/],
  ['an element too short for key blocks', { mac, keyExchange: { element: 44 } }, /^at\/keyExchange\/element/],
  ['AES-CMAC with a padding', { mac: { ...mac, algorithm: 'aes-cmac', padding: 2 } }, /^at\/mac\/padding/],
  ['format 4 where 8 bytes fit', { pin: { keys: 'terminal', format: 4 } }, /^at\/pin\/element/],
]
test.each(cases)('%s', (_name, over, fault) => {
  if (fault === null) expect(check(over)).not.toThrow()
  else expect(check(over)).toThrow(fault)
})
