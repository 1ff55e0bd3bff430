import { randomBytes } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultFraming, encodeFrame } from '../src/codec/framing.ts'
import { nextTdesKsn, tdesDukptKeys, tdesInitialKey } from '../src/crypto/dukpt-tdes.ts'
import { panToken } from '../src/crypto/hash.ts'
import { unwrapKeyBlock } from '../src/crypto/key-block.ts'
import { keyCheckValue } from '../src/crypto/key-check-value.ts'
import { panKeyOf } from '../src/crypto/pan-key.ts'
import { encipherPin } from '../src/crypto/pin-translation.ts'
import { connectIsoClient, type IsoClient, type IsoClientOptions, NoAnswerError } from '../src/iso8583/client.ts'
import { certificates, charsu, kek, keyNamed, panKey, type SecureStage, startSecure } from './security.e2e-stage.ts'
import { type Elements, elementsOf, messageOf, originalElements, panOfCard, readDialect } from './support/terminal.ts'

const dialect = readDialect('iso87a')
const pem = (name: string) => readFileSync(join(certificates, name), 'utf8')
const ca = pem('ca.pem')

/** All that must never be seen again; each is looked for in clear, in either case. */
const secrets = {
  mac: keyNamed('mac'),
  base: keyNamed('base'),
  pvv: keyNamed('pvv'),
  master: keyNamed('master'),
}
const pin = '4711'
const blocks: string[] = []
const method = { algorithm: 'retail', padding: 1, bytes: 8 } as const
const secure: Partial<IsoClientOptions> = {
  tls: { ca, cert: pem('client.pem'), key: pem('client.key') },
  mac: { method, key: secrets.mac },
}

const plain = {}
const signed = {
  name: 'secure',
  mac: { algorithm: 'retail', padding: 1, keys: 'terminal' },
  pin: { keys: 'dukpt-tdes', format: 0, ksnElement: 62 },
  frameLog: { file: 'frames.log', bytesMax: 1_048_576 },
  tls: { certFile: 'server.pem', keyFile: 'server.key', clientCaFile: 'ca.pem' },
}
const session = {
  ...{ name: 'session', signOn: 'required', keyExchange: {}, echoEveryMs: 1_000 },
  mac: { algorithm: 'retail', padding: 2, length: 4, keys: 'terminal' },
  pin: { keys: 'terminal', format: 0 },
}

let stage: SecureStage
const clients: IsoClient[] = []

beforeAll(async () => {
  stage = await startSecure({
    listeners: [plain, signed, session],
    keys: [
      ['terminal:T0000001', 'mac', '', 'tdes', secrets.mac],
      ['tenant', 'dukpt', 'FFFF98', 'tdes', secrets.base],
      ['tenant', 'pvv', '1', 'tdes', secrets.pvv],
      ['terminal:T0000003', 'master', '', 'tdes', secrets.master],
    ],
    pins: { key: secrets.pvv, pin, cards: [1, 2] },
  })
})
afterAll(async () => {
  for (const client of clients) await client.close()
  await stage?.close()
})

async function open(options: Partial<IsoClientOptions> = {}): Promise<IsoClient> {
  const client = await connectIsoClient({
    host: '127.0.0.1',
    port: stage.portOf(1),
    dialect,
    ...secure,
    ...options,
  })
  clients.push(client)
  return client
}

let stan = 0
let ksn: Buffer = Buffer.from('FFFF9876543210E00000', 'hex')
const sentAt = new Date().toISOString().replace(/^.{5}(..)-(..)T(..):(..):(..).*$/, '$1$2$3$4$5')

const fresh = (over: Elements = {}): Elements => ({
  ...{ 2: panOfCard(1), 3: '000000', 4: '000000001000', 7: sentAt, 11: String(++stan).padStart(6, '0') },
  ...{ 41: 'T0000001', 42: 'M00000000000001', 49: '364' },
  ...over,
})

