import { randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileDialect } from '../src/codec/dialect.ts'
import { xor } from '../src/crypto/bytes.ts'
import { aesDukptKeys, aesInitialKey } from '../src/crypto/dukpt-aes.ts'
import { keyCheckValue } from '../src/crypto/key-check-value.ts'
import { withOddParity } from '../src/crypto/key-components.ts'
import { decipherPin, encipherPin } from '../src/crypto/pin-translation.ts'
import { connectIsoClient, type IsoClient, type IsoClientOptions } from '../src/iso8583/client.ts'
import { retiredRowsMax, retireOverdueKeys } from '../src/store/keys.ts'
import { openPool } from '../src/store/pool.ts'
import { charsu, keyNamed, type SecureStage, startSecure } from './security.e2e-stage.ts'
import { type Elements, elementsOf, messageOf, panOfCard, readDialect } from './support/terminal.ts'

const tdes = (name: string) => withOddParity(keyNamed(name))
const secrets = {
  master: tdes('master'),
  pvv: tdes('pvv'),
  base: keyNamed('base'),
  zone: tdes('zone'),
  pin: tdes('pin'),
  aesZone: keyNamed('aesZone'),
}
const pin = '4711'
const method = { algorithm: 'retail', padding: 1, bytes: 8 } as const
const mac = { algorithm: 'retail', padding: 1, keys: 'terminal' }
const keyBlocks: { unwrap: Record<'source' | 'kbpk' | 'block' | 'checkValue', string>[] } = JSON.parse(
  readFileSync(new URL('../src/crypto/vectors/key-block.json', import.meta.url), 'utf8'),
)
const hex = (bytes: Buffer): string => bytes.toString('hex').toUpperCase()

/** iso87a with room for a PIN block of format 4. */
const wideText = (() => {
  const text = JSON.parse(readFileSync(new URL('../switch-config/dialects/iso87a.json', import.meta.url), 'utf8'))
  text.fields['52'].length = 16
  return text
})()
const wide = compileDialect(wideText)
const dialect = readDialect('iso87a')

let stage: SecureStage
const clients: IsoClient[] = []
beforeAll(async () => {
  stage = await startSecure({
    listeners: [
      { name: 'session', mac, pin: { keys: 'terminal', format: 0 }, keyExchange: {}, signOn: 'required' },
      { name: 'dukpt-aes', dialect: 'wide', pin: { keys: 'dukpt-aes', format: 4, ksnElement: 62 } },
      { name: 'zone', pin: { keys: 'listener', format: 0 } },
      { name: 'tls', tls: { certFile: 'server.pem', keyFile: 'server.key', clientCaFile: 'ca.pem' } },
    ],
    dialects: { wide: wideText },
    keys: [
      ['terminal:T0000001', 'master', '', 'tdes', secrets.master],
      ['tenant', 'pvv', '1', 'tdes', secrets.pvv],
      ['tenant', 'dukpt', '12345678', 'aes', secrets.base],
      ['listener:zone', 'pin', '', 'tdes', secrets.pin],
      ['host:shetab', 'pin', '', 'tdes', secrets.zone],
      ['host:aes', 'pin', '', 'aes', secrets.aesZone],
    ],
    pins: { key: secrets.pvv, pin, cards: [1, 2, 3] },
  })
})
afterAll(async () => {
  for (const client of clients) await client.close()
  await stage?.close()
})

async function open(listener: number, over: Partial<IsoClientOptions> = {}): Promise<IsoClient> {
  const client = await connectIsoClient({ host: '127.0.0.1', port: stage.portOf(listener), dialect, ...over })
  clients.push(client)
  return client
}

let stan = 0
const sentAt = new Date().toISOString().replace(/^.{5}(..)-(..)T(..):(..):(..).*$/, '$1$2$3$4$5')
const fresh = (over: Elements = {}): Elements => ({
  ...{ 2: panOfCard(1), 3: '000000', 4: '000000001000', 7: sentAt, 11: String(++stan).padStart(6, '0') },
  ...{ 41: 'T0000001', 42: 'M00000000000001', 49: '364' },
  ...over,
})
const send = async (client: IsoClient, mti: string, elements: Elements) =>
  elementsOf(await client.send(messageOf(mti, elements)))

