import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reasonsPage } from '../docs/write-reasons.ts'
import { loadConfig } from '../src/config/load.ts'
import { reasons } from '../src/core/reasons.ts'
import { openTerms } from '../src/core/terms.ts'
import { termsJson } from '../src/core/terms-json.ts'
import { laneLimits } from '../src/engine/lane.ts'
import { fileBytesMax, linesMax } from '../src/http/admin/load-file-upload.ts'
import { limits as httpLimits } from '../src/http/limits.ts'
import { problemOf } from '../src/http/problem.ts'
import { roles, scopes } from '../src/http/scopes.ts'
import { defaultIsoLimits } from '../src/iso8583/limits.ts'
import { type RunningSwitch, startSwitch } from '../src/main.ts'
import { createLog } from '../src/ops/log.ts'
import { audit } from '../src/store/audit.ts'
import { migrate, partitionDaysAhead } from '../src/store/migrate.ts'
import {
  checkSecured,
  computedOf,
  configureSecured,
  loadSecured,
  openLine,
  type Secured,
  securedIn,
  writePorts,
} from './docs-secured.ts'
import { createDatabase, type TestDatabase } from './support/database.ts'
import { ask, blocksOf, compare, examplesOf, Stand, type Target } from './support/doc-examples.ts'

const root = resolve(import.meta.dirname, '..')
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')
const pages = ['README.md', 'CHANGELOG.md', ...readdirSync(join(root, 'docs')).map(name => `docs/${name}`)].filter(
  path => path.endsWith('.md'),
)
const runPages = ['README.md', 'docs/pos-integrators.md', 'docs/terminals.md', 'docs/operators.md', 'docs/programs.md']

interface Stage {
  readonly running: RunningSwitch
  readonly target: Target
  readonly logLines: () => Readonly<Record<string, unknown>>[]
  close(): Promise<void>
}

