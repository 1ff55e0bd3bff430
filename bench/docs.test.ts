import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseLoad } from '../src/cli/load-options.ts'
import { mixes } from '../src/load/spec.ts'
import { parseOptions } from './options.ts'
import { workloadNames } from './workload-names.ts'

const page = readFileSync(join(import.meta.dirname, '../docs/load-testing.md'), 'utf8')
const commands = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
  .flatMap(([, block = '']) => block.replace(/\\\n\s*/g, '').split('\n'))
  .map(line => line.replace(/ +#.*| >.*/g, ''))
const argumentsOf = (start: string): string[][] =>
  commands.filter(line => line.startsWith(start)).map(line => line.slice(start.length).trim().split(' '))

test('every load of the page can be put on a switch', () => {
  const loads = argumentsOf('npx charsu load ')
  expect(loads.length).toBeGreaterThan(3)
  // The file of terminals is the reader's own.
  for (const args of loads)
    expect(parseLoad(args.map(arg => (arg === '@terminals.txt' ? 'T1@M1' : arg)))).not.toBeNull()
  for (const name of Object.keys(mixes)) expect(page).toContain(`\`${name}\``)
})

test('every benchmark of the page can be run, and every workload is on it', () => {
  const runs = argumentsOf('npm run bench -- ').filter(([name]) => name !== 'compare' && name !== 'report')
  expect(runs.length).toBeGreaterThan(2)
  for (const args of runs) expect(parseOptions(args).workloads.length).toBeGreaterThan(0)
  const listed = [...page.matchAll(/^\| `([a-z-]+)` \| /gm)].map(([, name]) => name)
  expect(listed.sort()).toEqual([...workloadNames].sort())
})
