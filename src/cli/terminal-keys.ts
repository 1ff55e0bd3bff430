import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { Message } from '../codec/message.ts'
import type { ListenerConfig } from '../config/load.ts'
import { CryptoError } from '../crypto/errors.ts'
import { unwrapKeyBlock } from '../crypto/key-block.ts'
import { type KeyAlgorithm, matchesCheckValue } from '../crypto/key-check-value.ts'
import { bytesOf, type SecurityValues } from './terminal-security.ts'
import type { KeyLine } from './terminal-view.ts'

interface SessionKey {
  readonly algorithm: KeyAlgorithm
  readonly key: Buffer
  readonly checkValue: string
}

/** What a key change gave a terminal. */
export interface SessionKeys {
  readonly terminal: string
  readonly mac?: SessionKey
  readonly pin?: SessionKey
}

/** The element of an answer that has the keys, where the listener names none. */
const elementByDefault = 48
const usages = { M: { usage: 'mac', form: /^M/ }, P: { usage: 'pin', form: /^P0$/ } } as const

/**
 * The keys in the file that `--session-keys` names; null if there is no such file yet. Throws an Error if others can
 * read it, or if it is another terminal's.
 */
export function readSessionKeys(path: string | undefined, terminal: string): SessionKeys | null {
  if (path === undefined || !existsSync(path)) return null
  if ((statSync(path).mode & 0o077) !== 0) throw new Error(`--session-keys: ${path} can be read by others: chmod 600`)
  const file = parsed(path)
  if (file.terminal !== terminal) throw new Error(`--session-keys: ${path} has the keys of ${file.terminal}`)
  return {
    terminal,
    ...(file.mac === undefined ? {} : { mac: keyOf(file.mac, path) }),
    ...(file.pin === undefined ? {} : { pin: keyOf(file.pin, path) }),
  }
}

interface KeyInFile {
  readonly algorithm: string
  readonly key: string
  readonly checkValue: string
}

function parsed(path: string): { terminal: unknown; mac?: KeyInFile; pin?: KeyInFile } {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    throw new Error(`--session-keys: ${path} was not written by a key change`)
  }
}

function keyOf({ algorithm, key, checkValue }: KeyInFile, path: string): SessionKey {
  const bytes = Buffer.from(String(key), 'hex')
  const isKnown = algorithm === 'tdes' || algorithm === 'aes'
  if (!isKnown || bytes.length === 0) throw new Error(`--session-keys: ${path} was not written by a key change`)
  return { algorithm, key: bytes, checkValue }
}

/**
 * The terminal's side of a key change. Checks its options before anything is sent; `take` opens the keys of an
 * approval and writes them. Throws an Error that names what is wrong, never a key.
 */
export function keyChangeOf(values: SecurityValues, terminal: string, { keyExchange }: Listener) {
  const path = values['session-keys']
  if (values['master-key'] === undefined || path === undefined) {
    throw new Error('key-change needs --master-key @FILE and --session-keys FILE')
  }
  const master = bytesOf('--master-key', values['master-key'])
  const element = keyExchange?.element ?? elementByDefault
  return {
    take({ fields }: Message): KeyLine[] {
      const keys = { terminal, ...opened(fields[element]?.trim(), master, element) }
      write(path, keys)
      return (['mac', 'pin'] as const).flatMap(usage => {
        const key = keys[usage]
        return key === undefined ? [] : [{ usage, checkValue: key.checkValue }]
      })
    },
  }
}

type Listener = Pick<ListenerConfig, 'keyExchange'>

/** What to do about a refusal of a key change, by DE39. */
export const keyChangeHints: Readonly<Record<string, string>> = {
  '58': 'Needs a listener with keyExchange, and a master key of the terminal: charsu keys list.',
  '63': 'The terminal has a MAC key, and its newest one must sign the request: --session-keys FILE, or --mac-key.',
  '91': 'New keys were made less than 30 seconds ago.',
}

/** The keys of `M:block:check value;P:block:check value`. */
function opened(text: string | undefined, master: Buffer, element: number): Omit<SessionKeys, 'terminal'> {
  if (text === undefined || text === '') throw new Error(`the answer has no keys in DE${element}`)
  const keys: { mac?: SessionKey; pin?: SessionKey } = {}
  for (const entry of text.split(';')) {
    const [mark, block = '', checkValue = '', ...more] = entry.split(':')
    if ((mark !== 'M' && mark !== 'P') || more.length > 0) {
      throw new Error(`DE${element} of the answer is not M: or P:, a key block, : and a check value`)
    }
    keys[usages[mark].usage] = openedKey(mark, block, checkValue, master)
  }
  return keys
}

function openedKey(mark: 'M' | 'P', block: string, checkValue: string, master: Buffer): SessionKey {
  const what = `the ${usages[mark].usage.toUpperCase()} key of the answer`
  try {
    const { header, key } = unwrapKeyBlock(master, block)
    if (!usages[mark].form.test(header.usage)) throw new Error(`${what} is in a key block for ${header.usage}`)
    const algorithm = header.algorithm === 'A' ? 'aes' : 'tdes'
    if (!matchesCheckValue(algorithm, key, Buffer.from(checkValue, 'hex'))) {
      throw new Error(`${what} has another check value than ${checkValue}`)
    }
    return { algorithm, key, checkValue }
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    const hint = error.code === 'key_block_mac' ? ': is --master-key that of the terminal?' : ''
    throw new Error(`${what} cannot be opened: ${error.message}${hint}`)
  }
}

/** Whole or not at all: the keys before are those that the terminal works with. */
function write(path: string, { terminal, mac, pin }: SessionKeys): void {
  const inFile = (one: SessionKey | undefined) =>
    one === undefined ? undefined : { ...one, key: one.key.toString('hex').toUpperCase() }
  const text = `${JSON.stringify({ terminal, mac: inFile(mac), pin: inFile(pin) }, null, 2)}\n`
  const draft = `${path}.new`
  rmSync(draft, { force: true })
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx' })
    renameSync(draft, path)
  } catch (error) {
    throw new Error(`--session-keys: ${path} cannot be written: ${(error as NodeJS.ErrnoException).code}. Ask again.`)
  }
}
