import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findEmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts'

const small = { shared_buffers: '32MB' }
const isRoot = process.getuid?.() === 0
const mayBecomeNobody = isRoot && spawnSync('/bin/true', { uid: 65_534, gid: 65_534 }).status === 0
let folder: string
let dataDir: string

// mkdtemp makes it 0700: under root nobody else can pass it, as in many a CI clone. Where root has no user namespaces
// either, no PostgreSQL can run there, and the folder is opened.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'charsu-embedded-'))
  if (isRoot && spawnSync('unshare', ['--user', '--map-user=65534', 'true']).status !== 0) await chmod(folder, 0o711)
  dataDir = join(folder, 'data/postgres')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function query(url: string, text: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<unknown[]>({ text, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end()
  }
}

test('first start: durable, loopback only, password in a file of the owner alone', async () => {
  const server = await startEmbeddedPostgres({ dataDir, settings: small })
  try {
    expect(
      await query(server.url, "SELECT current_database(), current_setting('server_version_num')::int / 10000"),
    ).toEqual(['charsu', 18])
    for (const [name, value] of [
      ['fsync', 'on'],
      ['synchronous_commit', 'on'],
      ['data_checksums', 'on'],
      ['listen_addresses', '127.0.0.1'],
      ['server_encoding', 'UTF8'],
      ['shared_buffers', '32MB'],
    ]) {
      expect([name, ...(await query(server.url, `SHOW ${name}`))]).toEqual([name, value])
    }
    expect((await stat(join(dataDir, 'password'))).mode & 0o777).toBe(0o600)
    const wrong = new URL(server.url)
    wrong.password = 'wrong'
    await expect(query(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
    expect(await findEmbeddedPostgres(dataDir)).toEqual({ url: server.url, port: server.port, pid: server.pid })
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(/already running on .* \(pid \d+, port \d+\)/)
  } finally {
    await server.stop()
  }
  expect(await findEmbeddedPostgres(dataDir)).toBeUndefined()
})

test('what was committed is there after kill -9, on the same port', async () => {
  const first = await startEmbeddedPostgres({ dataDir, settings: small })
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS value')
  process.kill(first.pid, 'SIGKILL')
  expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' })
  await first.stop()

  const second = await startEmbeddedPostgres({ dataDir, settings: small, port: first.port })
  expect(second.url).toBe(first.url)
  expect(await query(second.url, 'SELECT value FROM kept')).toEqual([42])
  await second.stop('immediate')
})

test('a pid file left behind does not stop it, though its number now belongs to another living process', async () => {
  const first = await startEmbeddedPostgres({ dataDir, settings: small })
  process.kill(first.pid, 'SIGKILL')
  await first.exited
  const pidFile = join(dataDir, 'cluster/postmaster.pid')
  const stale = await readFile(pidFile, 'utf8')
  await writeFile(pidFile, stale.replace(/^\d+/, String(process.ppid)))

  const second = await startEmbeddedPostgres({ dataDir, settings: small })
  expect(await query(second.url, 'SELECT 1')).toEqual([1])
  await second.stop('immediate')
})

test.runIf(mayBecomeNobody)('root without user namespaces: the data folder goes to nobody', async () => {
  const open = await mkdtemp(join(tmpdir(), 'charsu-embedded-nobody-'))
  try {
    const first = await startEmbeddedPostgres({ dataDir: open, settings: small, rootMeans: ['nobody'] })
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS value')
    await first.stop()
    expect((await stat(open)).uid).not.toBe(0)

    const second = await startEmbeddedPostgres({ dataDir: open, settings: small })
    expect(await query(second.url, 'SELECT value FROM kept')).toEqual([42])
    await second.stop('immediate')
  } finally {
    await rm(open, { recursive: true, force: true })
  }
})

test.runIf(isRoot)('root with no way to another user is told what was tried', async () => {
  const closed = await mkdtemp(join(tmpdir(), 'charsu-embedded-closed-'))
  const attempt = startEmbeddedPostgres({ dataDir: join(closed, 'postgres'), rootMeans: ['nobody'] })
  await expect(attempt).rejects.toThrow(/cannot run as root.* nobody: .* is out of that user's reach/)
  await rm(closed, { recursive: true })
})

test('a taken port is named', async () => {
  const first = await startEmbeddedPostgres({ dataDir, settings: small })
  const rival = { dataDir: join(folder, 'rival'), port: first.port, settings: small }
  await expect(startEmbeddedPostgres(rival)).rejects.toThrow(`Port ${first.port} for the embedded PostgreSQL`)
  await first.stop('immediate')
})
