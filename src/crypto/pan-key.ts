import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The key under which card numbers become tokens: 32 bytes, from `hex` (64 digits) or from `pan.key` in `folder`, which
 * is made on first use with mode 0600. Every switch on one database needs the same key. Throws if others can read it.
 */
export function panKeyFrom(hex: string | null, folder: string): KeyObject {
  if (hex !== null) return createSecretKey(Buffer.from(hex, 'hex'))
  const path = join(folder, 'pan.key')
  if (!existsSync(path)) {
    writeFileSync(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
    chmodSync(path, 0o600)
  }
  if ((statSync(path).mode & 0o077) !== 0) throw new Error(`${path} can be read by others: its mode must be 0600`)
  const stored = readFileSync(path, 'utf8').trim()
  if (!/^[0-9a-f]{64}$/.test(stored)) throw new Error(`${path} must hold 64 hexadecimal digits`)
  return createSecretKey(Buffer.from(stored, 'hex'))
}
