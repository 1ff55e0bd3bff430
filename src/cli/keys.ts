import { randomBytes } from 'node:crypto'
import { loadConfig } from '../config/load.ts'
import { xor } from '../crypto/bytes.ts'
import { CryptoError } from '../crypto/errors.ts'
import { unwrapKeyBlock, wrapKeyBlock } from '../crypto/key-block.ts'
import { type KeyAlgorithm, keyCheckValue } from '../crypto/key-check-value.ts'
import { combineComponents, withOddParity } from '../crypto/key-components.ts'
import { type KeyPlace, type KeyUsage, keyUsages } from '../crypto/key-ring.ts'
import { retireKey } from '../store/keys.ts'
import {
  addKey,
  countOf,
  hexOf,
  type KeyStore,
  keysOf,
  OperatorError,
  type Options,
  openKey,
  optionsOf,
  withKeyStore,
} from './key-store.ts'
import { translatedPin } from './keys-translate.ts'
import { readSecretLines } from './secret-input.ts'

const usage = `Usage: charsu keys <command> [options]

Keys are stored under the key-encryption key: KEK (64 hexadecimal digits), else kek.key in the data folder. A clear key
is never printed. What is secret is read from standard input, which on a terminal does not show it.

Commands
  list                        all keys with their check values
  generate                    a new random key
  import                      a key from components, one a line, or from a key block with --under
  rotate ID                   a new random key in the place of this one
  export ID --under ID        the key as a key block (ANSI X9.143, TR-31)
  retire ID                   ends a key at once; its secret is erased
  translate-pin               a PIN block under another key, to see whether a host has the same zone key: reads the
                              card number and the block, each on a line of its own; the PIN is not shown

Options of generate and import
  --usage USAGE               master, mac, pin, dukpt, pvv or ibm3624
  --owner OWNER               terminal:T0000001, listener:NAME, host:NAME, or tenant (for dukpt, pvv and ibm3624)
  --name NAME                 dukpt: first digits of the key serial numbers; pvv and ibm3624: the key index
  --algorithm tdes|aes        (tdes)
  --bytes 16|24|32            of a generated key (16)
  --overlap SECONDS           how long the key before is still taken (0; rotate: 86400)
  --components N              import: how many (2). generate: prints the key as so many components, on a terminal only
  --check-value HEX           import from components: that of the whole key
  --under ID                  import and export: the key that protects the key block
  --decimalisation DIGITS     ibm3624: 16 digits (0123456789012345)
  --validation START,LENGTH,PAD   ibm3624: which digits of the card number, and the fill (0,16,F)
  --tenant CODE               where there are several
  --json                      list

Options of translate-pin
  --from OWNER                whose PIN key the block is under: terminal:T0000001, listener:NAME or host:NAME
  --to OWNER                  whose it shall be under: listener:NAME or host:NAME
  --from-format 0|1|3|4       of ISO 9564-1 (0)
  --to-format 0|1|3|4         (that of --from-format)
  --input FILE                has the two lines, mode 0600; left out: standard input
`

const texts = ['usage', 'owner', 'name', 'algorithm', 'bytes', 'overlap', 'components', 'check-value', 'under']
const moreTexts = ['decimalisation', 'validation', 'tenant', 'from', 'to', 'from-format', 'to-format', 'input']
const rotateOverlapSeconds = '86400'
const overlapSecondsMax = 31 * 86_400

/** The usage of a key block (ANSI X9.143, table 2) for each of ours; the first one is what `export` writes. */
const blockUsages: Readonly<Record<KeyUsage, readonly string[]>> = {
  master: ['K0', 'K1'],
  mac: ['M3', 'M1', 'M6', 'M0'],
  pin: ['P0'],
  dukpt: ['B0'],
  pvv: ['V2'],
  ibm3624: ['V1'],
}

/** Answers the exit status. */
export async function runKeys(args: string[]): Promise<number> {
  const options = optionsOf(args, [...texts, ...moreTexts], ['json'])
  const [command, id = ''] = options.positionals
  if (options.isSet('help') || command === undefined) {
    process.stdout.write(usage)
    return command === undefined && !options.isSet('help') ? 2 : 0
  }
  try {
    process.stdout.write(await withKeyStore(options.textOf('tenant'), store => run(store, command, id, options)))
    return 0
  } catch (error) {
    if (error instanceof CryptoError) throw new OperatorError(error.message)
    throw error
  }
}