describe('charsu terminal key-change', () => {
  const link = () => ['--listener', 'session', '--port', String(stage.portOf(0))]
  const change = (master = stage.at('master')) =>
    charsu(['terminal', 'key-change', ...link(), '--master-key', `@${master}`, '--session-keys', stage.at('keys')])
  const keysIn = () => JSON.parse(readFileSync(stage.at('keys'), 'utf8'))

  test('new keys under the master key, and a purchase with MAC and PIN under them', async () => {
    writeFileSync(stage.at('master'), hex(secrets.master))
    writeFileSync(stage.at('pin'), pin)
    const changed = await change()
    expect(changed).toMatchObject({ status: 0, stdout: expect.stringContaining('Approved (00)') })
    const keys = keysIn()
    expect(changed.stdout).toContain(`MAC key, check value ${keys.mac.checkValue}`)
    expect(changed.stdout).toContain(`PIN key, check value ${keys.pin.checkValue}`)
    for (const one of [keys.mac.key, keys.pin.key]) expect(changed.stdout).not.toContain(one)
    expect(statSync(stage.at('keys')).mode & 0o777).toBe(0o600)
    const listed = JSON.parse((await charsu(['keys', 'list', '--json'])).stdout) as Record<string, string>[]
    expect(listed.filter(({ owner, usage }) => owner === 'terminal:T0000001' && usage !== 'master')).toMatchObject([
      { usage: 'mac', status: 'active', checkValue: keys.mac.checkValue },
      { usage: 'pin', status: 'active', checkValue: keys.pin.checkValue },
    ])

    // Not used yet: the same again.
    const again = await charsu([
      ...['terminal', 'key-change', ...link(), '--json', '--master-key', `@${stage.at('master')}`],
      ...['--session-keys', stage.at('other')],
    ])
    expect(JSON.parse(again.stdout).keys).toEqual([
      { usage: 'mac', checkValue: keys.mac.checkValue },
      { usage: 'pin', checkValue: keys.pin.checkValue },
    ])

    const bought = await charsu([
      ...['terminal', 'purchase', ...link(), '--session-keys', stage.at('keys')],
      ...['--pin', `@${stage.at('pin')}`],
    ])
    expect(bought).toMatchObject({ status: 0, stdout: expect.stringContaining('Approved (00)') })
    const confirm = /npx charsu terminal (confirm .*)/.exec(bought.stdout)?.[1]?.replaceAll("'", '').split(' ')
    expect((await charsu(['terminal', ...confirm!])).stdout).toContain('Approved (00)')
  })

  test('whoever has no key of it cannot change them: 63, and they work as before', async () => {
    const before = keysIn()
    const stranger = await charsu([
      ...['terminal', 'key-change', ...link(), '--master-key', `@${stage.at('master')}`],
      ...['--session-keys', stage.at('none')],
    ])
    expect(stranger).toMatchObject({ status: 1, stdout: expect.stringContaining('(63)') })
    expect(stranger.stdout).toContain('--session-keys')
    const client = await open(0)
    await send(client, '0800', fresh({ 2: undefined, 3: undefined, 4: undefined, 49: undefined, 70: '001' }))
    for (let flood = 0; flood < 20; flood++) {
      const answer = await send(client, '0800', { 7: sentAt, 11: fresh()[11], 41: 'T0000001', 70: '101' })
      expect(answer).toMatchObject({ 39: '63' })
      expect(answer).not.toHaveProperty('48')
    }
    const signed = await open(0, { mac: { method, key: Buffer.from(before.mac.key, 'hex') } })
    await send(signed, '0800', { 7: sentAt, 11: fresh()[11], 41: 'T0000001', 70: '001' })
    expect(await send(signed, '0200', fresh())).toMatchObject({ 39: '00' })
    const { rows } = await stage.pool.query(
      "SELECT usage, status FROM keys WHERE owner = 'terminal:T0000001' ORDER BY id",
    )
    expect(rows).toHaveLength(3)
  })

  test('what is wrong is said, and the file is left as it was', async () => {
    const before = readFileSync(stage.at('keys'), 'utf8')
    writeFileSync(stage.at('wrong'), hex(tdes('wrong')))
    const otherTerminal = [...link(), '--terminal', 'T0000002', '--master-key', `@${stage.at('master')}`]
    const cases: [string[], RegExp][] = [
      [[...link()], /key-change needs --master-key @FILE and --session-keys FILE/],
      [[...link(), '--master-key', '@/nope', '--session-keys', 'x'], /--master-key: \/nope cannot be read: ENOENT/],
      [[...otherTerminal, '--session-keys', stage.at('keys')], /has the keys of T0000001/],
      [[...otherTerminal, '--session-keys', stage.at('none')], /\(58\)[\s\S]*a master key of the terminal/],
    ]
    for (const [args, sentence] of cases) {
      const { status, stdout, stderr } = await charsu(['terminal', 'key-change', ...args])
      expect(stdout + stderr).toMatch(sentence)
      expect(status).toBeGreaterThan(0)
    }
    chmodSync(stage.at('keys'), 0o644)
    expect((await change()).stderr).toMatch(/can be read by others: chmod 600/)
    chmodSync(stage.at('keys'), 0o600)
    expect(readFileSync(stage.at('keys'), 'utf8')).toBe(before)
  })

  test('a wrong master key opens nothing', async () => {
    const imported = await importKey('master', 'terminal:T0000002', secrets.master)
    expect(imported.status).toBe(0)
    await stage.keysSeen()
    const { status, stderr } = await charsu([
      ...['terminal', 'key-change', ...link(), '--terminal', 'T0000002', '--master-key', `@${stage.at('wrong')}`],
      ...['--session-keys', stage.at('none')],
    ])
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining('is --master-key that of') })
    expect(() => statSync(stage.at('none'))).toThrow()
  })
})

