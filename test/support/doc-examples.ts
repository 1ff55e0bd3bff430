import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { defaultFraming, encodeFrame, FrameReader } from '../../src/codec/framing.ts'
import { elementsOf, readDialect } from './terminal.ts'

/** A fenced block of a Markdown page. */
export interface Block {
  /** All words after the fence: `http`, `sh run`, `json output`. */
  readonly kind: string
  readonly text: string
  /** Of its first line of text, from 1. */
  readonly line: number
}

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  const lines = markdown.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(.*)$/.exec(lines[at] ?? '')
    if (fence === null) continue
    const first = at + 1
    do at++
    while (at < lines.length && lines[at] !== '```')
    blocks.push({ kind: fence[1]!.trim(), text: lines.slice(first, at).join('\n'), line: first + 1 })
  }
  return blocks
}

/** What a page says that somebody sends, and what it says that comes back. */
export interface Example {
  readonly asks: Block
  /** Null: the page does not show it. */
  readonly answer: Block | null
}

const isIso = (kind: string): boolean => /^iso8583\b/.test(kind)

const isAsking = ({ kind, text }: Block): boolean =>
  kind === 'sh run' ||
  (kind === 'http' && !text.startsWith('HTTP/')) ||
  (isIso(kind) && text.startsWith('→')) ||
  kind === 'text frame'
const isAnswer = ({ kind, text }: Block): boolean =>
  kind.endsWith(' output') || (kind === 'http' && text.startsWith('HTTP/')) || (isIso(kind) && text.startsWith('←'))

export function examplesOf(markdown: string): Example[] {
  const blocks = blocksOf(markdown)
  return blocks.flatMap((asks, index) => {
    const next = blocks[index + 1]
    return isAsking(asks) ? [{ asks, answer: next !== undefined && isAnswer(next) ? next : null }] : []
  })
}

/** Where the running switch is that examples are tried on. */
export interface Target {
  readonly httpUrl: string
  readonly isoPort: number
  /** For `npx charsu`. */
  readonly environment: Readonly<Record<string, string>>
  /** What the page defines for its commands (`sh setup`): run before each of them. */
  readonly setup?: string
  /** Where commands are run; left out: in the repository. */
  readonly folder?: string
  /** Where `iso8583 secured` goes. */
  readonly secured?: SecuredLine
}

/** A connection to a listener with MAC and PIN. */
export interface SecuredLine {
  send(frame: Buffer): Promise<Buffer>
  close(): void
}

/** The values of this run for those that a page shows: ids, numbers and times that are new each time. */
export class Stand {
  readonly #real = new Map<string, string>()

  /** Throws where the page uses one value for what are two values in truth. */
  bind(shown: string, real: string): void {
    const known = this.#real.get(shown)
    if (known !== undefined && known !== real) throw new Error(`${shown} stands for both ${known} and ${real}`)
    this.#real.set(shown, real)
  }