/** A switch of its own for a page, with the demo tenant and nothing else. */
async function startStage(environment: Readonly<Record<string, string>> = {}, database?: TestDatabase): Promise<Stage> {
  const own = database ?? (await createDatabase())
  const folder = mkdtempSync(join(tmpdir(), 'charsu-docs-'))
  const given = { DATABASE_URL: own.url, DATA_DIR: folder, PORT: '0', ISO_PORT: '0', ...environment }
  let log = ''
  const running = await startSwitch(
    loadConfig(given),
    createLog('info', {
      write: text => {
        log += text
      },
    }),
  )
  const isoPort = running.isoPorts[0]!
  return {
    running,
    target: { httpUrl: running.httpUrl, isoPort, environment: { ...given, ISO_PORT: String(isoPort) } },
    logLines: () =>
      log
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
    async close() {
      await running.stop()
      if (database === undefined) await own.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** With the listener of the page beside the demo's, and its keys. */
async function startSecuredStage(secured: Secured): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'charsu-docs-'))
  const stage = await startStage(configureSecured(folder, secured))
  const { isoPorts, databaseUrl } = stage.running
  writePorts(folder, isoPorts)
  await loadSecured(databaseUrl, secured)
  const line = openLine(isoPorts[1]!)
  // The ports are those of the file, and none follows another.
  const { ISO_PORT: _, ...environment } = stage.target.environment
  return {
    ...stage,
    target: { ...stage.target, environment, folder, secured: line },
    async close() {
      line.close()
      await stage.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function brokenIn({ running }: Stage): Promise<string[]> {
  const broken: string[] = []
  for await (const { name, offenders } of audit(running.databaseUrl)) if (offenders.length > 0) broken.push(name)
  return broken
}

describe.each(runPages)('%s: its examples work', page => {
  const examples = examplesOf(textOf(page))
  const secured = securedIn(textOf(page))
  const stand = new Stand()
  const setup = blocksOf(textOf(page))
    .filter(({ kind }) => kind === 'sh setup')
    .map(({ text }) => text)
    .join('\n')
  let stage: Stage
  beforeAll(async () => {
    stage = secured === null ? await startStage() : await startSecuredStage(secured)
  })
  afterAll(() => stage?.close())

  // In the order of the page: later ones go on from what earlier ones did.
  test.each(examples.map(example => [`${page}:${example.asks.line}`, example] as const))('%s', async (_at, example) => {
    const real = await ask(example, { ...stage.target, setup }, stand)
    if (example.answer !== null) compare(example.answer, real, stand, stage.target)
    else expect(real).not.toMatch(/"status":[45]|^HTTP\/1.1 [45]|Refused/m)
    if (secured !== null && example.asks.kind.startsWith('iso8583 secured')) {
      for (const rows of [example.asks.text, example.answer?.text, real]) checkSecured(secured, rows ?? real)
    }
  })

  if (secured !== null) {
    test('keys have their check values, and the PIN block is that of its PIN', () => {
      const { checkValues, pinBlock } = computedOf(secured)
      expect([...secured.keys.values()].map(({ checkValue }) => checkValue)).toEqual(checkValues)
      expect(secured.pinBlock).toEqual(pinBlock)
      expect(textOf(page)).toMatch(new RegExp(`^ +52 {2}${pinBlock.at(-1)}`, 'm'))
    })
  }

  test('every refusal that is shown without its request is the one of the table', () => {
    const answers = new Set(examples.map(({ answer }) => answer?.line))
    for (const { kind, text, line } of blocksOf(textOf(page))) {
      if (kind !== 'http' || !text.startsWith('HTTP/') || answers.has(line)) continue
      const problem = JSON.parse(text.slice(text.indexOf('\n\n')))
      expect(problem).toEqual(JSON.parse(JSON.stringify(problemOf({ reason: problem.reason }))))
      expect(text).toMatch(new RegExp(`^HTTP/1.1 ${problem.status} `))
    }
  })

  test('log lines that are shown are written', () => {
    const namesOf = (line: object): string => Object.keys(line).sort().join()
    const real = stage.logLines().map(namesOf)
    for (const { kind, text } of blocksOf(textOf(page))) {
      if (kind === 'json log') for (const line of text.split('\n')) expect(real).toContain(namesOf(JSON.parse(line)))
    }
  })

  test('the books add up after all of them', async () => {
    expect(await brokenIn(stage)).toEqual([])
  })
})

test.each(runPages)('%s: every command that talks to the switch is run', page => {
  const unrun = blocksOf(textOf(page)).filter(({ kind, text }) => kind === 'sh' && /curl|charsu terminal/.test(text))
  expect(unrun.map(({ line }) => line)).toEqual([])
})

test('docs/reasons.md is the table of reasons: npx node docs/write-reasons.ts', () => {
  expect(textOf('docs/reasons.md')).toBe(reasonsPage())
})

test.each(pages)('%s: every link within the repository leads somewhere', page => {
  const text = textOf(page)
  const broken: string[] = []
  for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(link)) continue
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page : join(dirname(page), path)
    if (!existsSync(join(root, target))) broken.push(link)
    else if (anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor)) broken.push(link)
  }
  expect(broken).toEqual([])
})

const anchorsOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  )

/** Rows of tables that begin with a name in backquotes. */
const namesInTables = (markdown: string): string[] =>
  [...markdown.matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name)

