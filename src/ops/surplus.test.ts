import { expect, test } from 'vitest'
import { Surplus } from './surplus.ts'
import { TextBytes } from './text-bytes.ts'

const mega = 1_048_576

/** The use before which the buffer is too large; null: none of them. */
function useOf(size: number, needed: (use: number) => number): number | null {
  const surplus = new Surplus()
  for (let use = 1; use <= 1_000; use++) if (surplus.isTooLarge(size, needed(use))) return use
  return null
}

test.each([
  ['small uses of a large buffer', 8 * mega, () => 1_000, 256],
  ['small uses of a small one', mega, () => 0, null],
  ['an eighth of it', 8 * mega, () => mega, null],
  ['large uses in between', 8 * mega, (use: number) => (use % 256 === 0 ? mega : 0), null],
] as const)('%s', (_, size, needed, use) => {
  expect(useOf(size, needed)).toBe(use)
})

test('a text that was once large does not keep its place for ever, and is written as before', () => {
  const text = new TextBytes()
  const sizes = new Set<number>()
  for (let use = 0; use < 300; use++) {
    text.begin()
    text.utf8(use === 0 ? 'x'.repeat(mega) : `${use}`)
    expect(text.toString().length).toBe(use === 0 ? mega : `${use}`.length)
    sizes.add(text.bytes.length)
  }
  expect([...sizes]).toEqual([6 * mega, 2_048])
})
