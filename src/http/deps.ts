import type { KeyObject } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { Logger } from 'pino'
import type { Catalog } from '../core/catalog.ts'
import type { CommandKind } from '../core/commands.ts'
import type { Micros } from '../core/ids.ts'
import type { Phase } from '../core/phases.ts'
import type { Reason } from '../core/reasons.ts'
import type { Closing, SettlementRequest } from '../core/settlements.ts'
import type { Submit } from '../engine/result.ts'
import type { Reads } from '../store/reads/reads.ts'
import type { Admin } from './admin/admin.ts'
import type { ApiKeys } from './api-keys.ts'

/** Closing settlements, as the edges see it. */
interface Settlements {
  /**
   * Closes what is confirmed and in no settlement, and answers once lines and totals are durable: one settlement for
   * each merchant that had something to settle, none if there was nothing. Throws if the database is away; what was
   * closed by then stays closed, and asking again with the same key gets it.
   */
  close(request: SettlementRequest): Promise<Closing>
}

/** What the one log line of a transaction may say. There is no card in it, and no key. */
export interface TransactionLine {
  readonly channel: 'api'
  readonly tenant: number
  /** The id of the API key. */
  readonly client: number
  readonly command: CommandKind
  readonly transaction: string | null
  readonly rrn: string | null
  readonly merchant: string | null
  readonly terminal: string | null
  readonly amount: bigint | null
  readonly currency: string | null
  readonly phase: Phase | null
  readonly reason: Reason
  readonly responseCode: string
  readonly replayed: boolean
  /** From the request's arrival to the answer's leaving. */
  readonly elapsedMs: number
}

export interface RequestObservation {
  readonly method: string
  /** The pattern of the route, never the path itself: `/v1/transactions/:id`. */
  readonly route: string
  readonly status: number
  readonly elapsedMs: number
}

/** What the app tells whoever watches. Each is called for every request, so it must be quick, and must not throw. */
interface HttpObserver {
  /** After each answer to a command, stored refusals and repeats included. */
  onTransaction(line: TransactionLine): void
  onResponse(observation: RequestObservation): void
}

interface Readiness {
  readonly ok: boolean
  /** One short word for each part that was looked at: `{ database: 'up' }`. Everybody may read them. */
  readonly parts?: Readonly<Record<string, string>>
}

/** All that the HTTP edge needs from the rest of the switch. */
export interface HttpDeps {
  readonly submit: Submit
  readonly settlements: Settlements
  readonly reads: Reads
  readonly admin: Admin
  readonly apiKeys: ApiKeys
  catalogOf(tenant: number): Catalog | undefined
  /** Under which card numbers become tokens. */
  readonly panKey: KeyObject
  ready(): Readiness
  /** In the text format of Prometheus. */
  metricsText(): Promise<string>
  readonly observer: HttpObserver
  readonly logger: Logger
  /** Whether the demo keys are taken, from this machine. */
  readonly demo: boolean
  now(): Micros
  /** For the API's own description. */
  readonly version: string
}

export type HttpApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>
