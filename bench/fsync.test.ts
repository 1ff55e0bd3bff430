import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { measureFsync } from './fsync.ts'

test('measures this disk and leaves nothing behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'charsu-fsync-'))
  try {
    const times = measureFsync(folder, 20)
    expect(times.samples).toBe(20)
    expect(times.medianMs).toBeGreaterThan(0)
    expect(times.p99Ms).toBeGreaterThanOrEqual(times.medianMs)
    expect(await readdir(folder)).toEqual([])
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a folder that is not there', () => {
  expect(() => measureFsync(join(tmpdir(), 'charsu-no-such-folder'))).toThrow('ENOENT')
})
