import type { KeyObject } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loadConfig } from '../config/load.ts'
import { readOrMakeSecret } from '../config/secret-file.ts'
import { panToken } from '../crypto/hash.ts'
import { decryptStoredKey, keyEncryptionKeyOf, newKeyEncryptionKey } from '../crypto/key-encryption.ts'
import { bindingOf, type KeyPlace, type OpenKey } from '../crypto/key-ring.ts'
import { encryptedKey } from '../crypto/live-keys.ts'
import { readCatalogs } from '../store/catalog.ts'
import { type KeyRow, readKeys, storeKey } from '../store/keys.ts'
import { openPool, type Pool } from '../store/pool.ts'
import { isSameSecret } from '../store/secret-check.ts'
import { databaseUrl } from './audit.ts'
import { readSecretLines } from './secret-input.ts'

/** What an operator's command about keys or cards works on. */
export interface KeyStore {
  readonly pool: Pool
  readonly tenant: number
  readonly keyEncryptionKey: KeyObject
  /** Codes of the tenant's terminals (DE41). */
  readonly terminals: ReadonlySet<string>
}

/** Something is wrong with what the operator asked for; the message never has a key in it. */
export class OperatorError extends Error {
  readonly code = 'ERR_PARSE_ARGS_OPERATOR'
}

/** Opens database and key-encryption key, hands them to `work`, and closes. `code`: of the tenant, if several. */
export async function withKeyStore<Value>(
  code: string | undefined,
  work: (store: KeyStore) => Promise<Value>,
): Promise<Value> {
  const { keyEncryptionKey, dataDir } = loadConfig()
  const url = await databaseUrl()
  if (url === null) throw new OperatorError('no database: set DATABASE_URL, or start the switch with its embedded one')
  const secret = keyEncryptionKey ?? readOrMakeSecret(`${dataDir}/kek.key`, newKeyEncryptionKey)
  const pool = openPool(url, { connectionsMax: 1 })
  try {
    const catalogs = [...(await readCatalogs(pool)).values()]
    const found = code === undefined ? catalogs : catalogs.filter(({ tenant }) => tenant.code === code)
    const [catalog] = found
    if (catalog === undefined || found.length > 1) {
      throw new OperatorError(`--tenant must be one of ${catalogs.map(({ tenant }) => tenant.code).join(', ')}`)
    }
    const terminals = new Set(catalog.terminalsByCode.keys())
    const opened = keyEncryptionKeyOf(secret)
    if (!(await isSameSecret(pool, 'key-encryption key', panToken('check value', opened)))) {
      throw new OperatorError('the key-encryption key is not the one that the keys in this database are stored under')
    }
    return await work({ pool, tenant: catalog.tenant.id, keyEncryptionKey: opened, terminals })
  } finally {
    await pool.end()
  }
}

export const hexOf = (bytes: Buffer): string => bytes.toString('hex').toUpperCase()

/** Encrypts a key and makes it the active one of its place. Answers the line that tells the operator. */
export async function addKey(
  { pool, keyEncryptionKey }: KeyStore,
  place: KeyPlace,
  key: OpenKey,
  overlapSeconds: number,
): Promise<string> {
  const stored = encryptedKey(keyEncryptionKey, place, key)
  const id = await storeKey(pool, stored, overlapSeconds)
  return `key ${id} is active: ${place.usage} of ${place.owner}, check value ${stored.checkValue}\n`
}

/** A key of the tenant by its number, and its clear bytes. */
export async function openKey({ pool, tenant, keyEncryptionKey }: KeyStore, id: string) {
  const row = (await keysOf(pool, tenant)).find(one => String(one.id) === id)
  if (row === undefined || row.secret === null) throw new OperatorError(`there is no key ${id}, or it is retired`)
  const stored = Buffer.from(row.secret, 'hex')
  return { row, key: decryptStoredKey(keyEncryptionKey, stored, bindingOf(row, row.algorithm)) }
}

export const keysOf = async (pool: Pool, tenant: number): Promise<KeyRow[]> =>
  (await readKeys(pool, 0)).filter(row => row.tenant === tenant)

/**
 * What a command must not take from its arguments, where every user of the machine sees it: a line for each prompt,
 * from standard input, or from the file that `--input` names, which others must not be able to read.
 */
export async function secretLines({ textOf }: Options, prompts: readonly string[]): Promise<string[]> {
  const path = textOf('input')
  const lines = path === undefined ? await readSecretLines(prompts) : linesOf(path)
  if (lines.length !== prompts.length || lines.includes('')) {
    throw new OperatorError(`${prompts.length} lines are needed: ${prompts.join(', ')}`)
  }
  return lines
}

function linesOf(path: string): string[] {
  try {
    if ((statSync(path).mode & 0o077) !== 0)
      throw new OperatorError(`--input: ${path} can be read by others: chmod 600`)
    return readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map(line => line.trim())
  } catch (error) {
    if (error instanceof OperatorError) throw error
    throw new OperatorError(`--input: ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}

export type Options = ReturnType<typeof optionsOf>

/** Options of a command: all are texts but those named in `flags`. */
export function optionsOf(args: string[], texts: readonly string[], flags: readonly string[] = []) {
  const options = Object.fromEntries([
    ...texts.map(name => [name, { type: 'string' as const }] as const),
    ...[...flags, 'help'].map(name => [name, { type: 'boolean' as const }] as const),
  ])
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  const given = new Map<string, unknown>(Object.entries(values))
  const textOf = (name: string): string | undefined => {
    const value = given.get(name)
    return typeof value === 'string' ? value : undefined
  }
  const isSet = (name: string): boolean => given.get(name) === true
  return { positionals, textOf, isSet }
}

/** A whole number from 0 to `max`. */
export function countOf(option: string, text: string, max: number): number {
  const count = /^\d{1,9}$/.test(text) ? Number.parseInt(text, 10) : -1
  if (count < 0 || count > max) throw new OperatorError(`--${option} must be a number from 0 to ${max}`)
  return count
}
