import { readFileSync, statSync } from 'node:fs'
import { ConfigError } from './errors.ts'

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
  readonly clientCaFile?: string | undefined
}

/** The texts of the files, as they are now. Throws ConfigError if one cannot be read, or others can read the key. */
export function readTlsFiles({ certFile, keyFile, clientCaFile }: TlsFiles) {
  const key = read(keyFile)
  if ((statSync(keyFile).mode & 0o077) !== 0) {
    throw new ConfigError(`${keyFile} can be read by others: its mode must be 0600`)
  }
  return { key, cert: read(certFile), ...(clientCaFile === undefined ? {} : { ca: read(clientCaFile) }) }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`${path}: cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}
