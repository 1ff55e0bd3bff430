import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { compileDialect, type Dialect } from '../codec/dialect.ts'
import { defaultFraming, type Framing } from '../codec/framing.ts'
import { checkAcross, checkDemo } from './check.ts'
import { ConfigError } from './errors.ts'
import { type ListenerSecurity, securityOf } from './listener-security.ts'
import { type DemoTenant, demoSchema, type SwitchFile, switchSchema } from './schema.ts'

export interface ListenerConfig extends ListenerSecurity {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly framing: Framing
  readonly dialect: Dialect
  /** A tenant's code, or the code of each acquiring institution (DE32). */
  readonly tenant: string | Readonly<Record<string, string>>
  readonly identity: 'transmission' | 'local'
}

export interface Config {
  readonly http: { readonly host: string; readonly port: number }
  readonly listeners: readonly ListenerConfig[]
  readonly engine: SwitchFile['engine']
  /** Null: the embedded PostgreSQL, and the demo tenant. */
  readonly databaseUrl: string | null
  readonly dataDir: string
  readonly demo: DemoTenant | null
  /** 64 hexadecimal digits from the environment; null: those of `pan.key` in the data folder. */
  readonly panKey: string | null
  /** The same for the key under which all other keys are stored: `kek.key`. */
  readonly keyEncryptionKey: string | null
  readonly logLevel: string
}

type Environment = Readonly<Record<string, string | undefined>>

const repository = resolve(import.meta.dirname, '../..')

/**
 * Reads environment and files, checks them against each other and freezes the result: nothing listens before.
 * Variables: PORT, ISO_PORT, DATABASE_URL, DATA_DIR, SWITCH_CONFIG (a folder), PAN_KEY, KEK, LOG_LEVEL.
 */
export function loadConfig(env: Environment = process.env): Config {
  const folder = folderOf(env)
  const path = join(folder, 'switch.json')
  const file = readChecked(path, switchSchema)
  const databaseUrl = text(env.DATABASE_URL)
  const demo = file.demo === undefined ? null : readDemo(join(folder, file.demo))
  const isoPort = portOf(env, 'ISO_PORT')
  const config: Config = {
    http: { ...file.http, port: portOf(env, 'PORT') ?? file.http.port },
    // ISO_PORT moves the first listener; the others follow it at their distance.
    listeners: file.listeners.map((listener, index) => ({
      ...listenerOf(listener, folder, `${path}: /listeners/${index}`),
      port: isoPort === null ? listener.port : shifted(isoPort, index, file.listeners),
    })),
    engine: file.engine,
    databaseUrl,
    dataDir: resolve(env.DATA_DIR ?? join(repository, 'data')),
    demo,
    panKey: secretOf(env, 'PAN_KEY'),
    keyEncryptionKey: secretOf(env, 'KEK'),
    logLevel: text(env.LOG_LEVEL) ?? 'info',
  }
  checkAcross(config)
  return deepFreeze(config)
}

const folderOf = (env: Environment): string => resolve(env.SWITCH_CONFIG ?? join(repository, 'switch-config'))

/** Where the dialects are that can be named without a path. */
export const dialectsFolder = (env: Environment = process.env): string => join(folderOf(env), 'dialects')

/** A dialect of the configuration's folder by its name. Throws ConfigError. */
export function loadDialect(name: string, env: Environment = process.env): Dialect {
  if (!/^[a-z0-9_-]+$/.test(name)) throw new ConfigError('the name of a dialect is letters, digits, - and _')
  return readDialect(join(dialectsFolder(env), `${name}.json`))
}

function listenerOf(listener: SwitchFile['listeners'][number], folder: string, at: string): ListenerConfig {
  const { name, host = '127.0.0.1', port, framing, tenant, identity = 'transmission' } = listener
  const dialect = readDialect(join(folder, 'dialects', `${listener.dialect}.json`))
  const security = securityOf(listener, dialect, folder, at)
  return { name, host, port, framing: { ...defaultFraming, ...framing }, dialect, tenant, identity, ...security }
}

const text = (value: string | undefined): string | null => (value === undefined || value === '' ? null : value)

function shifted(isoPort: number, index: number, listeners: SwitchFile['listeners']): number {
  if (isoPort === 0) return 0
  return isoPort + ((listeners[index]?.port ?? 0) - (listeners[0]?.port ?? 0))
}

function portOf(env: Environment, name: string): number | null {
  const value = text(env[name])
  if (value === null) return null
  const port = /^\d{1,5}$/.test(value) ? Number.parseInt(value, 10) : -1
  if (port < 0 || port > 65_535) throw new ConfigError(`${name} must be a port from 0 to 65535, not "${value}"`)
  return port
}

function secretOf(env: Environment, name: 'PAN_KEY' | 'KEK'): string | null {
  const key = text(env[name])
  if (key !== null && !/^[0-9a-fA-F]{64}$/.test(key)) {
    throw new ConfigError(`${name} must be 64 hexadecimal digits (32 bytes)`)
  }
  return key
}

function readJson(path: string): unknown {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`${path}: cannot be read: ${(error as Error).message}`)
  }
  try {
    return JSON.parse(content)
  } catch (error) {
    throw new ConfigError(`${path}: is not JSON: ${(error as Error).message}`)
  }
}

function readChecked<Schema extends TSchema>(path: string, schema: Schema): Static<Schema> {
  const value = readJson(path)
  const [first] = Value.Errors(schema, value)
  if (first !== undefined) throw new ConfigError(`${path}: ${first.instancePath || '/'} ${sentenceOf(first)}`)
  return value as Static<Schema>
}

/** The validator's own words, where they say what is expected. */
function sentenceOf({ keyword, params, message }: ReturnType<typeof Value.Errors>[number]): string {
  if (keyword === 'boolean') return 'is not a field here'
  if (keyword === 'const') return `must be one of its allowed values, such as ${JSON.stringify(params.allowedValue)}`
  return message
}

function readDialect(path: string): Dialect {
  try {
    return compileDialect(readJson(path))
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`${path}: ${(error as Error).message}`)
  }
}

function readDemo(path: string): DemoTenant {
  const demo = readChecked(path, demoSchema)
  checkDemo(path, demo)
  return demo
}

/** Plain data only: a compiled dialect is left as it is. */
function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) === null) return value
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== Array.prototype) return value
  for (const child of Object.values(value)) deepFreeze(child)
  return Object.freeze(value)
}