/** DE52 and DE62 of a PIN under the terminal's next key, or under that of `again`. */
function pinElements(pan: string, entered = pin, again?: Buffer): Elements {
  ksn = again ?? nextTdesKsn(ksn)!
  const key = tdesDukptKeys(tdesInitialKey(secrets.base, ksn), ksn).pin
  const block = encipherPin({ format: 0, key }, entered, pan).toString('hex').toUpperCase()
  blocks.push(block)
  return { 52: block, 62: ksn.toString('hex').toUpperCase() }
}

async function send(client: IsoClient, mti: string, elements: Elements): Promise<Record<number, string>> {
  return elementsOf(await client.send(messageOf(mti, elements)))
}

describe('a terminal with MAC, DUKPT PIN and mutual TLS', () => {
  test('goes through the four phases, each answer with a MAC', async () => {
    const client = await open()
    const purchase = fresh(pinElements(panOfCard(1)))
    const approved = await send(client, '0200', purchase)
    expect(approved).toMatchObject({ 39: '00' })
    expect(approved[64] ?? approved[128]).toMatch(/^[0-9A-F]{16}$/)
    expect(approved).not.toHaveProperty('52')
    const original = originalElements('0200', purchase[11]!, purchase[7]!)
    const confirmed = await send(client, '0202', fresh({ 2: undefined, 90: original }))
    expect(confirmed).toMatchObject({ 39: '00', 128: expect.stringMatching(/^[0-9A-F]{16}$/) })
    const closed = await api('POST', '/v1/settlements', { merchant: 'M00000000000001' })
    expect(closed.status).toBe(201)
    const refund = fresh({ 2: undefined, 3: '200000', 4: '000000000400', 90: original })
    expect(await send(client, '0200', refund)).toMatchObject({ 39: '00' })
    const another = fresh(pinElements(panOfCard(1)))
    expect(await send(client, '0200', another)).toMatchObject({ 39: '00' })
    const reversal = fresh({ 2: undefined, 90: originalElements('0200', another[11]!, another[7]!) })
    expect(await send(client, '0400', reversal)).toMatchObject({ 39: '00' })
  })

  test('a repeat with the same key serial number gets the stored answer', async () => {
    const client = await open()
    const purchase = fresh(pinElements(panOfCard(1)))
    const first = await send(client, '0200', purchase)
    expect(await send(client, '0201', purchase)).toMatchObject({ 37: first[37], 38: first[38], 39: '00' })
  })

  test('an echo may come without a MAC', async () => {
    const client = await connectIsoClient({
      ...{ host: '127.0.0.1', port: stage.portOf(1), dialect },
      ...(secure.tls === undefined ? {} : { tls: secure.tls }),
    })
    clients.push(client)
    expect(await send(client, '0800', { 7: sentAt, 11: '900001', 70: '301' })).toMatchObject({ 39: '00' })
    const refused = await send(client, '0200', fresh())
    expect(refused).toMatchObject({ 39: '63', 44: 'mac_invalid' })
  })
})

