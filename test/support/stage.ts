import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { expect } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { sha256Hex } from '../../src/crypto/hash.ts'
import { Engine } from '../../src/engine/engine.ts'
import { Executor } from '../../src/engine/executor.ts'
import { laneLimits } from '../../src/engine/lane.ts'
import { connectIsoClient, type IsoClient } from '../../src/iso8583/client.ts'
import { sweepLots } from '../../src/jobs/sweep-lots.ts'
import { type RunningSwitch, startSwitch } from '../../src/main.ts'
import { elapsedSeconds, nowMicros } from '../../src/ops/clock.ts'
import { createLog } from '../../src/ops/log.ts'
import { audit } from '../../src/store/audit.ts'
import { openCatalogs } from '../../src/store/catalog.ts'
import { Session } from '../../src/store/session.ts'
import { createDatabase } from './database.ts'
import { type Elements, elementsOf, merchantOne, messageOf, readDialect, terminalOne } from './terminal.ts'

export interface StageAnswer {
  readonly status: number
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of an answer, whose shape is what the tests check.
  readonly json: any
  readonly isReplayed: boolean
}

export interface Given {
  readonly key?: string
  readonly idempotencyKey?: string
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** A holder with a card, as the calls of a till and the messages of a terminal name it. */
export interface Person {
  readonly cardholder: string
  readonly cardId: string
  readonly pan: string
  readonly card: { readonly token: string }
}

export interface LoadWish {
  readonly program: string
  readonly amount: number
  readonly funder?: string
  readonly expiresAt?: string | null
}

const quiet = () => undefined
const dialect = readDialect('iso87a')

/** Two whole switches with the demo tenant at one database: HTTP, ISO 8583, jobs and the admin API. */
export async function startBehaviourStage() {
  const database = await createDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'charsu-behaviours-'))
  const given = { DATABASE_URL: database.url, DATA_DIR: folder, PORT: '0', ISO_PORT: '0' }
  const start = (): Promise<RunningSwitch> =>
    startSwitch(loadConfig(given), createLog('error', { write: text => process.stderr.write(text) }))
  const one = await start()
  const two = await start()
  const pool = new pg.Pool({ connectionString: database.url, max: 2 })
  pool.on('error', quiet)
  const catalogs = await openCatalogs(pool)
  const engine = new Engine({
    laneCount: 1,
    limits: laneLimits,
    connect: async () => {
      const session = await Session.connect(database.url)
      return new Executor({ session, hash: sha256Hex, clock: { elapsed: elapsedSeconds, now: nowMicros } })
    },
    catalogOf: tenant => catalogs.byTenant.get(tenant),
    elapsed: elapsedSeconds,
    events: { batch: quiet, fault: quiet, away: quiet, back: quiet },
  })
  const clients = await Promise.all(
    [one, two].map(({ isoPorts }) => connectIsoClient({ host: '127.0.0.1', port: isoPorts[0]!, dialect })),
  )
  const stage = new BehaviourStage({ one, two, pool, clients })
  return Object.assign(stage, {
    /** What the job does, at once. Answers how many lots were due. */
    async sweep(): Promise<number> {
      await catalogs.refresh()
      return sweepLots(pool, engine, 1)
    },
    async close(): Promise<void> {
      await Promise.all(clients.map(client => client.close()))
      await engine.close()
      await two.stop()
      await one.stop()
      await pool.end()
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  })
}
export type Stage = Awaited<ReturnType<typeof startBehaviourStage>>

interface Parts {
  readonly one: RunningSwitch
  readonly two: RunningSwitch
  readonly pool: pg.Pool
  readonly clients: readonly IsoClient[]
}

class BehaviourStage {
  readonly pool: pg.Pool
  readonly #parts: Parts
  #stan = 0

  constructor(parts: Parts) {
    this.#parts = parts
    this.pool = parts.pool
  }