describe('docs/operators.md is complete', () => {
  const text = textOf('docs/operators.md')
  const names = namesInTables(text)

  test('metrics', () => {
    const metrics = [...textOf('src/ops/metrics.ts').matchAll(/name: '(charsu_\w+)'/g)].map(([, name]) => name)
    expect(metrics.length).toBeGreaterThan(5)
    expect(names.filter(name => name.startsWith('charsu_')).sort()).toEqual(metrics.sort())
  })

  test('environment variables', () => {
    const code = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter(path => path.endsWith('.ts') && !path.endsWith('.test.ts'))
      .map(path => textOf(`src/${path}`))
      .join('\n')
    const read = [...code.matchAll(/\benv\.([A-Z_]{3,})|(?:portOf|secretOf)\(env, '([A-Z_]+)'\)/g)].map(
      ([, one, two]) => one ?? two,
    )
    expect(names.filter(name => /^[A-Z_]+$/.test(name)).sort()).toEqual([...new Set(read)].sort())
  })

  test.each([
    ['HTTP', httpLimits],
    ['ISO 8583', defaultIsoLimits],
    ['engine', laneLimits],
    ['load files', { fileBytesMax, linesMax }],
  ])('limits: %s', (edge, limits) => {
    const rows = [...text.matchAll(/^\| (\S.*?) +\| `(\w+)` +\| ([\d,]+) /gm)]
      .filter(([, of]) => of === edge)
      .map(([, , name, value = '']) => [name, Number.parseInt(value.replaceAll(',', ''), 10)])
    expect(Object.fromEntries(rows)).toEqual(limits)
  })

  test('days of partitions', () => {
    expect(text).toContain(`of the next ${partitionDaysAhead} days`)
  })

  test('reasons for which terminal connections are closed', () => {
    const [, union = ''] = /export type CloseReason = (.*)/.exec(textOf('src/iso8583/connection.ts')) ?? []
    for (const [, reason] of union.matchAll(/'(\w+)'/g)) expect(text).toContain(`\`${reason}\``)
  })
})

test('docs/operators.md: leaving demo mode leads to a switch that takes a payment', async () => {
  const database = await createDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'charsu-docs-'))
  let stage: Stage | undefined
  try {
    // Steps 1 to 4 of the page, in its order.
    cpSync(join(root, 'switch-config'), folder, { recursive: true })
    const { demo: _, ...file } = JSON.parse(textOf('switch-config/switch.json'))
    const listeners = file.listeners.map((listener: object) => ({ ...listener, tenant: 'shop' }))
    writeFileSync(join(folder, 'switch.json'), JSON.stringify({ ...file, listeners }))
    await migrate(database.url)
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    const scripts = blocksOf(textOf('docs/operators.md')).filter(({ kind }) => kind === 'sql run')
    for (const { text } of scripts) await client.query(text)
    await client.end()
    stage = await startStage({ SWITCH_CONFIG: folder }, database)
    const [own] = blocksOf(textOf('docs/operators.md')).filter(({ kind }) => kind === 'sh run own')
    const example = { asks: { ...own!, kind: 'sh run' }, answer: null }
    const answers = (await ask(example, stage.target, new Stand())).replaceAll('}{', '}\n{').split('\n')
    const [token, till] = [answers[5]!, answers[7]!].map(text => JSON.parse(text).token ?? JSON.parse(text).secret)

    const pay = (key: string, amount: number): Promise<Response> =>
      fetch(`${stage?.running.httpUrl}/v1/transactions`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          'idempotency-key': `${key}-${amount}`,
        },
        body: JSON.stringify({
          card: { token },
          amount,
          currency: 'IRR',
          merchant: 'SHOP0001',
          terminal: 'TERM0001',
          capture: true,
        }),
      })
    expect((await pay(till, 600_000)).status).toBe(201)
    expect((await pay(till, 600_001)).status).toBe(402)
    expect((await pay('a-long-random-key', 1)).status).toBe(403)
    expect((await pay('demo-pos-key', 1)).status).toBe(401)
    expect(await brokenIn(stage)).toEqual([])
  } finally {
    await stage?.close()
    await database.drop()
    rmSync(folder, { recursive: true, force: true })
  }
})

