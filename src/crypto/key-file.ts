import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'

/**
 * A secret of 32 bytes: from `hex` (64 digits), else from the file at `path`, which is made on first use, mode 0600.
 * Throws if others can read the file, or if it or `hex` is not 64 hexadecimal digits; the message names only the path.
 */
export function secretKeyFrom(hex: string | null, path: string): KeyObject {
  if (hex !== null) return keyOf(hex, 'the key given')
  if (!existsSync(path)) {
    writeFileSync(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
    chmodSync(path, 0o600)
  }
  if ((statSync(path).mode & 0o077) !== 0) throw new Error(`${path} can be read by others: its mode must be 0600`)
  return keyOf(readFileSync(path, 'utf8').trim(), path)
}

function keyOf(hex: string, source: string): KeyObject {
  if (!/^[0-9A-Fa-f]{64}$/.test(hex)) throw new Error(`${source} must hold 64 hexadecimal digits`)
  return createSecretKey(Buffer.from(hex, 'hex'))
}
