import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Authorize, Command, Confirm, Original } from '../core/commands.ts'
import type { Transaction } from '../core/transactions.ts'
import { RecentKeys } from './recent-keys.ts'
import type { Result } from './result.ts'

const authorize = (tenant: number, key: string, channel: Command['channel'] = 'terminal') =>
  ({ kind: 'authorize', tenant, key, channel }) as Authorize
const confirm = (tenant: number, original: Original) => ({ kind: 'confirm', tenant, original }) as Confirm
const decided = (id: number, holder: number | null, phase: Transaction['phase'] = 'authorized') =>
  ({ kind: 'decided', transaction: { id, holder, phase } }) as Result

const byKey = (key: string): Original => ({ by: 'key', key, day: null })
const byId = (id: number): Original => ({ by: 'id', id })
const key = '54303030303030312000080000000000'

/** The same memory made of Maps. */
class Model {
  readonly #half: number
  #opened = new Map<string, [number, number | null]>()
  #older = new Map<string, [number, number | null]>()

  constructor(max: number) {
    this.#half = max / 2
  }

  set(name: string, id: number, holder: number | null): void {
    if (this.#opened.size >= this.#half) {
      this.#older = this.#opened
      this.#opened = new Map()
    }
    this.#opened.set(name, [id, holder])
  }

  get(name: string): [number, number | null] | undefined {
    return this.#opened.get(name) ?? this.#older.get(name)
  }
}

// Few of everything, so that names meet, are forgotten and come again, and some differ in one bit only.
const tenants = fc.constantFrom(1, 2, 0x7fffffff)
const numbers = fc.oneof(
  fc.constantFrom(0, 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1),
  fc.integer({ min: 0, max: 40 }),
  fc.maxSafeNat(),
)
const digits = fc
  .tuple(fc.constantFrom('00000000', '54303030', 'ffffffff'), fc.integer({ min: 0, max: 24 }), fc.nat({ max: 9 }))
  .map(([some, at, digit]) => `${some.repeat(4).slice(0, at)}${digit}${some.repeat(4).slice(at + 1)}`)

test('it knows what a Map of the same names knows, and nothing else', () => {
  const steps = fc.record({ tenant: tenants, digits, number: numbers, holder: fc.option(numbers) })
  fc.assert(
    fc.property(fc.constantFrom(2, 4, 6, 16), fc.array(steps, { maxLength: 60 }), (max, all) => {
      const recent = new RecentKeys(max)
      const model = new Model(max)
      for (const { tenant, digits: given, number, holder } of all) {
        recent.note(authorize(tenant, given), decided(number, holder))
        model.set(`${tenant}#${number}`, number, holder)
        model.set(`${tenant}/${given}`, number, holder)
        for (const one of all) {
          const [, owner = null] = model.get(`${one.tenant}#${one.number}`) ?? []
          const asked = confirm(one.tenant, byId(one.number))
          expect(recent.recognise(asked)).toEqual({ known: asked, holder: owner })
          const named = confirm(one.tenant, byKey(one.digits))
          const found = model.get(`${one.tenant}/${one.digits}`)
          const known = found === undefined ? named : { ...named, original: byId(found[0]) }
          expect(recent.recognise(named)).toEqual({ known, holder: found?.[1] ?? null })
        }
      }
    }),
  )
})

test('of many names the newer half at least is known', () => {
  const max = 20_000
  const recent = new RecentKeys(max)
  const keyOf = (number: number): string => key.slice(0, 20) + number.toString(16).padStart(12, '0')
  for (let number = 1; number <= max; number++) recent.note(authorize(1, keyOf(number)), decided(number, -number))
  for (let number = max - max / 4 + 1; number <= max; number++) {
    const { known, holder } = recent.recognise(confirm(1, byKey(keyOf(number))))
    expect([(known as Confirm).original, holder]).toEqual([byId(number), -number])
  }
  expect(recent.recognise(confirm(1, byId(1))).holder).toBeNull()
})

test.each([
  // what was noted, what is asked
  ['a refused authorize', authorize(1, key), decided(7, 3, 'refused'), byId(7)],
  ['one that has no answer', authorize(1, key), { kind: 'unknown' } as const, byKey(key)],
  ['another kind of command', confirm(1, byKey(key)), decided(7, 3), byId(7)],
  ['the key of an API client', authorize(1, key, 'api'), decided(7, 3), byKey(key)],
  ['a key that is none', authorize(1, 'T0000001'), decided(7, 3), byKey('T0000001')],
  ['a key in capitals', authorize(1, 'A'.repeat(32)), decided(7, 3), byKey('A'.repeat(32))],
  ['another tenant', authorize(2, key), decided(7, 3), byKey(key)],
  ['another way of naming', authorize(1, key), decided(7, 3), { by: 'rrn', merchant: 'M', rrn: key } as const],
] as const)('not known: %s', (_name, command, result, original) => {
  const recent = new RecentKeys(4)
  recent.note(command, result)
  const asked = confirm(1, original)
  expect(recent.recognise(asked)).toEqual({ known: asked, holder: null })
})
