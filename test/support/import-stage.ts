import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { cardNumber } from '../../src/core/card-numbers.ts'
import { panKeyOf } from '../../src/crypto/pan-key.ts'
import { audit } from '../../src/store/audit.ts'
import { startLedger, type TestLedger } from './switch.ts'

const root = resolve(import.meta.dirname, '../..')
const panKeyText = '5a'.repeat(32)
export const panKey = panKeyOf(panKeyText)
export const pan = (n: number): string => cardNumber('936401', n)
export const national = (n: number): string => {
  const digits = String(n).padStart(9, '0')
  const sum = [...digits].reduce((total, digit, index) => total + Number(digit) * (10 - index), 0)
  return digits + (sum % 11 < 2 ? sum % 11 : 11 - (sum % 11))
}

interface Done {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

export let ledger: TestLedger
let folder: string

// Each test has a file of its own name, and cards of its own.
let files = 0
export let path = ''

/** For all tests of a file that calls this. */
export function useImports(): void {
  beforeAll(async () => {
    ledger = await startLedger({ cards: 2 })
    await ledger.pool.query("UPDATE programs SET bin = '936401', funder = 1 WHERE code = 'welfare'")
    folder = mkdtempSync(join(tmpdir(), 'charsu-import-'))
  })

  afterAll(async () => {
    await ledger?.close()
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(useNewFile)
}

/** A file of another name, for the rest of the test. */
export function useFile(file: string): void {
  path = file
}

/** A file of a new name, for the rest of the test. */
export function useNewFile(): void {
  files += 1
  path = join(folder, `${files}.csv`)
}

export const rejectsOf = (file: string): string[][] =>
  readFileSync(`${file}.rejects.csv`, 'utf8')
    .trim()
    .split('\r\n')
    .slice(1)
    .map(line => line.split(',').slice(0, 4))

export function start(args: readonly string[]): { child: ChildProcess; done: Promise<Done> } {
  const child = spawn(process.execPath, [join(root, 'src/cli/charsu.ts'), 'import', ...args], {
    env: { PATH: process.env.PATH, DATABASE_URL: ledger.url, DATA_DIR: folder, PAN_KEY: panKeyText },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', text => {
    out += text
  })
  child.stderr.on('data', text => {
    err += text
  })
  return { child, done: new Promise(end => child.on('close', status => end({ status, out, err }))) }
}

export const importing = (kind: string, ...args: string[]): Promise<Done> =>
  start(['--kind', kind, '--file', path, ...args]).done

/** Runs it with --json: the report, and the exit status. */
export async function reportOf(kind: string, ...args: string[]) {
  const { status, out, err } = await importing(kind, '--json', ...args)
  if (out === '') throw new Error(err)
  return { status, ...JSON.parse(out) }
}

export const rowsOf = async (text: string, ...values: unknown[]) => (await ledger.pool.query(text, values)).rows

export async function brokenIn(): Promise<string[]> {
  const broken: string[] = []
  for await (const { name, offenders } of audit(ledger.url)) if (offenders.length > 0) broken.push(name)
  return broken
}

/** Everything that an import may write. */
export const stateOfAll = async () => {
  const tables = ['cardholders', 'cardholder_profiles', 'cards', 'pan_vault', 'lots', 'lot_movements', 'decisions']
  const more = ['batches', 'imports', 'merchants', 'terminals', 'accounts', 'organisation_counters', 'tenants']
  const rows = await Promise.all(
    [...tables, ...more].map(table => rowsOf(`SELECT count(*), sum(hashtext(t::text)) AS sum FROM ${table} t`)),
  )
  const sequences = await rowsOf('SELECT sequencename, last_value FROM pg_sequences ORDER BY 1')
  return JSON.stringify([rows, sequences])
}
