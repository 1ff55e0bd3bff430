import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { defaultFraming, FrameReader } from '../src/codec/framing.ts'
import { panToken } from '../src/crypto/hash.ts'
import { unwrapKeyBlock } from '../src/crypto/key-block.ts'
import { keyCheckValue } from '../src/crypto/key-check-value.ts'
import { keyEncryptionKeyOf } from '../src/crypto/key-encryption.ts'
import type { KeyUsage } from '../src/crypto/key-ring.ts'
import { encryptedKey } from '../src/crypto/live-keys.ts'
import { computeMac, type MacMethod } from '../src/crypto/mac.ts'
import { panKeyOf } from '../src/crypto/pan-key.ts'
import { encodePinBlock } from '../src/crypto/pin-block.ts'
import { encipherPin } from '../src/crypto/pin-translation.ts'
import { visaPvv } from '../src/crypto/pin-verification.ts'
import { setCardPin } from '../src/store/card-pins.ts'
import { readCatalogs } from '../src/store/catalog.ts'
import { storeKey } from '../src/store/keys.ts'
import { openPool } from '../src/store/pool.ts'
import { blocksOf, isoBytes, type SecuredLine } from './support/doc-examples.ts'
import { readDialect } from './support/terminal.ts'

/** What a page says of a listener with MAC and PIN: its entry of switch.json, the test keys, and a PIN block. */
export interface Secured {
  readonly listener: Readonly<Record<string, unknown>> & {
    readonly port: number
    readonly mac: { readonly algorithm: 'retail'; readonly padding: 1 | 2 | 3 }
  }
  /** By owner and usage: `terminal:T0000001 mac`. */
  readonly keys: ReadonlyMap<string, { readonly key: Buffer; readonly checkValue: string }>
  /** PIN, card number, PIN field, card number field, clear block and enciphered block, as the page has them. */
  readonly pinBlock: readonly string[]
}

const dialect = readDialect('iso87a')
const root = resolve(import.meta.dirname, '..')
export const securedEnvironment = { KEK: 'cd'.repeat(32), PAN_KEY: 'ab'.repeat(32) }

/** Null: the page has no such listener. */
export function securedIn(markdown: string): Secured | null {
  const textOf = (kind: string): string => blocksOf(markdown).find(block => block.kind === kind)?.text ?? ''
  const listener = textOf('json listener')
  if (listener === '') return null
  const rows = textOf('text keys')
    .split('\n')
    .map(line => line.split(/ +/))
  const keys = new Map(
    rows.map(([owner = '', usage = '', key = '', checkValue = '']) => [
      `${owner} ${usage}`,
      { key: Buffer.from(key, 'hex'), checkValue },
    ]),
  )
  const pinBlock = [...textOf('text pin block').matchAll(/ {2}([0-9A-F]+)(?:$| {2,})/gm)].map(([, value = '']) => value)
  return { listener: JSON.parse(listener), keys, pinBlock }
}

/** A copy of the configuration in `folder`, with the listener at the end. Answers what loads it. */
export function configureSecured(folder: string, { listener }: Secured): Readonly<Record<string, string>> {
  cpSync(join(root, 'switch-config'), folder, { recursive: true })
  const file = JSON.parse(readFileSync(join(folder, 'switch.json'), 'utf8'))
  writeFileSync(join(folder, 'switch.json'), JSON.stringify({ ...file, listeners: [...file.listeners, listener] }))
  return { ...securedEnvironment, SWITCH_CONFIG: folder }
}

/** Writes the ports that were found free, so that `charsu terminal --listener` finds them. */
export function writePorts(folder: string, ports: readonly number[]): void {
  const file = JSON.parse(readFileSync(join(folder, 'switch.json'), 'utf8'))
  const listeners = file.listeners.map((one: object, index: number) => ({ ...one, port: ports[index] }))
  writeFileSync(join(folder, 'switch.json'), JSON.stringify({ ...file, listeners }))
}

