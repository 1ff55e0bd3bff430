import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { startFlags } from './support/switch-process.ts'

const textOf = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const flagsIn = (text: string): string[] => text.match(/--\w+-semi-space-size=\d+/g) ?? []

test('whoever starts the switch gives Node the flags of npm start', () => {
  expect(startFlags.length).toBe(2)
  expect(flagsIn(manifest.scripts.charsu)).toEqual(startFlags)
  expect(flagsIn(textOf('bin/charsu'))).toEqual(startFlags)
  expect(flagsIn(textOf('docs/operators.md'))).toEqual(startFlags)
})