/** In two components, as custodians enter it. */
function importKey(usage: string, owner: string, key: Buffer, more: readonly string[] = []) {
  const one = randomBytes(key.length)
  const checkValue = hex(keyCheckValue('tdes', key))
  const args = ['keys', 'import', '--usage', usage, '--owner', owner, '--check-value', checkValue, ...more]
  return charsu(args, `${hex(one)}\n${hex(xor(key, one))}\n`)
}

describe('charsu keys', () => {
  test('components with the right check value become a key that checks MACs', async () => {
    const key = tdes('mac')
    const { status, stdout } = await importKey('mac', 'terminal:T0000003', key)
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringMatching(
        `^key \\d+ is active: mac of terminal:T0000003, check value ${hex(keyCheckValue('tdes', key))}\n$`,
      ),
    })
    await stage.keysSeen()
    const shop = { 41: 'T0000003', 42: 'M00000000000002' }
    const client = await open(0, { mac: { method, key } })
    expect(await send(client, '0800', { 7: sentAt, 11: fresh()[11], 41: shop[41], 70: '001' })).toMatchObject({
      39: '00',
    })
    expect(await send(client, '0200', fresh(shop))).toMatchObject({ 39: '00' })
  })

  test('a published key block (TR-31:2018, A.7.2.2), under its key, of its check value', async () => {
    const [vector] = keyBlocks.unwrap.filter(({ source }) => source === 'TR-31:2018, A.7.2.2')
    const { stdout } = await importKey('master', 'host:published', Buffer.from(vector!.kbpk, 'hex'))
    const under = /^key (\d+)/.exec(stdout)?.[1] as string
    const args = ['keys', 'import', '--usage', 'pin', '--owner', 'host:published', '--under', under]
    const imported = await charsu(args, `${vector!.block}\n`)
    expect(imported).toMatchObject({ status: 0, stdout: expect.stringContaining(`check value ${vector!.checkValue}`) })
    const altered = vector!.block.replace(/.$/, last => (last === '0' ? '1' : '0'))
    expect(await charsu(args, `${altered}\n`)).toMatchObject({ status: 2, stderr: expect.stringContaining('altered') })
    const asMac = args.map(word => (word === 'pin' ? 'mac' : word))
    expect((await charsu(asMac, `${vector!.block}\n`)).stderr).toContain('the key block is for P0, not M3')
  })

  test('a terminal that is not there is refused, a listener that is not there is named', async () => {
    const generate = (owner: string) => charsu(['keys', 'generate', '--usage', 'mac', '--owner', owner])
    expect(await generate('terminal:T9999999')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: 'charsu keys: --owner: there is no terminal T9999999 in this tenant\n',
    })
    const named = await generate('listener:nowhere')
    expect(named).toMatchObject({ status: 0, stderr: expect.stringContaining('switch.json has no listener nowhere') })
  })

  test('of each place a few retired rows stay', async () => {
    const owner = 'host:old'
    await stage.pool.query(
      `INSERT INTO keys (made_at, changed_at, until, tenant, owner, usage, name, algorithm, status, check_value, secret)
       SELECT at, at, CASE WHEN n = 40 THEN at END, tenant, $1, 'pin', '', 'tdes',
         CASE WHEN n = 40 THEN 'retiring' ELSE 'retired' END, '\\x010203', CASE WHEN n = 40 THEN '\\x00'::bytea END
       FROM (SELECT n, (SELECT min(id) FROM tenants) AS tenant, clock_timestamp() - (60 - n) * interval '1 day' AS at
         FROM generate_series(1, 40) AS n ORDER BY n) AS rows`,
      [owner],
    )
    const pool = openPool(process.env.DATABASE_URL!, { connectionsMax: 1 })
    await retireOverdueKeys(pool)
    await pool.end()
    const { rows } = await stage.pool.query('SELECT status FROM keys WHERE owner = $1', [owner])
    // The one that has just ended stays in any case.
    expect(rows.length).toBeGreaterThanOrEqual(retiredRowsMax)
    expect(rows.length).toBeLessThanOrEqual(retiredRowsMax + 1)
    expect(rows.every(({ status }) => status === 'retired')).toBe(true)
  })
})

