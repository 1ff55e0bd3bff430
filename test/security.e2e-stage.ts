import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { addKey, withKeyStore } from '../src/cli/key-store.ts'
import { loadConfig } from '../src/config/load.ts'
import { panToken } from '../src/crypto/hash.ts'
import type { KeyAlgorithm } from '../src/crypto/key-check-value.ts'
import type { KeyUsage } from '../src/crypto/key-ring.ts'
import { panKeyOf } from '../src/crypto/pan-key.ts'
import { visaPvv } from '../src/crypto/pin-verification.ts'
import { startSwitch } from '../src/main.ts'
import { createLog } from '../src/ops/log.ts'
import { setCardPin } from '../src/store/card-pins.ts'
import { createDatabase } from './support/database.ts'
import { panOfCard } from './support/terminal.ts'

const repository = join(import.meta.dirname, '..')
export const certificates = join(import.meta.dirname, 'support/tls')
export const panKey = 'ab'.repeat(32)
export const kek = 'cd'.repeat(32)

/**
 * 16 bytes, always the same: under one key in ten thousand a wrong PIN is right, and a check value has any four digits
 * now and then.
 */
export const keyNamed = (name: string): Buffer => createHash('sha256').update(name).digest().subarray(0, 16)

/** `owner usage name algorithm`, such as `terminal:T0000001 mac  tdes`, and the clear key. */
export type KeyGiven = readonly [owner: string, usage: KeyUsage, name: string, algorithm: KeyAlgorithm, key: Buffer]

/** Listeners of the test, each over the demo's first; its dialect may be one of `dialects`. */
export interface SecureOptions {
  readonly listeners: readonly object[]
  readonly dialects?: Readonly<Record<string, object>>
  readonly keys?: readonly KeyGiven[]
  /** Cards, by number, that have the PIN; what it is checked against is under the key of usage `pvv` and name 1. */
  readonly pins?: { readonly key: Buffer; readonly pin: string; readonly cards: readonly number[] }
}

export type SecureStage = Awaited<ReturnType<typeof startSecure>>

/** A switch with listeners and keys of its own. It sets the environment, which `charsu` gets too. */
export async function startSecure({ listeners, dialects = {}, keys = [], pins }: SecureOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'charsu-secure-'))
  const at = (name: string): string => join(folder, name)
  const switchConfig = join(repository, 'switch-config')
  const file = JSON.parse(readFileSync(join(switchConfig, 'switch.json'), 'utf8'))
  const demo = JSON.parse(readFileSync(join(switchConfig, 'demo.json'), 'utf8'))
  const [plain] = file.listeners
  const all = listeners.map((listener, index) => ({ ...plain, port: plain.port + index, ...listener }))
  writeFileSync(at('switch.json'), JSON.stringify({ ...file, listeners: all }))
  const loads = demo.loads.slice(0, 2).map((load: object) => ({ ...load, toCard: 5 }))
  writeFileSync(at('demo.json'), JSON.stringify({ ...demo, cards: { ...demo.cards, count: 5 }, loads }))
  cpSync(join(switchConfig, 'dialects'), at('dialects'), { recursive: true })
  for (const [name, dialect] of Object.entries(dialects)) {
    writeFileSync(at(`dialects/${name}.json`), JSON.stringify(dialect))
  }
  for (const name of ['server.pem', 'server.key', 'ca.pem', 'client.pem', 'client.key']) {
    copyFileSync(join(certificates, name), at(name))
  }
  chmodSync(at('server.key'), 0o600)
  mkdirSync(at('data'))

  const database = await createDatabase()
  Object.assign(process.env, {
    ...{ SWITCH_CONFIG: folder, DATABASE_URL: database.url, DATA_DIR: at('data'), PORT: '0', ISO_PORT: '0' },
    ...{ KEK: kek, PAN_KEY: panKey },
  })
  let log = ''
  const write = (line: string): void => {
    log += line
  }
  const running = await startSwitch(loadConfig(), createLog('debug', { write }))
  const pool = new pg.Pool({ connectionString: database.url, max: 2 })
  await withKeyStore(undefined, async store => {
    for (const [owner, usage, name, algorithm, key] of keys) {
      await addKey(store, { tenant: store.tenant, owner, usage, name }, { algorithm, key, settings: null }, 0)
    }
    for (const card of pins?.cards ?? []) {
      const { key, pin } = pins!
      const pan = panOfCard(card)
      const value = visaPvv({ key, keyIndex: '1', pan }, pin)
      const token = panToken(pan, panKeyOf(panKey))
      await setCardPin(store.pool, store.tenant, token, { method: 'pvv', keyName: '1', value })
    }
  })
  await keysSeen()

  return {
    running,
    pool,
    at,
    log: () => log,
    keysSeen,
    charsu,
    portOf: (index: number): number => running.isoPorts[index]!,
    async close() {
      await running.stop()
      await pool.end()
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The running switch looks for new keys each second. */
const keysSeen = () => new Promise(resolve => setTimeout(resolve, 2_500))

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** `charsu` as an operator runs it. */
export function charsu(args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise(resolve => {
    const child = execFile(
      process.execPath,
      [join(repository, 'src/cli/charsu.ts'), ...args],
      { env: process.env },
      (error, stdout, stderr) => resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
    child.stdin?.end(input)
  })
}
