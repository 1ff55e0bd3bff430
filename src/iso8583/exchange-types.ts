import type { KeyObject } from 'node:crypto'
import type { Dialect } from '../codec/dialect.ts'
import type { Tenant } from '../core/catalog.ts'
import type { Micros } from '../core/ids.ts'
import type { Reason } from '../core/reasons.ts'
import type { Submit } from '../engine/result.ts'
import type { IdentityRule, TerminalCommand } from './command.ts'
import type { FrameLog } from './frame-log.ts'
import type { KeyExchange } from './key-exchange.ts'
import type { MacGuard } from './mac-guard.ts'
import type { PinCheck } from './pin-check.ts'
import type { SignOns } from './sign-ons.ts'

/** The part of a pino logger that the edge uses. */
export interface Log {
  debug(fields: object, sentence: string): void
  info(fields: object, sentence: string): void
  warn(fields: object, sentence: string): void
  error(fields: object, sentence: string): void
}

/** One message and what came of it, for the log and the counters. Nothing in it is more of a card than its token. */
export interface ExchangeRecord {
  readonly mti: string
  readonly kind: TerminalCommand['kind'] | 'edge'
  /** Null: no reply was sent, because there may be an effect. */
  readonly reason: Reason | null
  readonly de39: string | null
  readonly replayed: boolean
  readonly tenant: number | null
  readonly terminal: string | null
  readonly merchant: string | null
  readonly stan: string
  readonly rrn: string | null
  readonly amount: string | null
  readonly card: string | null
  readonly transaction: number | null
  readonly micros: number
}

/** Where a message came from. Exactly one of the two is called, once, for each message. */
export interface Sender {
  /** Address and port, for the log. */
  readonly peer?: string
  /** Null: there is no answer. */
  finish(body: Buffer | null, tpdu: Buffer | undefined): void
  /** It cannot be understood, so no more is read from there. `details` has nothing of the message in it. */
  reject(details: object): void
}

export interface ExchangeDeps {
  readonly submit: Submit
  readonly panKey: KeyObject
  readonly log: Log
  /** Once for each message that was answered, or met with silence: the line in the log, and the counters. */
  onExchange(record: ExchangeRecord): void
  tenantOf(tenant: number): Tenant | undefined
  now(): Micros
}

export interface ExchangeSettings {
  readonly dialect: Dialect
  /** A tenant's id, or the tenant of each acquiring institution (DE32). */
  readonly tenant: number | ReadonlyMap<string, number>
  readonly identity: IdentityRule
  /** Left out: MACs are neither looked at nor made. */
  readonly mac?: MacGuard | undefined
  /** Left out: a PIN is not looked at. */
  readonly pin?: PinCheck | undefined
  /** Left out: nobody has to sign on. */
  readonly signOns?: SignOns | undefined
  /** Left out: keys are not exchanged. */
  readonly keyExchange?: KeyExchange | undefined
  /** Left out: frames are not logged. */
  readonly frameLog?: FrameLog | undefined
}
