import { expect, test } from 'vitest'
import { requestOf, signOnOf, type TerminalOrder } from './terminal-requests.ts'

const order: TerminalOrder = {
  name: 'purchase',
  at: Date.UTC(2026, 10, 21, 8, 30, 5) * 1000,
  pan: '9364000000000019',
  currency: '364',
  merchant: 'M00000000000001',
  terminal: 'T0000001',
  stan: 0,
  amount: undefined,
  original: undefined,
  rrn: undefined,
}

test('a sign-on comes from the same terminal, with a STAN of its own and nothing of the card', () => {
  const { mti, fields } = signOnOf(order)
  expect([mti, fields[70], fields[41], fields[7], fields[2]]).toEqual([
    '0800',
    '001',
    'T0000001',
    '1121083005',
    undefined,
  ])
  expect(fields[11]).toBe('999999')
  expect(fields[11]).not.toBe(requestOf(order).fields[11])
})