describe('refused, each with its own code', () => {
  test('a wrong MAC: 63, nothing stored, and the same key may come again', async () => {
    const wrong = await open({ mac: { method, key: keyNamed('wrong') } })
    const right = await open()
    const purchase = fresh(pinElements(panOfCard(1)))
    expect(await send(wrong, '0200', purchase)).toMatchObject({ 39: '63', 44: 'mac_invalid' })
    expect(await send(right, '0200', purchase)).toMatchObject({ 39: '00' })
    expect((await api('GET', '/metrics')).text).toMatch(
      /charsu_commands_total\{[^}]*outcome="mac_invalid"[^}]*\} [1-9]/,
    )
    expect(stage.log()).toContain('MAC refused')
  })

  test('a DUKPT counter that was used before: 88', async () => {
    const client = await open()
    const used = fresh(pinElements(panOfCard(1)))
    expect(await send(client, '0200', used)).toMatchObject({ 39: '00' })
    const replay = { 52: used[52], 62: used[62] }
    expect(await send(client, '0200', fresh(replay))).toMatchObject({ 39: '88', 44: 'pin_replayed' })
    const lower = Buffer.from('FFFF9876543210E00001', 'hex')
    const last = ksn
    expect(await send(client, '0200', fresh(pinElements(panOfCard(1), pin, lower)))).toMatchObject({ 39: '88' })
    ksn = last
    expect(await send(client, '0200', fresh(pinElements(panOfCard(1))))).toMatchObject({ 39: '00' })
  })

  test('a PIN block that cannot be read: 81, and it is no try', async () => {
    const client = await open()
    const pan = panOfCard(2)
    const garbled = { ...pinElements(pan), 52: '0123456789ABCDEF' }
    expect(await send(client, '0200', fresh({ 2: pan, ...garbled }))).toMatchObject({ 39: '81' })
    expect(await triesOf(2)).toBe(0)
  })

  test('a wrong PIN: 55 three times, then 75, until an operator helps', async () => {
    const client = await open()
    const pan = panOfCard(2)
    const purchase = (entered: string) => send(client, '0200', fresh({ 2: pan, ...pinElements(pan, entered) }))
    expect(await purchase(pin)).toMatchObject({ 39: '00' })
    const wrong = fresh({ 2: pan, ...pinElements(pan, '1234') })
    expect(await send(client, '0200', wrong)).toMatchObject({ 39: '55', 44: 'pin_wrong' })
    expect(await send(client, '0201', wrong)).toMatchObject({ 39: '55' })
    expect(await triesOf(2)).toBe(1)
    expect(await purchase('1234')).toMatchObject({ 39: '55' })
    expect(await purchase('12345')).toMatchObject({ 39: '55' })
    expect(await purchase('1234')).toMatchObject({ 39: '75', 44: 'pin_tries_exceeded' })
    expect(await purchase(pin)).toMatchObject({ 39: '75' })
    expect(await charsu(['cards', 'pin-reset', '--pan', pan])).toMatchObject({ status: 0 })
    expect(await purchase('1234')).toMatchObject({ 39: '55' })
    expect(await purchase(pin)).toMatchObject({ 39: '00' })
    expect(await triesOf(2)).toBe(0)
  })

  test('without a certificate there is no connection', async () => {
    await expect(
      open({ tls: { ca } }).then(client => send(client, '0800', { 7: sentAt, 11: '900002', 70: '301' })),
    ).rejects.toThrow(NoAnswerError)
  })

  test('a peer that does not shake hands leaves the others alone', async () => {
    const idle = connectTls({
      host: '127.0.0.1',
      port: stage.portOf(1),
      ca,
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
    })
    await new Promise(resolve => idle.once('error', resolve))
    expect(await send(await open(), '0200', fresh(pinElements(panOfCard(1))))).toMatchObject({ 39: '00' })
  })
})

test('certificates are read again; a bad one changes nothing', async () => {
  stage.running.reload()
  writeFileSync(stage.at('server.pem'), 'no certificate')
  expect(() => stage.running.reload()).toThrow()
  copyFileSync(join(certificates, 'server.pem'), stage.at('server.pem'))
  expect(await send(await open(), '0200', fresh(pinElements(panOfCard(1))))).toMatchObject({ 39: '00' })
})

test('charsu terminal: MAC, DUKPT PIN and TLS, with nothing secret on the screen', async () => {
  const initial = tdesInitialKey(secrets.base, ksn)
  const { at } = stage
  const files = { mac: secrets.mac.toString('hex'), ipek: initial.toString('hex'), pin }
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text)
  ksn = nextTdesKsn(ksn)!
  const link = ['--listener', 'secure', '--port', String(stage.portOf(1)), '--ca', at('ca.pem')]
  const own = ['--cert', at('client.pem'), '--key', at('client.key'), '--mac-key', `@${at('mac')}`]
  const entered = ['--pin', `@${at('pin')}`, '--ipek', `@${at('ipek')}`, '--ksn', ksn.toString('hex')]
  const { status, stdout } = await charsu(['terminal', 'purchase', ...link, ...own, ...entered])
  expect(stdout).toContain('Approved (00)')
  expect(status).toBe(0)
  for (const secret of [files.mac, files.ipek]) expect(stdout.toLowerCase()).not.toContain(secret)
  const confirm = /npx charsu terminal (confirm .*)/.exec(stdout)?.[1]?.replaceAll("'", '').split(' ') as string[]
  expect((await charsu(['terminal', ...confirm])).stdout).toContain('Approved (00)')
  const unsigned = await charsu(['terminal', 'purchase', ...link, ...own.slice(0, 4)])
  expect(unsigned).toMatchObject({ status: 1, stdout: expect.stringContaining('(63)') })
})

