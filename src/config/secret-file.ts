import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { ConfigError } from './errors.ts'

/** The secret in a file that only its owner can read; `make` gives it on first use. Throws if others can read it. */
export function readOrMakeSecret(path: string, make: () => string): string {
  if (!existsSync(path)) writeFileSync(path, `${make()}\n`, { mode: 0o600, flag: 'wx' })
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new ConfigError(`${path} can be read by others: its mode must be 0600`)
  }
  return readFileSync(path, 'utf8').trim()
}