  /** A text of the page with the values of this run. */
  real(text: string): string {
    let result = text
    for (const shown of [...this.#real.keys()].sort((one, other) => other.length - one.length)) {
      result = result.replaceAll(shown, this.#real.get(shown)!)
    }
    return result
  }
}

const moved = (text: string, { httpUrl, isoPort }: Target): string =>
  text.replaceAll('http://127.0.0.1:8080', httpUrl).replaceAll('127.0.0.1:8583', `127.0.0.1:${isoPort}`)

/** What came back, in the form in which a page shows it. */
export async function ask({ asks }: Example, target: Target, stand: Stand): Promise<string> {
  const text = stand.real(asks.text)
  if (asks.kind === 'sh run') return runShell(moved(`${target.setup ?? ''}\n${text}`, target), target)
  if (asks.kind === 'http') return sendHttp(text, target)
  const frame = asks.kind === 'text frame' ? bytesOfDump(text) : encodeFrame(defaultFraming, isoBytes(text, /^→ /))
  if (asks.kind.startsWith('iso8583 secured')) return `← ${rowsOf(await target.secured!.send(frame))}`
  return `← ${await sendIso(frame, target)}`
}

/** Some wait until something is done. */
const shellMsMax = 45_000

function runShell(script: string, { environment, folder: cwd = '.' }: Target): Promise<string> {
  const root = new URL('../../', import.meta.url).pathname
  return new Promise(resolve => {
    const command = script.replaceAll('npx charsu', `${root}bin/charsu`)
    const options = { cwd, env: { ...process.env, ...environment }, timeout: shellMsMax }
    // A refusal is an exit status of 1, and an answer all the same.
    execFile('/bin/sh', ['-c', command], options, (_error, stdout, stderr) =>
      resolve(stdout.trimEnd() || stderr.trimEnd()),
    )
  })
}

interface HttpText {
  readonly start: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

function httpOf(text: string): HttpText {
  const [head = '', ...rest] = text.split('\n\n')
  const [start = '', ...lines] = head.split('\n')
  const headers = lines.map(line => {
    const [name = '', ...value] = line.split(':')
    return [name.toLowerCase(), value.join(':').trim()] as const
  })
  return { start, headers: new Map(headers), body: rest.join('\n\n') }
}

async function sendHttp(text: string, { httpUrl }: Target): Promise<string> {
  const { start, headers, body } = httpOf(text)
  const [method = '', path = ''] = start.split(' ')
  const response = await fetch(httpUrl + path, { method, headers: Object.fromEntries(headers), body: body || null })
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`)
  return `HTTP/1.1 ${response.status} ${response.statusText}\n${lines.join('\n')}\n\n${await response.text()}`
}

const dialect = readDialect('iso87a')

/**
 * The bytes of a message that a page shows row by row: `→ 0200`, then `  bitmap  7220…`, `  2  16936400…  a remark`.
 * Throws unless each row has the element that it says, and packing what was read gives the same bytes.
 */
export function isoBytes(text: string, start: RegExp): Buffer {
  const [first = '', ...lines] = text.split('\n')
  const rows = lines.map(line => {
    const [, name, value] = /^ *(bitmap|\d+) {2}(\S+(?: \S+)*)/.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Error(`no element and bytes in "${line}"`)
    return { name, value }
  })
  const bytes = Buffer.from(first.replace(start, '') + rows.map(({ value }) => value).join(''), 'latin1')
  const read = dialect.unpack(bytes)
  if (!read.ok) throw new Error(`${first}: ${read.error.path} ${read.error.text}`)
  const elements = rows.slice(1).map(({ name }) => name)
  const found = Object.keys(elementsOf(read.message))
  if (elements.join() !== found.join()) throw new Error(`${first}: rows ${elements}, but the bitmap says ${found}`)
  for (const { name, value } of rows.slice(1)) {
    if (!value.endsWith(read.message.fields[Number.parseInt(name, 10)]!)) throw new Error(`${first}: ${name} is no row`)
  }
  if (!dialect.pack(read.message).equals(bytes)) throw new Error(`${first}: packs to other bytes`)
  return bytes
}

/** `0000  00 62 30 32  .b02`: the bytes between the offset and the text. */
export const bytesOfDump = (dump: string): Buffer =>
  Buffer.concat(dump.split('\n').map(line => Buffer.from(line.slice(6, 54).replace(/ /g, ''), 'hex')))

/** Sends one frame and gives the reply as pages show it, without the arrow. */
function sendIso(frame: Buffer, { isoPort }: Target): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FrameReader(defaultFraming)
    const socket = connect({ host: '127.0.0.1', port: isoPort })
    socket.setTimeout(10_000, () => socket.destroy(new Error('no reply in 10 s')))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('closed without a reply')))
    socket.on('data', chunk => {
      for (const { body } of reader.push(chunk as Buffer).frames) {
        resolve(rowsOf(body))
        socket.end()
      }
    })
    socket.write(frame)
  })
}

/** A message as pages show it, row by row. */
export function rowsOf(body: Buffer): string {
  const { message } = dialect.unpack(body)
  const text = body.toString('latin1')
  const bitmapLength = Number.parseInt(text.charAt(4), 16) >= 8 ? 32 : 16
  const rows = [`bitmap  ${text.slice(4, 4 + bitmapLength)}`]
  let at = 4 + bitmapLength
  for (const [element, value] of Object.entries(elementsOf(message))) {
    const end = text.indexOf(value, at) + value.length
    rows.push(`${element.padStart(6)}  ${text.slice(at, end)}`)
    at = end
  }
  return [message.mti, ...rows].join('\n')
}

/** Throws unless `real` is what the page shows; what is new each time only has to have the same form. */
export function compare(shown: Block, real: string, stand: Stand, target: Target): void {
  if (shown.kind === 'http') compareHttp(shown.text, real, stand)
  else if (shown.kind === 'json output') compareJson(parseShown(shown.text), JSON.parse(real), '', stand)
  else if (shown.kind === 'csv output') compareCsv(shown.text, real, stand)
  else if (isIso(shown.kind)) compareIso(shown.text, real, stand)
  else compareText(moved(shown.text, target), real, stand)
}

function compareHttp(shown: string, real: string, stand: Stand): void {
  const [expected, got] = [httpOf(shown), httpOf(real)]
  same(got.start, expected.start, 'status')
  for (const [name, value] of expected.headers) same(got.headers.get(name), value, name)
  if (expected.headers.get('content-type')?.startsWith('text/csv')) compareCsv(expected.body, got.body, stand)
  else if (expected.body !== '') compareJson(parseShown(expected.body), JSON.parse(got.body), '', stand)
}

function same(real: unknown, shown: unknown, at: string): void {
  if (real !== shown)
    throw new Error(`${at}: the page has ${JSON.stringify(shown)}, the switch ${JSON.stringify(real)}`)
}

/** What has a new value each time, and its form. */
const newEachTime: Readonly<Record<string, RegExp>> = {
  // Also what is named by its batch and place there.
  id: /^([0-9a-z]{6,}|\d+[-.]\d+)$/,
  original: /^[0-9a-z]{6,}$/,
  transactionId: /^[0-9a-z]{6,}$/,
  transaction: /^[0-9a-z]{6,}$/,
  rrn: /^[0-9A-Z]{12}$/,
  nextCursor: /^[\w-]{8,}$/,
  approvalCode: /^[0-9A-Z]{6}$/,
  businessDate: /^\d{4}-\d\d-\d\d$/,
  createdAt: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
  expiresAt: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
  closedAt: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
  postedAt: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
  time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
  lot: /^\d+$/,
  account: /^\d+$/,
  token: /^[0-9a-f]{32}$/,
  pan: /^\d{16}$/,
  last4: /^[0-9A-Z]{4}$/,
  codes: /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/,
  issuedAt: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
  day: /^\d{4}-\d\d-\d\d$/,
}
/** Of these, a value of the page stands for the same value of the run wherever it comes. */
const naming = ['id', 'original', 'transactionId', 'transaction', 'rrn', 'nextCursor', 'token', 'pan', 'codes']
const measured = ['ms', 'elapsedMs']

/** A `…` for a member that the page leaves out. */
const parseShown = (text: string): unknown => JSON.parse(text.replace(/,?\s*…/g, ', "…": true').replace(/\{\s*,/g, '{'))

function compareJson(shown: unknown, real: unknown, at: string, stand: Stand): void {
  const key = nameOf(at)
  const form = newEachTime[key]
  if (typeof shown === 'string' && typeof real === 'string' && form?.test(shown) && form.test(real)) {
    if (naming.includes(key)) stand.bind(shown, real)
    return
  }
  if (measured.includes(key) && typeof shown === 'number' && typeof real === 'number') return
  if (!isObject(shown) || !isObject(real)) {
    same(real, shown, at)
    return
  }
  if (Array.isArray(shown)) same((real as unknown as unknown[]).length, shown.length, `${at}/length`)
  const { '…': isPart, ...members } = shown
  if (isPart !== true) same(Object.keys(real).sort().join(), Object.keys(members).sort().join(), at)
  for (const [name, value] of Object.entries(members)) compareJson(value, real[name], `${at}/${name}`, stand)
  if (isPart !== true) same(holdSeconds(real), holdSeconds(members), `${at}: seconds from createdAt to expiresAt`)
}

/** The name of a member, or of the list that it is in; what a list of lots calls its id is a lot. */
function nameOf(at: string): string {
  const names = at.split('/').filter(name => !/^\d+$/.test(name))
  return names.at(-1) === 'id' && names.at(-2) === 'lots' ? 'lot' : (names.at(-1) ?? '')
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

function holdSeconds({ createdAt, expiresAt }: Readonly<Record<string, unknown>>): number | null {
  if (typeof createdAt !== 'string' || typeof expiresAt !== 'string') return null
  return Math.round((Date.parse(expiresAt) - Date.parse(createdAt)) / 1000)
}

function compareCsv(shown: string, real: string, stand: Stand): void {
  const rowsIn = (text: string): string[][] =>
    text
      .trim()
      .split(/\r?\n/)
      .map(line => line.split(','))
  const [expected, got] = [rowsIn(shown), rowsIn(real)]
  const names = expected[0] ?? []
  same(got.length, expected.length, 'lines')
  expected.forEach((row, index) => {
    same(got[index]!.length, row.length, `columns of line ${index + 1}`)
    row.forEach((value, column) => {
      const at = index === 0 ? '/header' : `/${names[column]}`
      compareJson(value, got[index]![column], at, stand)
    })
  })
}

/** DE37 names the transaction; the others only have their form. MACs and key blocks are checked by `docs-secured`. */
const newElements: Readonly<Record<number, RegExp>> = {
  15: /^\d{4}$/,
  37: /^[0-9A-Z]{12}$/,
  38: /^[0-9A-Z]{6}$/,
  48: /^M:B[^:]+:[0-9A-F]{6};P:B[^:]+:[0-9A-F]{6}$/,
  64: /^[0-9A-F]{16}$/,
  128: /^[0-9A-F]{16}$/,
}

function compareIso(shown: string, real: string, stand: Stand): void {
  const messageOf = (text: string) => dialect.unpack(isoBytes(text, /^← /)).message
  const [expected, got] = [messageOf(shown), messageOf(real)]
  same(got.mti, expected.mti, 'MTI')
  const [elements, values] = [elementsOf(expected), elementsOf(got)]
  same(Object.keys(values).join(), Object.keys(elements).join(), 'elements')
  for (const [element, value] of Object.entries(elements)) {
    const number = Number.parseInt(element, 10)
    if (!newElements[number]?.test(value)) same(values[number], value, `DE${element}`)
    else if (number === 37) stand.bind(value, values[number]!)
  }
}

/**
 * Line by line and word by word: the values of DE 7, 11, 15, 37 and 38 are new each time, and so are milliseconds and
 * the check values of new keys.
 */
function compareText(shown: string, real: string, stand: Stand): void {
  const got = real.split('\n')
  const expected = shown.split('\n')
  same(got.length, expected.length, 'lines')
  expected.forEach((line, index) => {
    const words = line.split(/ +/)
    const gotWords = got[index]!.split(/ +/)
    const element = /^ +(7|11|15|37|38) {2}/.exec(line)?.[1]
    words.forEach((word, at) => {
      const value = gotWords[at]
      const isLast = at === words.length - 1
      if (element !== undefined && isLast && value?.length === word.length) {
        if (word !== value && element !== '15' && element !== '38') stand.bind(word, value)
      } else if (words[at + 1] === 'ms' || (isLast && words[at - 1] === 'is')) return
      else if (isLast && words[at - 1] === 'value' && /^[0-9A-F]{6}$/.test(value ?? '')) return
      else same(value, stand.real(word), `line ${index + 1}`)
    })
    same(gotWords.length, words.length, `words of line ${index + 1}`)
  })
}
