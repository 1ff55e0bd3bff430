import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { RollingFile } from './rolling-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'charsu-rolling-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('two files, never more than the limit, readable by their owner alone', async () => {
  const path = join(folder, 'frames.log')
  const file = new RollingFile(path, 200, error => expect.unreachable(error.message))
  for (let n = 0; n < 100; n++) {
    file.write(`line ${n}`)
    // A stream opens its file after this turn of the event loop.
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  await file.close()
  const names = readdirSync(folder).sort()
  expect(names).toEqual(['frames.log', 'frames.log.1'])
  const sizes = names.map(name => statSync(join(folder, name)).size)
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(200)
  expect(names.map(name => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600, 0o600])
  expect(readFileSync(path, 'utf8')).toMatch(/line 99\n$/)
})

test('a file that cannot be written is told once, and costs nothing more', async () => {
  const errors: Error[] = []
  const file = new RollingFile(join(folder, 'missing', 'frames.log'), 200, error => errors.push(error))
  for (let n = 0; n < 3; n++) {
    file.write('line')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  expect(errors).toHaveLength(1)
})
