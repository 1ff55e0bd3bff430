import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runCards } from './cards.ts'

const { cvv: cvvs, emvCryptogram }: Vectors = JSON.parse(
  readFileSync(new URL('../crypto/vectors/card.json', import.meta.url), 'utf8'),
)
interface Vectors {
  readonly cvv: Record<'where' | 'cvk' | 'pan' | 'expiry' | 'serviceCode' | 'cvv', string>[]
  readonly emvCryptogram: [
    Record<'imkAc' | 'pan' | 'csn' | 'data' | 'arqc', string>,
    Record<'arqc' | 'arc' | 'arpc', string>,
  ]
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'charsu-cards-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** `charsu cards …` with these lines in a file of its owner's. */
async function cards(args: string[], lines: readonly (string | undefined)[], mode = 0o600) {
  const input = join(folder, 'input')
  writeFileSync(input, `${lines.join('\n')}\n`)
  chmodSync(input, mode)
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    const status = await runCards([...args, '--input', input])
    return { status, stdout: write.mock.calls.map(([text]) => text).join('') }
  } finally {
    write.mockRestore()
  }
}

test.each(cvvs)('CVV: $where', async ({ cvk, pan, expiry, serviceCode, cvv }) => {
  const verify = (value: string) => cards(['verify-cvv'], [cvk, pan, expiry, serviceCode, value])
  expect(await verify(cvv)).toEqual({ status: 0, stdout: 'right\n' })
  expect(await verify('000')).toEqual({ status: 1, stdout: 'wrong\n' })
})

test('cryptogram (ARQC) and the answer to it (ARPC), which a wrong one does not get', async () => {
  const [request, { arc, arpc }] = emvCryptogram
  const verify = (arqc: string) =>
    cards(['verify-arqc', '--response-code', arc], [request.imkAc, request.pan, request.csn, request.data, arqc])
  expect(await verify(request.arqc)).toEqual({ status: 0, stdout: `right\nARPC ${arpc}\n` })
  expect(await verify('0'.repeat(16))).toEqual({ status: 1, stdout: 'wrong\n' })
})

const [one] = cvvs
test.each([
  ['a key that is none', ['verify-cvv'], ['12', one?.pan, '1108', '000', '453'], 'a key of this length'],
  ['odd digits', ['verify-cvv'], ['123', one?.pan, '1108', '000', '453'], 'the key must be hexadecimal digits'],
  ['a line too few', ['verify-cvv'], [one?.cvk, one?.pan, '1108', '000'], '5 lines are needed'],
  ['a padding that is none', ['verify-arqc', '--padding', '3'], [], '--padding must be 1 or 2'],
] as const)('%s', async (_name, args, lines, sentence) => {
  await expect(cards([...args], lines)).rejects.toThrow(sentence)
})

test('a file that others can read is not read', async () => {
  await expect(cards(['verify-cvv'], ['x'], 0o644)).rejects.toThrow('can be read by others')
})
