import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { differingField, fingerprint, type Hash } from './content.ts'

const hash: Hash = data => createHash('sha256').update(data).digest('hex')
const names = ['/card', '/amount', '/currency', '/reference']
const fields = ['abc', '1000', 'IRR', null] as const

describe('the field in which two requests differ', () => {
  test.each([
    // other fields,                   name; null: they are the same
    [['abc', '1000', 'IRR', null], null],
    [['abd', '1000', 'IRR', null], '/card'],
    [['abc', '1001', 'IRR', null], '/amount'],
    [['abc', '1000', 'EUR', null], '/currency'],
    [['abc', '1000', 'IRR', ''], '/reference'],
    [['abc', '1000', 'IRR', 'bill'], '/reference'],
    [[null, '1000', 'IRR', null], '/card'],
    [['abc', '2000', 'EUR', 'bill'], '/amount'],
    [['abc1', '000', 'IRR', null], '/card'],
  ] as const)('%o: %s', (other, name) => {
    const [one, two] = [fingerprint(fields, hash), fingerprint(other, hash)]
    expect(one === two).toBe(name === null)
    if (name !== null) expect(differingField(one, two, names)).toBe(name)
  })

  test('where no single byte tells, it is the content', () => {
    const one = fingerprint(fields, hash)
    expect(differingField(one, `f${one.slice(1)}x`.slice(0, one.length), names)).toBe('content')
  })

  test('where the calls have other fields, it is the first: the call itself', () => {
    expect(differingField(fingerprint(['a'], hash), fingerprint(['a', 'b'], hash), names)).toBe('/card')
  })
})

test('a fingerprint is whole bytes, for the database', () => {
  for (const some of [[], ['a'], fields, ['\u06f1\u06f2', 'x'.repeat(999)]]) {
    expect(fingerprint(some, hash)).toMatch(/^([0-9a-f]{2})+$/)
    expect(fingerprint(some, hash).length).toBe(16 + 2 * some.length)
  }
})

test('a field cannot run over into the next one', () => {
  expect(fingerprint(['a;1:b', 'c'], hash).slice(0, 16)).not.toBe(fingerprint(['a', 'b;1:c'], hash).slice(0, 16))
  expect(fingerprint([null, 'x'], hash).slice(0, 16)).not.toBe(fingerprint(['-', 'x'], hash).slice(0, 16))
})

test('one changed character is nearly always told by its field', () => {
  const amounts = Array.from({ length: 1000 }, (_, index) => fingerprint([`${index}`], hash).slice(16))
  const unlike = amounts.filter((mark, index) => mark !== amounts[(index + 1) % amounts.length])
  expect(unlike.length).toBeGreaterThan(980)
  expect(amounts).not.toContain('00')
})