describe('charsu keys translate-pin', () => {
  const pan = panOfCard(1)
  const translate = (from: string, to: string, input: string, more: readonly string[] = []) =>
    charsu(['keys', 'translate-pin', '--from', from, '--to', to, ...more], input)
  const block = hex(encipherPin({ format: 0, key: secrets.pin }, pin, pan))

  test.each([
    ['host:shetab', '0', () => secrets.zone, 0],
    ['host:shetab', '3', () => secrets.zone, 3],
    ['host:aes', '4', () => secrets.aesZone, 4],
  ] as const)('to %s in format %s', async (to, toFormat, keyOf, format) => {
    const input = `${pan}\n${block}\n`
    const { status, stdout, stderr } = await translate('listener:zone', to, input, ['--to-format', toFormat])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain(`of ${to}, check value `)
    const [digits = '', told] = stdout.split(':', 2)
    const translated = Buffer.from(digits, 'hex')
    expect(decipherPin({ format, key: keyOf() }, translated, pan)).toBe(pin)
    // The block is random, and so has any four digits now and then.
    expect(told).not.toContain(pin)
    expect(stdout).not.toContain(pan)
  })

  test('from a file that only its owner can read', async () => {
    writeFileSync(stage.at('block'), `${pan}\n${block}\n`, { mode: 0o600 })
    const more = ['--input', stage.at('block')]
    expect(await translate('listener:zone', 'host:shetab', '', more)).toMatchObject({ status: 0 })
    chmodSync(stage.at('block'), 0o640)
    expect((await translate('listener:zone', 'host:shetab', '', more)).stderr).toContain('can be read by others')
  })

  const input = `${pan}\n${block}\n`
  test.each([
    ['another card', 'listener:zone', 'host:shetab', `${panOfCard(2)}\n${block}\n`, [], 'another key, format or card'],
    ['another key', 'host:shetab', 'listener:zone', input, [], 'another key, format or card'],
    ['another format', 'listener:zone', 'host:shetab', input, ['--from-format', '3'], 'another key, format or card'],
    [
      'format 1 may not be made',
      'listener:zone',
      'host:shetab',
      input,
      ['--to-format', '1'],
      'ISO 9564-1 does not allow',
    ],
    ['format 4 under triple DES', 'listener:zone', 'host:shetab', input, ['--to-format', '4'], 'needs a key for aes'],
    ['no such key', 'listener:zone', 'host:none', input, [], 'host:none has no active PIN key'],
    ['to a terminal', 'listener:zone', 'terminal:T0000001', input, [], '--to must be listener:NAME or host:NAME'],
    ['one line', 'listener:zone', 'host:shetab', `${pan}\n`, [], '2 lines are needed'],
  ] as const)('%s', async (_name, from, to, given, more, sentence) => {
    const { status, stdout, stderr } = await translate(from, to, given, more)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(sentence)
    expect(stderr).not.toContain('    at ')
    for (const secret of [pin, pan, block]) expect(stderr).not.toContain(secret)
  })
})