/** Stores the keys of the page, and the PIN for its card; the running switch sees them within a second. */
export async function loadSecured(databaseUrl: string, { keys, pinBlock }: Secured): Promise<void> {
  const [pin = '', pan = ''] = pinBlock
  const pool = openPool(databaseUrl, { connectionsMax: 1 })
  try {
    const [tenant] = (await readCatalogs(pool)).keys()
    const keyEncryptionKey = keyEncryptionKeyOf(securedEnvironment.KEK)
    const add = (owner: string, usage: KeyUsage, name: string, key: Buffer) => {
      const place = { tenant: tenant!, owner, usage, name }
      return storeKey(pool, encryptedKey(keyEncryptionKey, place, { algorithm: 'tdes', key, settings: null }), 0)
    }
    for (const [place, { key }] of keys) {
      const [owner = '', usage = ''] = place.split(' ')
      await add(owner, usage as KeyUsage, '', key)
    }
    const pvvKey = Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex')
    await add('tenant', 'pvv', '1', pvvKey)
    const value = visaPvv({ key: pvvKey, keyIndex: '1', pan }, pin)
    const token = panToken(pan, panKeyOf(securedEnvironment.PAN_KEY))
    if (!(await setCardPin(pool, tenant!, token, { method: 'pvv', keyName: '1', value }))) throw new Error('no card')
  } finally {
    await pool.end()
  }
  await new Promise(done => setTimeout(done, 2_500))
}

/** One connection, as signing on is for a connection. */
export function openLine(port: number): SecuredLine {
  const socket = connect({ host: '127.0.0.1', port })
  const reader = new FrameReader(defaultFraming)
  const waiting: { resolve(body: Buffer): void; reject(error: Error): void }[] = []
  socket.on('error', error => waiting.shift()?.reject(error))
  socket.on('close', () => waiting.shift()?.reject(new Error('closed without a reply')))
  socket.on('data', chunk => {
    for (const { body } of reader.push(chunk as Buffer).frames) waiting.shift()?.resolve(body)
  })
  return {
    async send(frame) {
      const timer = setTimeout(() => socket.destroy(new Error('no reply in 10 s')), 10_000)
      try {
        return await new Promise<Buffer>((resolve, reject) => {
          waiting.push({ resolve, reject })
          socket.write(frame)
        })
      } finally {
        clearTimeout(timer)
      }
    },
    close: () => socket.destroy(),
  }
}

const methodOf = ({ listener: { mac } }: Secured): MacMethod => ({ ...mac, bytes: 8 })

/** Throws unless the MAC of a message, rows as a page shows them, is right, and the keys in it open. */
export function checkSecured(secured: Secured, rows: string): void {
  const body = isoBytes(rows, /^[→←] /)
  const { message } = dialect.unpack(body)
  const owner = `terminal:${message.fields[41]?.trim()}`
  const given = message.fields[128] ?? message.fields[64]
  if (given !== undefined) {
    const { key } = secured.keys.get(`${owner} mac`)!
    const mac = computeMac(methodOf(secured), key, body.subarray(0, body.length - 16))
      .toString('hex')
      .toUpperCase()
    // A page may show what a wrong one comes to, and says so in the row.
    const isWrong = /^ *(?:64|128) {2}\S+ {2,}a wrong MAC/m.test(rows)
    if ((mac === given) === isWrong) throw new Error(`the MAC of ${rows.split('\n')[0]} should be ${mac}`)
  }
  for (const entry of message.fields[48]?.split(';') ?? []) {
    const [, block = '', checkValue] = entry.split(':')
    const { key } = unwrapKeyBlock(secured.keys.get(`${owner} master`)!.key, block)
    if (keyCheckValue('tdes', key).toString('hex').toUpperCase() !== checkValue) throw new Error(`not ${checkValue}`)
  }
}

/** What the page says of its keys and its PIN block, computed anew. */
export function computedOf({ keys, pinBlock: [pin = '', pan = ''] }: Secured) {
  const clear = encodePinBlock(0, pin, pan)
  const { key } = keys.get('terminal:T0000001 pin')!
  return {
    checkValues: [...keys.values()].map(one => keyCheckValue('tdes', one.key).toString('hex').toUpperCase()),
    pinBlock: [
      pin,
      pan,
      `0${pin.length}${pin}`.padEnd(16, 'F'),
      `0000${pan.slice(3, 15)}`,
      clear.toString('hex').toUpperCase(),
      encipherPin({ format: 0, key }, pin, pan).toString('hex').toUpperCase(),
    ],
  }
}