  async #send(url: string, method: string, path: string, given: Given): Promise<StageAnswer> {
    const { key = 'demo-pos-key', idempotencyKey = randomUUID(), body, headers = {} } = given
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(method === 'POST' && { 'idempotency-key': idempotencyKey }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    })
    const text = await response.text()
    return {
      status: response.status,
      text,
      json: /json/.test(response.headers.get('content-type') ?? '') && text !== '' ? JSON.parse(text) : null,
      isReplayed: response.headers.get('idempotent-replayed') === 'true',
    }
  }

  /** As a till of the demo, at the first switch. */
  call(method: string, path: string, given: Given = {}): Promise<StageAnswer> {
    return this.#send(this.#parts.one.httpUrl, method, path, given)
  }

  /** As the operator. Throws unless it is done. */
  async admin(method: string, path: string, body?: unknown): Promise<StageAnswer> {
    const given = { key: 'demo-admin-key', ...(body !== undefined && { body }) }
    const answer = await this.call(method, `/admin/v1${path}`, given)
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.text}`)
    return answer
  }

  /** A program of its own, with cards of its own range. */
  async program(code: string, kind: string, terms: object = {}, funder = 'bazaar'): Promise<void> {
    await this.admin('POST', '/programs', { code, name: code, kind, funder, bin: '936411', terms })
  }

  /** Somebody with a new virtual card and these loads, in this order. */
  async person(...loads: readonly LoadWish[]): Promise<Person> {
    const cardholder = (await this.admin('POST', '/cardholders', {})).json.id
    const program = loads[0]?.program ?? 'credit'
    const { id, token } = (await this.admin('POST', '/cards', { cardholder, program, kind: 'virtual' })).json
    const { pan } = (await this.admin('POST', `/cards/${id}/reveal`)).json
    for (const load of loads) await this.load(cardholder, load)
    return { cardholder, cardId: id, pan, card: { token } }
  }

  /** Answers the lot. */
  async load(cardholder: string, load: LoadWish): Promise<string> {
    return (await this.admin('POST', '/loads', { cardholder, ...load })).json.lot
  }

  purchase({ card }: Pick<Person, 'card'>, amount: number, over: object = {}, given: Given = {}) {
    const body = { card, amount, currency: 'IRR', merchant: merchantOne, terminal: terminalOne, ...over }
    return this.call('POST', '/v1/transactions', { ...given, body })
  }

  /** Throws unless all of it is approved. */
  async paid(person: Pick<Person, 'card'>, amount: number, over: object = {}): Promise<StageAnswer> {
    const answer = await this.purchase(person, amount, over)
    expect(answer.json).toMatchObject({ reason: 'approved' })
    return answer
  }

  follow(id: string, what: 'confirm' | 'reverse' | 'refund', body: object = {}, given: Given = {}) {
    return this.call('POST', `/v1/transactions/${id}/${what}`, { ...given, body })
  }

  /** What is on the card, by program, at the first merchant unless another is named. */
  async balances({ card }: Pick<Person, 'card'>, merchant = merchantOne) {
    const { json } = await this.call('POST', '/v1/balance-inquiries', { body: { card, merchant } })
    return Object.fromEntries(json.items.map(({ program, ...rest }: { program: string }) => [program, rest]))
  }

  /** A message at the first switch, or at the other one: `0` is the MTI of the reply. */
  async iso(mti: string, elements: Elements, at: 0 | 1 = 0): Promise<Record<number, string>> {
    const reply = await this.#parts.clients[at]!.send(messageOf(mti, elements))
    return { 0: reply.mti, ...elementsOf(reply) }
  }

  /** Elements of a new request for 1,000 rials. */
  elements(pan: string, over: Elements = {}): Elements {
    this.#stan += 1
    const sentAt = new Date(nowMicros() / 1000).toISOString().replace(/^.{5}(..)-(..)T(..):(..):(..).*$/, '$1$2$3$4$5')
    return {
      2: pan,
      3: '000000',
      4: '000000001000',
      7: sentAt,
      11: String(this.#stan).padStart(6, '0'),
      41: terminalOne,
      42: merchantOne,
      49: '364',
      ...over,
    }
  }

  async rows(text: string, values: readonly unknown[] = []): Promise<Record<string, string>[]> {
    return (await this.pool.query(text, [...values])).rows
  }

  /** What is on each lot of a holder, as text: `posted`, or `posted-held` where something is held. */
  async lots({ cardholder }: Pick<Person, 'cardholder'>): Promise<string[]> {
    const rows = await this.rows(
      `SELECT (credits_posted - debits_posted)::text || CASE WHEN debits_pending > 0 THEN '-' || debits_pending
         ELSE '' END AS value FROM lots WHERE tenant = 1 AND holder = $1 ORDER BY lot`,
      [cardholder],
    )
    return rows.map(({ value }) => value ?? '')
  }

  /** Lets the lots of a holder that are to expire do so now: not before, for some may have been spent a moment ago. */
  async expire({ cardholder }: Pick<Person, 'cardholder'>): Promise<void> {
    await this.pool.query(
      `UPDATE lots SET expires_at = clock_timestamp(), sweep_due = clock_timestamp()
       WHERE tenant = 1 AND holder = $1 AND sweep_due IS NOT NULL`,
      [cardholder],
    )
  }

  /** What the audit finds. */
  async broken(): Promise<string[]> {
    const broken: string[] = []
    for await (const { name, offenders } of audit(this.#parts.one.databaseUrl)) {
      if (offenders.length > 0) broken.push(`${name}: ${offenders}`)
    }
    return broken
  }
}

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** A moment so many milliseconds from now, as a request names it. */
export const inMs = (ms: number): string => new Date(nowMicros() / 1000 + ms).toISOString()

/** Waits until a moment has passed. */
export const until = (time: string): Promise<void> => sleep(Math.max(0, Date.parse(time) - nowMicros() / 1000) + 20)