describe('every call is told of', () => {
  const read: string[] = []
  beforeAll(async () => {
    const stage = await startStage()
    try {
      const { paths } = (await (await fetch(`${stage.running.httpUrl}/openapi.json`)).json()) as { paths: object }
      for (const [path, methods] of Object.entries(paths)) {
        read.push(...Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`))
      }
    } finally {
      await stage.close()
    }
  })
  const isAdmin = (call: string): boolean => call.includes(' /admin/')

  test('of a POS in docs/pos-integrators.md', () => {
    const text = textOf('docs/pos-integrators.md')
    const calls = read.filter(call => !isAdmin(call))
    expect(calls.length).toBeGreaterThan(8)
    expect(calls.filter(call => !text.includes(`\`${call}\``))).toEqual([])
  })

  test('of the operator in docs/admin-api.md, and no others', () => {
    const named = [...textOf('docs/admin-api.md').matchAll(/^\| `([A-Z]+ \/admin\/\S+)`/gm)].map(([, call]) => call)
    expect(named.toSorted()).toEqual(read.filter(isAdmin).toSorted())
  })

  test('the scopes that docs/admin-api.md says are those that are asked for', async () => {
    const stage = await startStage()
    const rows = [...textOf('docs/admin-api.md').matchAll(/^\| `([A-Z]+) (\/admin\/\S+)` \| .* \| (.*) \|$/gm)]
    const send = (key: string, method: string, path: string, body: object | null): Promise<Response> =>
      fetch(stage.running.httpUrl + path, {
        method,
        headers: { authorization: `Bearer ${key}`, ...(body !== null && { 'content-type': 'application/json' }) },
        body: body === null ? null : JSON.stringify(body),
      })
    const keys = new Map<string, string>()
    try {
      for (const scope of Object.keys(scopes)) {
        const answer = await fetch(`${stage.running.httpUrl}/admin/v1/api-keys`, {
          method: 'POST',
          headers: {
            authorization: 'Bearer demo-admin-key',
            'content-type': 'application/json',
            'idempotency-key': `scope-${scope}`,
          },
          body: JSON.stringify({ label: scope, scopes: [scope] }),
        })
        keys.set(scope, ((await answer.json()) as { secret: string }).secret)
      }
      const wrong: string[] = []
      for (const [, method = '', path = '', list = ''] of rows) {
        const named = list.split(' or ').map(scope => scope.replaceAll('`', ''))
        for (const [scope, key] of keys) {
          if (scope === 'admin') continue
          const { status } = await send(key, method, path.replace(/\{\w+\}/g, '0'), method === 'GET' ? null : {})
          if ((status !== 403) !== named.includes(scope)) wrong.push(`${method} ${path} ${scope}: ${status}`)
        }
      }
      expect(rows.length).toBeGreaterThan(80)
      expect(wrong).toEqual([])
    } finally {
      await stage.close()
    }
  })

  test('scopes and roles in docs/admin-api.md', () => {
    const text = textOf('docs/admin-api.md')
    expect(namesInTables(text).filter(name => Object.hasOwn(scopes, name))).toEqual(Object.keys(scopes))
    const told = [...text.matchAll(/^\| \*\*(\w+)\*\* \| (.*) \|$/gm)].map(([, role, list = '']) => [
      role,
      list.split(', ').map(scope => scope.replaceAll('`', '')),
    ])
    expect(Object.fromEntries(told)).toEqual(roles)
  })
})

test('docs/programs.md names every part of terms', () => {
  const named = namesInTables(textOf('docs/programs.md')).map(name => name.replace(/\[\]/g, ''))
  const paths = (json: object, at = ''): string[] =>
    Object.entries(json).flatMap(([name, value]) =>
      value !== null && typeof value === 'object' && !Array.isArray(value) && !named.includes(at + name)
        ? paths(value, `${at}${name}.`)
        : [at + name],
    )
  expect(paths(termsJson(openTerms)).filter(path => !named.includes(path) && path !== 'where.deny')).toEqual(['limits'])
})

describe('docs/pos-integrators.md is complete', () => {
  const text = textOf('docs/pos-integrators.md')

  test('statuses', () => {
    // A PATCH is of the admin API.
    const ofPatches: readonly number[] = [412, 428]
    const refusing = new Set(
      Object.values(reasons)
        .map(({ http }) => http)
        .filter(http => !ofPatches.includes(http)),
    )
    const statuses = [...refusing].filter(status => status >= 400).sort()
    const rows = [...text.matchAll(/^\| (\d{3}(?:, \d{3})*)/gm)].flatMap(([, list = '']) => list.split(', '))
    expect(statuses.filter(status => !rows.includes(String(status)))).toEqual([])
  })
})

test('docs/terminals.md has every response code', () => {
  const codes = [...new Set(Object.values(reasons).map(({ de39 }) => de39))]
  const named = [...textOf('docs/terminals.md').matchAll(/^\| `(\d\d)` /gm)].map(([, code]) => code)
  expect(named.sort()).toEqual(codes.sort())
})
