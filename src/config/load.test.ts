import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError } from './errors.ts'
import { loadConfig } from './load.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'charsu-config-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Edit = (file: string) => string

/** A copy of the delivered configuration, with one file edited. */
function configWith(name: string, edit: Edit): string {
  const copy = mkdtempSync(join(folder, 'edited-'))
  cpSync(join(import.meta.dirname, '../../switch-config'), copy, { recursive: true })
  const path = join(copy, name)
  writeFileSync(path, edit(readFileSync(path, 'utf8')))
  return copy
}

const messageOf = (env: Record<string, string>): string => {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'fine'
}

test('as delivered: loopback, the contract’s ports, frozen', () => {
  const config = loadConfig({})
  expect([config.http, config.listeners.map(({ host, port }) => [host, port])]).toEqual([
    { host: '127.0.0.1', port: 8080 },
    [['127.0.0.1', 8583]],
  ])
  expect([config.databaseUrl, config.demo?.code]).toEqual([null, 'bazaar'])
  expect(Object.isFrozen(config.demo?.merchants)).toBe(true)
})

describe('the environment', () => {
  test.each([
    [{ PORT: '0', ISO_PORT: '9000' }, 'fine'],
    [{ PORT: 'http' }, 'PORT must be a port from 0 to 65535, not "http"'],
    [{ ISO_PORT: '65536' }, 'ISO_PORT must be a port from 0 to 65535, not "65536"'],
    [{ PORT: '8583' }, 'two of the places to listen on have port 8583'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent'],
    [{ DATABASE_URL: 'nonsense' }, 'DATABASE_URL must begin with postgresql://'],
    [{ PAN_KEY: 'abc' }, 'PAN_KEY must be 64 hexadecimal digits (32 bytes)'],
    [{ KEK: 'abc' }, 'KEK must be 64 hexadecimal digits (32 bytes)'],
  ] as const)('%o: %s', (env, message) => {
    expect(messageOf(env)).toBe(message)
  })
})

describe('a wrong file is named with the place in it', () => {
  const replaced =
    (what: string, by: string): Edit =>
    text => {
      expect(text).toContain(what)
      return text.replace(what, by)
    }
  test.each([
    ['switch.json', replaced('"lanes": 2', '"lanes": 0'), '/engine/lanes must be >= 1'],
    ['switch.json', replaced('"lanes": 2', '"lanes": 2, "colour": 1'), '/engine/colour is not a field here'],
    ['switch.json', replaced('"iso87a"', '"iso99"'), 'iso99.json: cannot be read'],
    ['switch.json', replaced('127.0.0.1', '0.0.0.0'), 'http listens on 0.0.0.0: with a demo tenant only this machine'],
    ['switch.json', (text: string) => text.slice(1), 'is not JSON'],
    ['demo.json', replaced('Asia/Tehran', 'Mars/Base'), '/timeZone is no time zone: Mars/Base'],
    ['demo.json', replaced('"T0000002"', '"T0000001"'), '/terminals has the code T0000001 twice'],
    ['demo.json', replaced('"toCard": 1000', '"toCard": 1001'), '/loads/0/toCard is more than there are'],
    ['demo.json', replaced('"funder": "saffron"', '"funder": "x"'), '/loads/1/funder is no organisation: x'],
    ['dialects/iso87a.json', replaced('"bytesMax": 16', '"bytesMax": 17'), 'iso87a.json: '],
  ] as const)('%s %#', (name, edit, message) => {
    expect(messageOf({ SWITCH_CONFIG: configWith(name, edit) })).toContain(message)
  })
})
