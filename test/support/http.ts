import { createSecretKey } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import pino from 'pino'
import type { Catalog, Program } from '../../src/core/catalog.ts'
import type { Command } from '../../src/core/commands.ts'
import { sha256Hex } from '../../src/crypto/hash.ts'
import type { Result } from '../../src/engine/result.ts'
import type { Admin } from '../../src/http/admin/admin.ts'
import { ApiKeys } from '../../src/http/api-keys.ts'
import { createHttpApp } from '../../src/http/app.ts'
import type { HttpApp, HttpDeps, RequestObservation, TransactionLine } from '../../src/http/deps.ts'
import { nowMicros } from '../../src/ops/clock.ts'
import type { ApiKeyRow } from '../../src/store/reads/api-keys.ts'
import type { Reads } from '../../src/store/reads/reads.ts'

export const panKey = createSecretKey(Buffer.alloc(32, 7))

const keyRow = (id: number, key: string, scopes: string[], merchants: string[], demo = false): ApiKeyRow => ({
  id,
  tenant: 1,
  hash: sha256Hex(key),
  scopes,
  merchants,
  label: key,
  role: null,
  organisation: null,
  demo,
})

const everything = ['transactions:write', 'transactions:read', 'balances', 'settlements']

export const apiKeyRows: readonly ApiKeyRow[] = [
  keyRow(1, 'pos-key', everything, ['*']),
  keyRow(2, 'second-merchant-key', everything, ['M00000000000002']),
  keyRow(3, 'reader-key', ['transactions:read'], ['*']),
  keyRow(4, 'metrics-key', ['metrics'], []),
  keyRow(5, 'demo-pos-key', everything, ['*'], true),
]

const asset = { id: 1, code: 'IRR', numeric: '364', scale: 0 }
const merchant = (id: number, code: string, name: string) => ({
  id,
  code,
  name,
  payable: -id,
  category: null,
  groups: [],
  isSuspended: false,
  fee: { millionths: 0, each: 0n },
})
const merchants = [merchant(1, 'M00000000000001', 'One'), merchant(2, 'M00000000000002', 'Two')]
const terminal = (id: number, code: string, merchant: number) =>
  ({
    id,
    code,
    merchant,
    confirmation: 'explicit',
    partial: false,
    confirmWithinSeconds: null,
    operations: null,
    isSuspended: false,
  }) as const
const terminals = [terminal(1, 'T0000001', 1), terminal(3, 'T0000003', 2)]
const program = (id: number, kind: 'credit' | 'welfare'): Program => ({
  id,
  code: kind,
  name: kind,
  kind,
  asset: 1,
  funder: 1,
  isClosed: false,
  versions: [],
})
const programs = [program(1, 'credit'), program(2, 'welfare')]
const funders = [
  {
    id: 1,
    code: 'bazaar',
    name: 'Bazaar',
    account: -3,
    contract: 'unlimited',
    creditLimit: 0n,
    contractFrom: null,
    contractUntil: null,
    isSuspended: false,
  } as const,
]

const by = <Item, Name extends keyof Item>(items: readonly Item[], name: Name): Map<Item[Name], Item> =>
  new Map(items.map(item => [item[name], item]))

export const catalog: Catalog = {
  tenant: {
    id: 1,
    code: 'bazaar',
    currency: asset,
    timeZone: 'Asia/Tehran',
    cutOverSeconds: 0,
    clearingAccount: -9,
    breakageAccount: -10,
    feesAccount: -11,
    calendar: 'persian',
    holidays: new Set(),
  },
  merchantsByCode: by(merchants, 'code'),
  merchantsById: by(merchants, 'id'),
  terminalsByCode: by(terminals, 'code'),
  terminalsById: by(terminals, 'id'),
  programsById: by(programs, 'id'),
  fundersById: by(funders, 'id'),
  assetsById: by([asset], 'id'),
}

const nothing: Reads = {
  transaction: async () => null,
  transactions: async () => ({ items: [], before: null }),
  card: async () => null,
  holder: async () => null,
  settlement: async () => null,
  async *settlementLines() {},
}

/** Tests of the admin API bring one over a real database: see `test/support/admin.ts`. */
const noAdmin = new Proxy({} as Admin, { get: (_target, name) => (name === 'then' ? undefined : {}) })

export interface TestApp {
  readonly app: HttpApp
  readonly port: number
  /** What was handed to the engine. */
  readonly commands: Command[]
  readonly lines: TransactionLine[]
  readonly responses: RequestObservation[]
  /** Everything that was logged, as text. */
  readonly log: string[]
  call(method: string, path: string, given?: CallOptions): Promise<Answer>
  close(): Promise<void>
}

export interface CallOptions {
  /** An API key; null: none. */
  readonly key?: string | null
  readonly idempotencyKey?: string
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of an answer, whose shape is what the tests check.
  readonly json: any
}

/** The HTTP edge on a real socket, over whatever engine `submit` stands for. */
export async function startHttp(
  submit: (command: Command) => Promise<Result>,
  given: Partial<HttpDeps> & { keyRows?: readonly ApiKeyRow[] } = {},
): Promise<TestApp> {
  const { keyRows = apiKeyRows, ...over } = given
  const commands: Command[] = []
  const lines: TransactionLine[] = []
  const responses: RequestObservation[] = []
  const log: string[] = []
  const apiKeys = new ApiKeys(async () => keyRows)
  await apiKeys.refresh()
  const app = await createHttpApp({
    submit: {
      submit: command => {
        commands.push(command)
        return submit(command)
      },
    },
    settlements: { close: async () => ({ kind: 'closed', settlements: [], replayed: false }) },
    reads: nothing,
    admin: noAdmin,
    apiKeys,
    catalogOf: tenant => (tenant === catalog.tenant.id ? catalog : undefined),
    panKey,
    ready: () => ({ ok: true }),
    metricsText: async () => '# no metrics\n',
    observer: { onTransaction: line => lines.push(line), onResponse: observation => responses.push(observation) },
    logger: pino({ level: 'trace' }, { write: text => log.push(text) }),
    demo: true,
    now: nowMicros,
    version: '0.0.0',
    ...over,
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return {
    app,
    port,
    commands,
    lines,
    responses,
    log,
    call: (method, path, options = {}) => send(port, method, path, options),
    close: () => app.close(),
  }
}

function send(port: number, method: string, path: string, options: CallOptions): Promise<Answer> {
  const { key = 'pos-key', idempotencyKey, body } = options
  const headers: Record<string, string> = {
    ...(key !== null && { authorization: `Bearer ${key}` }),
    ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...options.headers,
  }
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: '127.0.0.1', port, method, path, headers }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', part => {
        text += part
      })
      response.on('end', () => {
        const isJson = /json/.test(response.headers['content-type'] ?? '')
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: isJson && text !== '' ? JSON.parse(text) : null,
        })
      })
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(
      body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    )
  })
}