async function run(store: KeyStore, command: string, id: string, options: Options): Promise<string> {
  switch (command) {
    case 'list':
      return list(store, options.isSet('json'))
    case 'generate':
      return generate(store, options)
    case 'import':
      return addKey(store, placeOf(store, options), await imported(store, options), overlapOf(options, '0'))
    case 'rotate': {
      const { row, key } = await openKey(store, id)
      if (row.status !== 'active') {
        throw new OperatorError(`key ${id} is ${row.status}: another is active in its place, see "charsu keys list"`)
      }
      const fresh = { algorithm: row.algorithm, key: newKey(row.algorithm, key.length), settings: row.settings }
      return addKey(store, row, fresh, overlapOf(options, rotateOverlapSeconds))
    }
    case 'translate-pin':
      return translatedPin(store, options)
    case 'export':
      return exported(store, id, options.textOf('under') ?? '')
    case 'retire':
      if (!(await retireKey(store.pool, store.tenant, countOf('ID', id, 999_999_999)))) {
        throw new OperatorError(`there is no key ${id}, or it is retired`)
      }
      return `key ${id} is retired\n`
    default:
      throw new OperatorError(`no such command: ${command}`)
  }
}

async function list({ pool, tenant }: KeyStore, isJson: boolean): Promise<string> {
  const keys = (await keysOf(pool, tenant)).map(
    ({ id, owner, usage: of, name, algorithm, status, checkValue, until }) => ({
      ...{ id, owner, usage: of, name, algorithm, status, checkValue: checkValue.toUpperCase() },
      until: until === null ? null : new Date(until / 1000).toISOString(),
    }),
  )
  if (isJson) return `${JSON.stringify(keys, null, 2)}\n`
  const lines = keys.map(one =>
    [
      String(one.id).padStart(6),
      one.owner.padEnd(24),
      one.usage.padEnd(8),
      one.name.padEnd(12),
      one.algorithm.padEnd(5),
      one.checkValue.padEnd(11),
      one.until === null ? one.status : `${one.status} until ${one.until}`,
    ].join(' '),
  )
  return lines.length === 0 ? 'no keys\n' : `${lines.join('\n')}\n`
}

async function generate(store: KeyStore, options: Options): Promise<string> {
  const place = placeOf(store, options)
  const algorithm = algorithmOf(options)
  const bytes = countOf('bytes', options.textOf('bytes') ?? '16', 32)
  const key = newKey(algorithm, bytes)
  keyCheckValue(algorithm, key)
  const components = options.textOf('components')
  const count = components === undefined ? 0 : countOf('components', components, 8)
  if (components !== undefined && (count < 2 || !process.stdout.isTTY)) {
    throw new OperatorError('--components prints 2 to 8 components, and on a terminal only')
  }
  const line = await addKey(store, place, { algorithm, key, settings: settingsOf(options) }, overlapOf(options, '0'))
  return line + componentsOf(algorithm, key, count)
}

/** For the custodians: each gets one line, and none of them has the key. */
function componentsOf(algorithm: KeyAlgorithm, key: Buffer, count: number): string {
  if (count === 0) return ''
  const random = Array.from({ length: count - 1 }, () => newKey(algorithm, key.length))
  const parts = [...random, random.reduce(xor, key)]
  return parts
    .map(
      (part, index) => `component ${index + 1}: ${hexOf(part)}, check value ${hexOf(keyCheckValue(algorithm, part))}\n`,
    )
    .join('')
}

async function imported(store: KeyStore, options: Options) {
  const settings = settingsOf(options)
  const under = options.textOf('under')
  if (under !== undefined) {
    const [block = ''] = await readSecretLines(['key block'])
    const { header, key } = unwrapKeyBlock((await openKey(store, under)).key, block)
    const allowed = blockUsages[placeOf(store, options).usage]
    if (!allowed.includes(header.usage))
      throw new OperatorError(`the key block is for ${header.usage}, not ${allowed[0]}`)
    return { algorithm: header.algorithm === 'A' ? ('aes' as const) : ('tdes' as const), key, settings }
  }
  const given = options.textOf('check-value')
  if (given === undefined) throw new OperatorError('--check-value is required with components')
  const checkValue = hexBytes('--check-value', given)
  const count = countOf('components', options.textOf('components') ?? '2', 8)
  const prompts = Array.from({ length: count }, (_, index) => `component ${index + 1} of ${count}`)
  const lines = await readSecretLines(prompts)
  if (lines.length !== count) throw new OperatorError(`${count} components are needed, one a line`)
  const algorithm = algorithmOf(options)
  const parts = lines.map((line, index) => ({ bytes: hexBytes(`component ${index + 1}`, line) }))
  return { algorithm, key: combineComponents(algorithm, parts, checkValue), settings }
}