describe('sign-on, session keys and echo', () => {
  const shop = { 41: 'T0000003', 42: 'M00000000000002' }
  const network = (code: string): Elements => ({
    7: sentAt,
    11: String(++stan).padStart(6, '0'),
    41: 'T0000003',
    70: code,
  })
  const short = { algorithm: 'retail', padding: 2, bytes: 4 } as const
  const openPlain = async (mac?: Buffer): Promise<IsoClient> => {
    const keyed = mac === undefined ? {} : { mac: { method: short, key: mac } }
    const client = await connectIsoClient({ host: '127.0.0.1', port: stage.portOf(2), dialect, ...keyed })
    clients.push(client)
    return client
  }

  test('nothing before the sign-on; then keys under the master key, which pay', async () => {
    const client = await openPlain()
    expect(await send(client, '0800', network('301'))).toMatchObject({ 39: '58', 44: 'not_signed_on' })
    expect(await send(client, '0800', network('101'))).toMatchObject({ 39: '58' })
    expect(await send(client, '0800', network('001'))).toMatchObject({ 39: '00' })
    expect(await send(client, '0800', network('301'))).toMatchObject({ 39: '00' })
    const answer = await send(client, '0800', network('101'))
    expect(answer).toMatchObject({ 39: '00' })
    const [mac, pinKey] = answer[48]!.split(';').map(entry => {
      const [, block, checkValue] = entry.split(':') as [string, string, string]
      const { key } = unwrapKeyBlock(secrets.master, block)
      expect(keyCheckValue('tdes', key).toString('hex').toUpperCase()).toBe(checkValue)
      return key
    }) as [Buffer, Buffer]
    // The same again until they are used, as the answer may have been lost.
    const again = await send(client, '0800', network('101'))
    expect(again[48]?.replace(/:[^:]+:/g, '')).toBe(answer[48]?.replace(/:[^:]+:/g, ''))

    const keyed = await openPlain(mac)
    await send(keyed, '0800', network('001'))
    const block = encipherPin({ format: 0, key: pinKey }, pin, panOfCard(1)).toString('hex').toUpperCase()
    expect(await send(keyed, '0200', fresh({ ...shop, 52: block }))).toMatchObject({
      39: '00',
      64: expect.stringMatching(/^.{8}0{8}$/),
    })
    // Now that they are in use, nobody gets others without them.
    const refused = await send(client, '0800', network('101'))
    expect(refused).toMatchObject({ 39: '63', 44: 'mac_invalid' })
    expect(refused).not.toHaveProperty('48')
    expect(refused).not.toHaveProperty('128')
    expect(await send(keyed, '0800', network('101'))).toMatchObject({ 39: '91', 128: expect.any(String) })
    await send(keyed, '0800', network('002'))
    expect(await send(keyed, '0200', fresh({ ...shop, 52: block }))).toMatchObject({ 39: '58' })
  })

  test('a peer that says nothing is asked for an echo, and its answer is traffic', async () => {
    const client = await openPlain()
    const heard: Buffer[] = []
    client.socket.on('data', chunk => heard.push(chunk as Buffer))
    await expect.poll(() => Buffer.concat(heard).toString('latin1'), { timeout: 5_000 }).toContain('0800')
    const read = dialect.unpack(Buffer.concat(heard).subarray(2))
    expect(read.message.fields[70]).toBe('301')
    client.socket.write(encodeFrame(defaultFraming, dialect.pack({ ...read.message, mti: '0810' })))
    expect(await send(client, '0800', network('001'))).toMatchObject({ 39: '00' })
  })
})

