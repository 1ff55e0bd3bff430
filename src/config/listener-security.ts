import { resolve } from 'node:path'
import type { Static } from 'typebox'
import type { Dialect } from '../codec/dialect.ts'
import { ConfigError } from './errors.ts'
import type { listenerSchema } from './schema.ts'
import type { TlsFiles } from './tls-files.ts'

type ListenerFile = Static<typeof listenerSchema>

/** A MAC as `crypto/mac.ts` takes its method. */
interface MacConfig {
  readonly method:
    | { readonly algorithm: 'retail' | 'tdes-cbc'; readonly padding: 1 | 2 | 3; readonly bytes: 4 | 8 }
    | { readonly algorithm: 'aes-cmac'; readonly bytes: 4 | 8 }
  readonly keys: 'terminal' | 'listener'
  readonly required: boolean
}

interface PinConfig {
  readonly keys: 'terminal' | 'listener' | 'dukpt-tdes' | 'dukpt-aes'
  readonly format: 0 | 1 | 3 | 4
  readonly element: number
  readonly ksnElement: number
  readonly required: boolean
}

export interface ListenerSecurity {
  readonly mac?: MacConfig
  readonly pin?: PinConfig
  readonly tls?: TlsFiles
  readonly signOn?: 'required' | 'free'
  readonly keyExchange?: { readonly element: number; readonly overlapSeconds: number }
  readonly echoEveryMs?: number
  /** `file` is in the data folder. */
  readonly frameLog?: { readonly file: string; readonly bytesMax: number }
}

/** What a listener says of MAC, PIN and TLS, checked against its dialect. `at` names the listener in a ConfigError. */
export function securityOf(listener: ListenerFile, dialect: Dialect, folder: string, at: string) {
  const { mac, pin, tls, signOn, keyExchange, echoEveryMs, frameLog } = listener
  const security: { -readonly [Part in keyof ListenerSecurity]: ListenerSecurity[Part] } = {}
  if (mac !== undefined) security.mac = macOf(mac, dialect, at)
  if (pin !== undefined) security.pin = pinOf(pin, dialect, at)
  if (tls !== undefined) {
    const { certFile, keyFile, clientCaFile } = tls
    security.tls = {
      certFile: resolve(folder, certFile),
      keyFile: resolve(folder, keyFile),
      clientCaFile: clientCaFile === undefined ? undefined : resolve(folder, clientCaFile),
    }
  }
  if (signOn !== undefined) security.signOn = signOn
  if (echoEveryMs !== undefined) security.echoEveryMs = echoEveryMs
  if (frameLog !== undefined) security.frameLog = frameLog
  if (keyExchange !== undefined) {
    if (mac === undefined) {
      throw new ConfigError(`${at}/keyExchange: needs "mac": without one anybody could change the keys of a terminal`)
    }
    security.keyExchange = keyExchangeOf(keyExchange, dialect, at)
  }
  return security
}

function macOf(mac: NonNullable<ListenerFile['mac']>, dialect: Dialect, at: string): MacConfig {
  const { algorithm, padding, length: bytes = 8, keys, required = true } = mac
  for (const element of [64, 128]) {
    const field = dialect.format.fields.get(element)
    if (field?.type !== 'b' || dialect.fixedWireBytesOf(element) === undefined || field.length < bytes) {
      throw new ConfigError(`${at}/mac: DE${element} of the dialect cannot carry a MAC of ${bytes} bytes`)
    }
  }
  if (algorithm !== 'aes-cmac') return { method: { algorithm, padding: padding ?? 1, bytes }, keys, required }
  if (padding !== undefined) throw new ConfigError(`${at}/mac/padding: AES-CMAC has its own`)
  return { method: { algorithm, bytes }, keys, required }
}

/** Two key blocks of 32 bytes with their names and check values. */
const keyBlocksLength = 300

function keyExchangeOf(given: NonNullable<ListenerFile['keyExchange']>, dialect: Dialect, at: string) {
  const { element = 48, overlapSeconds = 3_600 } = given
  const field = dialect.format.fields.get(element)
  if (field === undefined || field.children !== undefined || field.type === 'b' || field.length < keyBlocksLength) {
    throw new ConfigError(`${at}/keyExchange/element: DE${element} of the dialect cannot carry key blocks`)
  }
  return { element, overlapSeconds }
}

function pinOf(pin: NonNullable<ListenerFile['pin']>, dialect: Dialect, at: string): PinConfig {
  const { keys, format, element = 52, ksnElement = 53, required = false } = pin
  const blockBytes = format === 4 ? 16 : 8
  const field = dialect.format.fields.get(element)
  if (field?.type !== 'b' || field.length < blockBytes) {
    throw new ConfigError(
      `${at}/pin/element: DE${element} of the dialect cannot carry a PIN block of ${blockBytes} bytes`,
    )
  }
  if (format === 4 && keys === 'dukpt-tdes') throw new ConfigError(`${at}/pin/format: 4 needs AES keys`)
  if (keys.startsWith('dukpt')) {
    const ksn = dialect.format.fields.get(ksnElement)
    const ksnBytes = keys === 'dukpt-aes' ? 12 : 10
    if (ksn === undefined || ksn.length < (ksn.type === 'b' ? ksnBytes : 2 * ksnBytes)) {
      throw new ConfigError(`${at}/pin/ksnElement: DE${ksnElement} of the dialect cannot carry ${ksnBytes} bytes`)
    }
  }
  return { keys, format, element, ksnElement, required }
}