describe('PINs over a listener', () => {
  test('AES DUKPT with PIN format 4: right, wrong, and a counter that comes again', async () => {
    const client = await open(1, { dialect: wide })
    const initial = aesInitialKey(secrets.base, Buffer.from('1234567890123456', 'hex'))
    const pan = panOfCard(3)
    const withPin = (counter: number, entered: string): Elements => {
      const ksn = Buffer.from(`1234567890123456${counter.toString(16).padStart(8, '0')}`, 'hex')
      const { pin: key } = aesDukptKeys(initial, ksn, 'aes-128')
      return fresh({ 2: pan, 52: hex(encipherPin({ format: 4, key }, entered, pan)), 62: hex(ksn) })
    }
    const first = withPin(1, pin)
    expect(first[52]).toHaveLength(32)
    const approved = await send(client, '0200', first)
    expect(approved).toMatchObject({ 39: '00' })
    expect(approved).not.toHaveProperty('52')
    expect(await send(client, '0201', first)).toMatchObject({ 39: '00', 37: approved[37] })
    expect(await send(client, '0200', withPin(2, '1234'))).toMatchObject({ 39: '55', 44: 'pin_wrong' })
    expect(await send(client, '0200', withPin(2, pin))).toMatchObject({ 39: '88', 44: 'pin_replayed' })
    expect(await send(client, '0200', { ...withPin(4, pin), 52: '0'.repeat(32) })).toMatchObject({ 39: '81' })
    // A block that cannot be read has not moved the counter.
    expect(await send(client, '0200', withPin(3, pin))).toMatchObject({ 39: '00' })
  })

  test('wrong PINs at once, over many connections: three tries, and not one more', async () => {
    const pan = panOfCard(2)
    const withPin = (entered: string) =>
      fresh({ 2: pan, 52: hex(encipherPin({ format: 0, key: secrets.pin }, entered, pan)) })
    const openMany = await Promise.all(Array.from({ length: 8 }, () => open(2)))
    const guesses = Array.from({ length: 40 }, (_, index) => withPin(String(1_000 + index)))
    const answers = await Promise.all(guesses.map((guess, index) => send(openMany[index % 8]!, '0200', guess)))
    const codes = answers.map(answer => answer[39]).sort()
    expect(codes).toEqual([...Array(3).fill('55'), ...Array(37).fill('75')])
    expect(await send(openMany[0]!, '0200', withPin(pin))).toMatchObject({ 39: '75', 44: 'pin_tries_exceeded' })
    expect(await charsu(['cards', 'pin-reset', '--pan', pan])).toMatchObject({ status: 0 })
    expect(await send(openMany[0]!, '0200', withPin(pin))).toMatchObject({ 39: '00' })
  })
})

describe('charsu terminal and TLS: what was not sent had no effect, and is not said to', () => {
  const port = () => ['--port', String(stage.portOf(3))]
  test('plain to a listener that wants TLS', async () => {
    const { status, stderr } = await charsu(['terminal', 'purchase', '--listener', 'tls', ...port()])
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'nothing was sent: the listener tls wants TLS: --tls, with --ca FILE\n',
    })
  })

  test('TLS to a listener that speaks none', async () => {
    const plain = ['--port', String(stage.portOf(2)), '--tls', '--timeout', '1']
    const { status, stderr } = await charsu(['terminal', 'purchase', '--listener', 'zone', ...plain])
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringMatching(/^Not sent: /) })
    expect(stderr).not.toContain('effect')
  })

  test('without a certificate where one is wanted', async () => {
    const trusting = ['--ca', stage.at('ca.pem')]
    const { status, stderr } = await charsu(['terminal', 'purchase', '--listener', 'tls', ...port(), ...trusting])
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'Not sent: the switch ended the TLS handshake: certificate required.\n',
    })
  })

  test.each(['ca', 'cert', 'key'])('--%s that is not there', async option => {
    const args = ['terminal', 'echo', '--listener', 'tls', `--${option}`, '/nope']
    expect((await charsu(args)).stderr).toBe(`--${option}: /nope cannot be read: ENOENT\n`)
  })
})

test('nothing secret is in the log', () => {
  const hidden = Object.values(secrets).map(key => key.toString('hex'))
  expect(stage.log().length).toBeGreaterThan(1_000)
  expect(hidden.filter(secret => stage.log().toLowerCase().includes(secret))).toEqual([])
})