describe('charsu keys', () => {
  test('components, rotation, key blocks; nothing clear is printed', async () => {
    const [one, two] = [Buffer.alloc(16, 0x13), Buffer.alloc(16, 0x25)]
    const add = ['keys', 'import', '--usage', 'master', '--owner', 'terminal:T0000002']
    const wrong = await charsu([...add, '--check-value', '000000'], `${one.toString('hex')}\n${two.toString('hex')}\n`)
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining('check value') })
    expect(wrong.stderr).not.toContain(one.toString('hex'))
    const generated = await charsu(['keys', 'generate', '--usage', 'master', '--owner', 'terminal:T0000002'])
    const master = /key (\d+)/.exec(generated.stdout)?.[1] as string
    const pinKey = await charsu(['keys', 'generate', '--usage', 'pin', '--owner', 'terminal:T0000002'])
    const id = /key (\d+)/.exec(pinKey.stdout)?.[1] as string
    const block = await charsu(['keys', 'export', id, '--under', master])
    expect(block.stdout).toMatch(/^B\d{4}P0TB00E/)
    const again = ['keys', 'import', '--usage', 'pin', '--owner', 'terminal:T0000002', '--under', master]
    const imported = await charsu([...again, '--overlap', '60'], block.stdout)
    expect(imported.stdout.split('check value')[1]).toBe(pinKey.stdout.split('check value')[1])
    const newest = /key (\d+)/.exec(imported.stdout)?.[1] as string
    expect(await charsu(['keys', 'rotate', newest])).toMatchObject({ status: 0 })
    expect(await charsu(['keys', 'retire', id])).toMatchObject({ status: 0 })
    const { stdout } = await charsu(['keys', 'list', '--json'])
    const states = (JSON.parse(stdout) as { owner: string; usage: string; status: string }[])
      .filter(key => key.owner === 'terminal:T0000002' && key.usage === 'pin')
      .map(({ status }) => status)
    expect(states).toEqual(['retired', 'retiring', 'active'])
  })
})

test('no key, PIN, block or card number is in the log, the frame log, the metrics or the tables', async () => {
  const { text } = await api('GET', '/metrics')
  const dump = await tablesAsText()
  expect(blocks.length).toBeGreaterThan(10)
  const hidden = [
    ...Object.values(secrets).map(key => key.toString('hex')),
    kek,
    ...blocks,
    ...[1, 2].map(panOfCard),
    ksn.toString('hex'),
  ]
  const frames = readFileSync(stage.at('data/frames.log'), 'utf8')
  for (const [place, content] of Object.entries({ log: stage.log(), frames, metrics: text, tables: dump })) {
    expect(content.length).toBeGreaterThan(1_000)
    const seen = hidden.filter(secret => content.toLowerCase().includes(secret.toLowerCase()))
    expect(seen, `secrets in the ${place}`).toEqual([])
  }
})

async function triesOf(card: number): Promise<number> {
  const token = panToken(panOfCard(card), panKeyOf(panKey))
  const { rows } = await stage.pool.query('SELECT pin_tries FROM cards WHERE token = $1::uuid', [token])
  return rows[0].pin_tries
}

async function tablesAsText(): Promise<string> {
  const { rows } = await stage.pool.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace",
  )
  let text = ''
  for (const { name } of rows) {
    const { rows: lines } = await stage.pool.query<{ line: string }>(`SELECT t::text AS line FROM "${name}" t`)
    text += `${lines.map(({ line }) => line).join('\n')}\n`
  }
  return text
}

async function api(verb: string, path: string, body?: object) {
  const response = await fetch(stage.running.httpUrl + path, {
    method: verb,
    headers: {
      authorization: `Bearer ${body === undefined ? 'demo-admin-key' : 'demo-pos-key'}`,
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/json', 'idempotency-key': randomBytes(8).toString('hex') }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}
