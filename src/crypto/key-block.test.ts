import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CryptoError } from './errors.ts'
import { unwrapKeyBlock, wrapKeyBlock } from './key-block.ts'
import { type KeyBlockHeader, readKeyBlockHeader } from './key-block-header.ts'
import { keyCheckValue } from './key-check-value.ts'
import vectors from './vectors/key-block.json' with { type: 'json' }

const hex = (text: string) => Buffer.from(text, 'hex')
const toHex = (bytes: Buffer) => bytes.toString('hex').toUpperCase()

test.each(vectors.unwrap)('unwrapped: $source, $block', ({ kbpk, key, block, checkValue }) => {
  const opened = unwrapKeyBlock(hex(kbpk), block)
  expect(toHex(opened.key)).toBe(key)
  if (checkValue !== undefined) {
    const algorithm = opened.header.algorithm === 'A' ? 'aes' : 'tdes'
    expect(toHex(keyCheckValue(algorithm, opened.key)).startsWith(checkValue)).toBe(true)
  }
})

test.each(vectors.wrap)('wrapped: $source', ({ kbpk, key, random, paddedKeyBytes, block }) => {
  const { header } = readKeyBlockHeader(block)
  const source = (count: number) => hex(random).subarray(0, count)
  expect(wrapKeyBlock(hex(kbpk), header, hex(key), { paddedKeyBytes, random: source })).toBe(block)
})

test('a header in parts', () => {
  const { header, end } = readKeyBlockHeader(vectors.unwrap.find(({ source }) => source.endsWith('8.4.2'))!.block)
  expect(end).toBe(40)
  expect(header).toEqual({
    version: 'B',
    usage: 'B0',
    algorithm: 'T',
    mode: 'X',
    keyVersion: '12',
    exportability: 'S',
    reserved: '00',
    optionalBlocks: [{ id: 'KS', data: '00604B120F9292800000' }],
  })
})

const letters = Buffer.alloc(16, 'E')

test.each(vectors.refused.malformed)('malformed: %s', block => {
  expect(codeOf(() => unwrapKeyBlock(letters, block))).toBe('key_block_format')
})

test.each(vectors.refused.altered)('altered: %s', block => {
  expect(codeOf(() => unwrapKeyBlock(letters, block))).toBe('key_block_mac')
})

test.each(vectors.refused.optionalBlocks)('malformed optional block: %j', text => {
  const block = `B${String(16 + text.length).padStart(4, '0')}P0TE00N0100${text}`
  expect(codeOf(() => readKeyBlockHeader(block))).toBe('key_block_format')
})

test.each([
  // version, protection key bytes
  ['A', 8],
  ['A', 32],
  ['B', 8],
  ['B', 32],
  ['C', 15],
  ['D', 8],
  ['D', 31],
])('version %s refuses a protection key of %i bytes', (version, bytes) => {
  const { block } = vectors.unwrap.find(row => row.block.startsWith(version))!
  expect(codeOf(() => unwrapKeyBlock(Buffer.alloc(bytes), block))).toBe('key_length')
})

const headerOf = (version: 'B' | 'D', change: Partial<KeyBlockHeader> = {}): KeyBlockHeader => ({
  version,
  usage: 'P0',
  algorithm: version === 'B' ? 'T' : 'A',
  mode: 'E',
  keyVersion: '00',
  exportability: 'N',
  reserved: '00',
  optionalBlocks: [],
  ...change,
})

describe.each([
  ['B', 24, 8],
  ['D', 32, 16],
] as const)('version %s', (version, keyBytes, multiple) => {
  const protectionKey = randomBytes(keyBytes)
  const anyBlocks = fc.array(
    fc.record({
      id: fc.constantFrom('KS', 'TS', 'LB', '10'),
      data: fc.string({ unit: fc.constantFrom(...'0123456789ABCDEF :-'), maxLength: 300 }),
    }),
    { maxLength: 4 },
  )

  test('goes there and back, its optional blocks with it', () => {
    fc.assert(
      fc.property(anyBlocks, fc.constantFrom(16, 24), (optionalBlocks, bytes) => {
        const key = randomBytes(bytes)
        const block = wrapKeyBlock(protectionKey, headerOf(version, { optionalBlocks }), key)
        const opened = unwrapKeyBlock(protectionKey, block)
        expect(opened.key).toEqual(key)
        expect(opened.header.optionalBlocks.filter(({ id }) => id !== 'PB')).toEqual(optionalBlocks)
        expect(readKeyBlockHeader(block).end % multiple).toBe(0)
      }),
    )
  })

  test('every altered character is refused', () => {
    const optionalBlocks = [{ id: 'KS', data: '00604B120F9292800000' }]
    const block = wrapKeyBlock(protectionKey, headerOf(version, { optionalBlocks }), randomBytes(16))
    for (let index = 0; index < block.length; index++) {
      const other = block[index] === '1' ? '2' : '1'
      const altered = block.slice(0, index) + other + block.slice(index + 1)
      expect(codeOf(() => unwrapKeyBlock(protectionKey, altered))).toMatch(/^key_block_(?:mac|format)$|^key_length$/)
    }
    expect(codeOf(() => unwrapKeyBlock(randomBytes(keyBytes), block))).toBe('key_block_mac')
    expect(codeOf(() => unwrapKeyBlock(protectionKey, block.toLowerCase()))).toBe('key_block_format')
  })

  test('hides the length of the key', () => {
    const lengths = [16, 24].map(bytes => wrapKeyBlock(protectionKey, headerOf(version), randomBytes(bytes)).length)
    expect(new Set(lengths).size).toBe(1)
  })
})

test.each([
  // name,                            header,                                          protection key, key, code
  ['version A', { ...headerOf('B'), version: 'A' }, 16, 16, 'key_block_version'],
  ['an AES key under triple DES', headerOf('B', { algorithm: 'A' }), 24, 16, 'key_strength'],
  ['a longer AES key', headerOf('D'), 16, 32, 'key_strength'],
  ['a longer triple DES key', headerOf('B'), 16, 24, 'key_strength'],
  ['no key', headerOf('D'), 16, 0, 'key_length'],
  ['a usage of one letter', headerOf('D', { usage: 'P' }), 16, 16, 'key_block_format'],
  ['a small letter as mode', headerOf('D', { mode: 'e' }), 16, 16, 'key_block_format'],
  ['a line break', headerOf('D', { optionalBlocks: [{ id: 'KS', data: '\n' }] }), 16, 16, 'key_block_format'],
  ['no room', headerOf('D', { optionalBlocks: [{ id: 'KS', data: '0'.repeat(9990) }] }), 16, 16, 'key_block_format'],
] as const)('not wrapped: %s', (_name, header, protectionKeyBytes, keyBytes, code) => {
  const wrap = () => wrapKeyBlock(randomBytes(protectionKeyBytes), header, randomBytes(keyBytes))
  expect(codeOf(wrap)).toBe(code)
})

test('any text is opened or refused with a typed error', () => {
  const anyText = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(...'ABCD0123456789KSPT'), maxLength: 120 }).map(text => {
      const length = String(text.length + 16).padStart(4, '0')
      return `B${length}P0TE00N0${text.length % 3}00${text}`
    }),
  )
  fc.assert(
    fc.property(anyText, text => {
      expect(codeOf(() => unwrapKeyBlock(letters, text))).toMatch(/^key_block_(?:mac|format)$|^key_length$/)
    }),
    { numRuns: 500 },
  )
})

function codeOf(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return (error as CryptoError).code
  }
  return undefined
}
