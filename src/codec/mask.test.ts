import { describe, expect, test } from 'vitest'
import iso87a from '../../switch-config/dialects/iso87a.json' with { type: 'json' }
import { compileDialect } from './dialect.ts'
import { maskMessage, maskValue } from './mask.ts'
import { type Composite, newMessage } from './message.ts'

const { format } = compileDialect(iso87a)

describe('a masked value', () => {
  test.each([
    ['clear', '000000001000', '000000001000'],
    ['pan', '9364000000000017', '936400******0017'],
    ['pan', '936400000001', '936400**0001'],
    ['pan', '93640000001', '****'],
    ['tail', '12345678', '****5678'],
    ['tail', '1234567', '****'],
    ['hidden', '1', '****'],
    ['hidden', '0102030405060708', '****'],
  ] as const)('%s %s', (mask, value, shown) => {
    expect(maskValue(value, mask)).toBe(shown)
  })
})

describe('a masked message', () => {
  test('shows what a cashier may see and nothing of the card', () => {
    const message = newMessage('0200')
    message.fields[2] = '9364000000000017'
    message.fields[4] = '000000001000'
    message.fields[14] = '3012'
    message.fields[35] = '9364000000000017=3012'
    message.fields[48] = 'anything'
    message.fields[52] = '0102030405060708'
    expect(Object.fromEntries(maskMessage(format, message))).toEqual({
      mti: '0200',
      2: '936400******0017',
      4: '000000001000',
      14: '****',
      35: '****',
      48: '****',
      52: '****',
    })
  })

  test('fails closed: unknown fields, unknown children, an MTI that is none', () => {
    const message = newMessage('9364000000000017')
    message.fields[0] = '9364000000000017'
    message.fields[1] = '9364000000000017'
    message.fields[150] = '9364000000000017'
    message.composites = new Map<number, Composite>([
      [11, new Map([['5A', '9364000000000017']])],
      [180, new Map([['5A', new Map([['1', '9364000000000017']])]])],
    ])
    expect([...maskMessage(format, message)]).toEqual([
      ['mti', '****'],
      ['0', '****'],
      ['1', '****'],
      ['11.5A', '****'],
      ['150', '****'],
      ['180.5A.1', '****'],
    ])
  })
})
