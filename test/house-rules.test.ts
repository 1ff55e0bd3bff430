import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkHouse, ruleNames, type SourceFile, sentenceOf } from './support/house-rules.ts'
import { viewsOf } from './support/source-views.ts'

const root = join(import.meta.dirname, '..')

const house: readonly SourceFile[] = ['src', 'test', 'bench', 'migrations'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map(name => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter(path => /\.(?:ts|sql)$/.test(path))
    .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') })),
)
const found = checkHouse(house)

test.each(ruleNames)('the house keeps: %s', rule => {
  expect(found.filter(violation => violation.rule === rule).map(sentenceOf)).toEqual([])
})

describe('the rules go red on', () => {
  test.each([
    // path, text, the rule it breaks and the line
    ['src/core/decide.ts', "import { x } from '../store/reads.ts'", 'imports between rooms', 1],
    ['src/core/decide.ts', "export * from '../ops/clock.ts'", 'imports between rooms', 1],
    ['src/core/decide.ts', "import type { X } from '../codec/x.ts'", 'imports between rooms', 1],
    ['src/core/decide.ts', "\nimport {\n  x,\n} from '../store/reads.ts'", 'imports between rooms', 2],
    ['src/core/decide.ts', "type X = import('../store/x.ts').X", 'imports between rooms', 1],
    ['src/codec/pack.ts', "import '../core/money.ts'", 'imports between rooms', 1],
    ['src/crypto/mac.ts', "import { x } from '../core/money.ts'", 'imports between rooms', 1],
    ['src/ops/log.ts', "import { x } from '../config/load.ts'", 'imports between rooms', 1],
    ['src/config/load.ts', "import { x } from '../store/reads.ts'", 'imports between rooms', 1],
    ['src/store/reads.ts', "import { x } from '../engine/lane.ts'", 'imports between rooms', 1],
    ['src/engine/lane.ts', "import { x } from '../codec/pack.ts'", 'imports between rooms', 1],
    ['src/hosts/mux.ts', "import { x } from '../engine/lane.ts'", 'imports between rooms', 1],
    ['src/iso8583/server.ts', "import { x } from '../store/reads.ts'", 'imports between rooms', 1],
    ['src/http/app.ts', "import { x } from '../store/batch/write.ts'", 'imports between rooms', 1],
    ['src/http/app.ts', "import { x } from '../codec/pack.ts'", 'imports between rooms', 1],
    ['src/jobs/expiry.ts', "import { x } from '../iso8583/server.ts'", 'imports between rooms', 1],
    ['src/cli/audit.ts', "import { x } from '../engine/lane.ts'", 'imports between rooms', 1],
    ['src/load/run.ts', "import { x } from '../iso8583/client.ts'", 'imports between rooms', 1],
    ['src/modules/offers/terms.ts', "import { x } from '../points/terms.ts'", 'imports between rooms', 1],
    ['src/modules/offers/terms.ts', "import { x } from '../../store/reads.ts'", 'imports between rooms', 1],
    ['src/ops/log.ts', "import { x } from '../main.ts'", 'imports between rooms', 1],
    ['src/store/reads.ts', "import { x } from '../../test/support/database.ts'", 'imports between rooms', 1],
    ['src/helpers/x.ts', 'export const x = 1', 'room exists', 1],
    ['src/x.ts', 'export const x = 1', 'room exists', 1],
    ['src/engine/lane.ts', "import { Pool } from 'pg'", 'packages in their rooms', 1],
    ['src/main.ts', "import fastify from 'fastify'", 'packages in their rooms', 1],
    ['src/ops/log.ts', "import swagger from '@fastify/swagger'", 'packages in their rooms', 1],
    ['src/http/app.ts', "import { createServer } from 'node:net'", 'packages in their rooms', 1],
    ['src/core/money.ts', "import { hash } from 'node:crypto'", 'packages in their rooms', 1],
    ['src/codec/pack.ts', "const x = await import('typebox')", 'packages in their rooms', 1],
    ['src/crypto/mac.ts', "import { readFile } from 'node:fs/promises'", 'packages in their rooms', 1],
    ['src/http/app.ts', 'const name = 1\nawait import(name)', 'imports are literal', 2],
    ['src/http/app.ts', `await import(\`./\${name}.ts\`)`, 'imports are literal', 1],
    ['src/http/app.ts', 'const port = process.env.PORT', 'words in their rooms', 1],
    ['src/http/app.ts', 'const at = Date.now()', 'words in their rooms', 1],
    ['src/engine/lane.ts', 'const at = new Date()', 'words in their rooms', 1],
    ['src/engine/lane.ts', 'const at = new Date', 'words in their rooms', 1],
    ['src/engine/lane.ts', 'const wait = Math.random() * 10', 'words in their rooms', 1],
    ['src/engine/lane.ts', `const text = \`a \${{ x: \`\${Math.random()}\` }.x} b\``, 'words in their rooms', 1],
    ['src/core/money.ts', '\n\nconst x = Number(amount)', 'words in their rooms', 3],
    ['src/store/reads.ts', 'rows.map(row => Number(row.amount))', 'words in their rooms', 1],
    ['src/engine/lane.ts', 'Number.parseFloat(text)', 'words in their rooms', 1],
    ['src/core/decide.ts', 'export async function x() {}', 'words in their rooms', 1],
    ['src/http/app.ts', "console.log('x')", 'words in their rooms', 1],
    ['src/http/app.ts', "const x = require('x')", 'words in their rooms', 1],
    ['src/http/app.ts', '// @ts-ignore\nx()', 'words in their rooms', 1],
    ['src/store/batch/write.ts', 'const text = `INSERT … ON CONFLICT DO NOTHING`', 'words in their rooms', 1],
    ['src/store/batch/write.ts', "query('SAVEPOINT one')", 'words in their rooms', 1],
    ['src/store/reads.ts', 'const text = `SELECT\n  now()`', 'clock in SQL', 2],
    ['src/store/reads.ts', "const text = 'SELECT CURRENT_TIMESTAMP'", 'clock in SQL', 1],
    ['migrations/0001-x.sql', '-- now()\ncreate table x (at timestamptz default NOW());', 'clock in SQL', 2],
    ['src/core/x.ts', 'x\n'.repeat(401), 'file length', 401],
    ['test/x.test.ts', 'x\n'.repeat(401), 'file length', 401],
    ['src/core/x.ts', `// ${'x'.repeat(118)}`, 'line length', 1],
    ['test/x.test.ts', `\n// ${'x'.repeat(118)}`, 'line length', 2],
    ['src/core/forgotten.ts', 'export const x = 1', 'no unused file', 1],
    ['src/core/forgotten.ts', "import './itself.ts'", 'no unused file', 1],
  ] as const)('%s: %s', (path, text, rule, line) => {
    const isRed = checkHouse([{ path, text }]).some(
      violation => violation.rule === rule && violation.path === path && violation.line === line,
    )
    expect(isRed).toBe(true)
  })
})

describe('the rules stay green on', () => {
  test.each([
    // path, text; nothing is said about unused files here
    ['src/core/decide.ts', "import { x } from './money.ts'"],
    ['src/http/app.ts', "import { x } from '../store/reads/settlements.ts'"],
    ['src/cli/terminal.ts', "import { connect } from 'node:net'\nimport { start } from '../main.ts'"],
    ['src/main.ts', "import { x } from './engine/lane.ts'\nimport { y } from './modules/offers/terms.ts'"],
    ['src/modules/offers/terms.ts', "import { x } from './store.ts'\nimport { y } from '../../core/terms.ts'"],
    ['src/core/x.test.ts', "import { x } from '../store/reads.ts'\nconst y = Number(await Date.now())"],
    ['src/core/x.ts', '// Number(x) and Date.now() are words of a comment\nconst x = 1 /* process.env */'],
    ['src/core/x.ts', `const x = 'never Number(x)'\nconst y = \`Date.now() \${x} Math.random()\``],
    ['src/core/x.ts', "const x = /['\"`]/.test(y)\nconst z = 'Number(x)'"],
    ['src/core/x.ts', 'const x = Number.isSafeInteger(y)\nconst z = new Date(at)'],
    ['src/engine/lane.ts', 'const half = all / 2 // Number(half)\nconst rest = all / 3'],
    ['src/store/batch/write.ts', 'const text = `INSERT … ON CONFLICT (id) DO UPDATE SET at = excluded.at`'],
    ['src/store/reads.ts', 'const at = performance.now()\nconst text = `SELECT clock_timestamp()`'],
    ['src/http/app.ts', 'const text = "import { x } from \'pg\'"'],
    ['migrations/0001-x.sql', 'create table x (at timestamptz default clock_timestamp()); -- not now()'],
  ] as const)('%s: %s', (path, text) => {
    const broken = checkHouse([{ path, text }]).filter(({ rule }) => rule !== 'no unused file')
    expect(broken.map(sentenceOf)).toEqual([])
  })

  test('a file that an entry point reaches through another', () => {
    const files = [
      { path: 'src/main.ts', text: "import { x } from './engine/lane.ts'" },
      { path: 'src/engine/lane.ts', text: "import { y } from '../core/money.ts'" },
      { path: 'src/core/money.ts', text: 'export const y = 1' },
      { path: 'src/cli/charsu.ts', text: "const { audit } = await import('./audit.ts')" },
      { path: 'src/cli/audit.ts', text: 'export const audit = 1' },
    ]
    expect(checkHouse(files)).toEqual([])
  })
})

test('views: comments, strings, templates and regular expressions are told apart', () => {
  const source = `a('b') /* c */ + \`d\${e}f\` / 2 // g\nh = /'/`
  expect(viewsOf(source)).toEqual({
    code: `a(' ')         + \` \${e} \` / 2     \nh =    `,
    strings: '   b              d    f          \n       ',
    comments: '       /* c */                // g\n       ',
  })
})
