import { readFileSync } from 'node:fs'
import type { Message } from '../codec/message.ts'
import type { ListenerConfig } from '../config/load.ts'
import { aesDukptKeys } from '../crypto/dukpt-aes.ts'
import { tdesDukptKeys } from '../crypto/dukpt-tdes.ts'
import type { MacMethod } from '../crypto/mac.ts'
import { encipherPin, type PinBlockFormat } from '../crypto/pin-translation.ts'
import type { IsoClientOptions } from '../iso8583/client.ts'
import type { SessionKeys } from './terminal-keys.ts'

export const securityUsage = `Security (a KEY is hexadecimal digits, or @FILE with them, off the command line)
  --mac-key KEY        DE64 or DE128 on each request, and checked on the answer
  --mac-algorithm NAME retail, tdes-cbc or aes-cmac (that of the listener, else retail)
  --mac-padding 1|2|3  of ISO/IEC 9797-1 (that of the listener, else 1)
  --mac-length 4|8     (that of the listener, else 8)
  --pin PIN            enciphered in DE52; or @FILE
  --pin-key KEY        the terminal's or the zone's PIN key
  --pin-format 0|1|3|4 of ISO 9564-1 (that of the listener, else 0)
  --ipek KEY --ksn KSN instead of --pin-key: the initial DUKPT key (triple DES, or AES with a KSN of 24 digits), and the
                       key serial number of this transaction
  --ksn-element N      where the KSN goes (that of the listener, else 53)
  --session-keys FILE  the MAC and PIN keys of a key change: it writes them there, mode 0600, and others take them
  --master-key KEY     key-change: what the new keys come under
  --tls                TLS; --ca FILE: who signs the switch's certificate; --cert FILE --key FILE: the terminal's own`

export const securityOptions = {
  'mac-key': { type: 'string' },
  'mac-algorithm': { type: 'string' },
  'mac-padding': { type: 'string' },
  'mac-length': { type: 'string' },
  pin: { type: 'string' },
  'pin-key': { type: 'string' },
  'pin-format': { type: 'string' },
  ipek: { type: 'string' },
  ksn: { type: 'string' },
  'ksn-element': { type: 'string' },
  'session-keys': { type: 'string' },
  'master-key': { type: 'string' },
  tls: { type: 'boolean', default: false },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
} as const

export type SecurityValues = {
  readonly [Name in Exclude<keyof typeof securityOptions, 'tls'>]?: string | undefined
} & {
  readonly tls: boolean
}

type Listener = Pick<ListenerConfig, 'name' | 'mac' | 'pin' | 'tls'>

/**
 * How the connection is secured. Throws an Error that names the option which is wrong and its file, never its value.
 */
export function connectionSecurity(
  values: SecurityValues,
  { name, mac, tls: wanted }: Listener,
  session: SessionKeys | null,
): Pick<IsoClientOptions, 'mac' | 'tls'> {
  const { ca, cert, key } = values
  const tls = { ...textOf('ca', ca), ...textOf('cert', cert), ...textOf('key', key) }
  const isTls = values.tls || Object.keys(tls).length > 0
  if (wanted !== undefined && !isTls) {
    throw new Error(`nothing was sent: the listener ${name} wants TLS: --tls, with --ca FILE`)
  }
  const macKey = values['mac-key'] === undefined ? session?.mac?.key : bytesOf('--mac-key', values['mac-key'])
  return {
    ...(isTls ? { tls } : {}),
    ...(macKey === undefined ? {} : { mac: { method: methodOf(values, mac?.method), key: macKey } }),
  }
}

/** Puts the PIN block, and with DUKPT the key serial number, into a request that has a card. */
export function addPin(
  { fields }: Message,
  pan: string,
  values: SecurityValues,
  { pin: configured }: Listener,
  session: SessionKeys | null,
): void {
  if (values.pin === undefined || fields[2] === undefined) return
  const pin = given('--pin', values.pin)
  const format = choiceOf('--pin-format', values['pin-format'], ['0', '1', '3', '4']) ?? configured?.format ?? 0
  const element = configured?.element ?? 52
  const block = encipherPin(
    { format: Number.parseInt(String(format), 10) as PinBlockFormat, key: pinKeyOf() },
    pin,
    pan,
  )
  fields[element] = block.toString('hex').toUpperCase()

  function pinKeyOf(): Buffer {
    if (values['pin-key'] !== undefined) return bytesOf('--pin-key', values['pin-key'])
    if (values.ipek === undefined || values.ksn === undefined) {
      if (session?.pin !== undefined) return session.pin.key
      throw new Error('--pin needs --pin-key, --ipek and --ksn, or --session-keys with a PIN key')
    }
    const ksn = bytesOf('--ksn', values.ksn)
    const ksnElement = Number.parseInt(values['ksn-element'] ?? String(configured?.ksnElement ?? 53), 10)
    fields[ksnElement] = ksn.toString('hex').toUpperCase()
    const initial = bytesOf('--ipek', values.ipek)
    if (ksn.length === 10) return tdesDukptKeys(initial, ksn).pin
    const aesType = ({ 16: 'aes-128', 24: 'aes-192', 32: 'aes-256' } as const)[initial.length] ?? 'aes-128'
    return aesDukptKeys(initial, ksn, String(format) === '4' ? aesType : '2tdea').pin
  }
}

function methodOf(values: SecurityValues, configured: MacMethod | undefined): MacMethod {
  const algorithm =
    choiceOf('--mac-algorithm', values['mac-algorithm'], ['retail', 'tdes-cbc', 'aes-cmac']) ?? configured?.algorithm
  const length = choiceOf('--mac-length', values['mac-length'], ['4', '8'])
  const bytes = length === undefined ? (configured?.bytes ?? 8) : length === '4' ? 4 : 8
  if (algorithm === 'aes-cmac') return { algorithm, bytes }
  const padding = choiceOf('--mac-padding', values['mac-padding'], ['1', '2', '3'])
  const byDefault = configured !== undefined && 'padding' in configured ? configured.padding : 1
  const chosen = padding === undefined ? byDefault : (Number.parseInt(padding, 10) as 1 | 2 | 3)
  return { algorithm: algorithm ?? 'retail', padding: chosen, bytes }
}

function choiceOf<Choice extends string>(option: string, text: string | undefined, choices: readonly Choice[]) {
  if (text === undefined) return undefined
  const choice = choices.find(one => one === text)
  if (choice === undefined) throw new Error(`${option} must be one of ${choices.join(', ')}`)
  return choice
}

const given = (option: string, text: string): string =>
  text.startsWith('@') ? contentOf(option, text.slice(1)).trim() : text

/** The bytes of a KEY. Throws an Error that names the option, and the file where it is one. */
export function bytesOf(option: string, text: string): Buffer {
  const digits = given(option, text)
  if (!/^(?:[0-9A-Fa-f]{2})+$/.test(digits)) throw new Error(`${option} must be hexadecimal digits, or @FILE with them`)
  return Buffer.from(digits, 'hex')
}

const textOf = (name: string, path: string | undefined) =>
  path === undefined ? {} : { [name]: contentOf(`--${name}`, path) }

/** Throws an Error that names the option and the file. */
function contentOf(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${option}: ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}