async function exported(store: KeyStore, id: string, under: string): Promise<string> {
  const protection = await openKey(store, under)
  if (protection.row.usage !== 'master') throw new OperatorError('--under must be a master key')
  const { row, key } = await openKey(store, id)
  const header = {
    version: protection.row.algorithm === 'aes' ? ('D' as const) : ('B' as const),
    usage: row.usage === 'mac' && row.algorithm === 'aes' ? 'M6' : blockUsages[row.usage][0]!,
    algorithm: row.algorithm === 'aes' ? 'A' : 'T',
    mode: row.usage === 'dukpt' ? 'X' : row.usage === 'mac' ? 'C' : 'B',
    keyVersion: '00',
    exportability: 'E',
    reserved: '00',
    optionalBlocks: [],
  }
  return `${wrapKeyBlock(protection.key, header, key)}\n`
}

function placeOf({ tenant, terminals }: KeyStore, options: Options): KeyPlace {
  const named = keyUsages.find(one => one === options.textOf('usage'))
  if (named === undefined) throw new OperatorError(`--usage must be one of ${keyUsages.join(', ')}`)
  const isOfTenant = named === 'dukpt' || named === 'pvv' || named === 'ibm3624'
  const owner = options.textOf('owner') ?? (isOfTenant ? 'tenant' : '')
  if (!/^(?:tenant|(?:terminal|listener|host):[!-~]{1,40})$/.test(owner)) {
    throw new OperatorError('--owner must be terminal:CODE, listener:NAME, host:NAME or tenant')
  }
  const code = owner.slice(owner.indexOf(':') + 1)
  if (owner.startsWith('terminal:') && !terminals.has(code)) {
    throw new OperatorError(`--owner: there is no terminal ${code} in this tenant`)
  }
  // The switch may run elsewhere, with another file.
  if (owner.startsWith('listener:') && !loadConfig().listeners.some(listener => listener.name === code)) {
    process.stderr.write(`charsu keys: switch.json has no listener ${code}: nothing will use this key until it has\n`)
  }
  const name = (options.textOf('name') ?? '').toUpperCase()
  const form = named === 'dukpt' ? /^[0-9A-F]{6,24}$/ : isOfTenant ? /^[0-9]$/ : /^$/
  if (!form.test(name)) throw new OperatorError(`--name is not one for ${named}: see charsu keys --help`)
  return { tenant, owner, usage: named, name }
}

function algorithmOf(options: Options): KeyAlgorithm {
  const algorithm = options.textOf('algorithm') ?? 'tdes'
  if (algorithm !== 'tdes' && algorithm !== 'aes') throw new OperatorError('--algorithm must be tdes or aes')
  return algorithm
}

const overlapOf = (options: Options, byDefault: string): number =>
  countOf('overlap', options.textOf('overlap') ?? byDefault, overlapSecondsMax)

function settingsOf(options: Options): string | null {
  if (options.textOf('usage') !== 'ibm3624') return null
  const decimalisation = options.textOf('decimalisation') ?? '0123456789012345'
  const parts = /^(\d{1,2}),(\d{1,2}),([0-9A-F])$/.exec(options.textOf('validation') ?? '0,16,F')
  if (parts === null || !/^\d{16}$/.test(decimalisation)) {
    throw new OperatorError('--decimalisation must be 16 digits, --validation such as 0,16,F')
  }
  const [start, length] = [Number.parseInt(parts[1]!, 10), Number.parseInt(parts[2]!, 10)]
  if (length > 16) throw new OperatorError('--validation takes at most 16 digits')
  return JSON.stringify({ decimalisation, start, length, pad: parts[3] })
}

const newKey = (algorithm: KeyAlgorithm, bytes: number): Buffer =>
  algorithm === 'tdes' ? withOddParity(randomBytes(bytes)) : randomBytes(bytes)

function hexBytes(what: string, text: string): Buffer {
  if (!/^(?:[0-9A-Fa-f]{2})+$/.test(text)) throw new OperatorError(`${what} must be hexadecimal digits, two a byte`)
  return Buffer.from(text, 'hex')
}
