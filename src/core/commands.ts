import type { Day, Micros, TransactionId } from './ids.ts'
import type { AccountId } from './ledger.ts'

/** 32 lower-case hexadecimal digits: 16 bytes that name a request for ever. See `core/keys.ts`. */
export type Key = string

/** 32 lower-case hexadecimal digits: the keyed hash of a PAN. The PAN itself does not come further than an edge. */
export type CardToken = string

/**
 * Who asks. It decides the custom by which a goal that is already reached is answered: a terminal is told 00, an API
 * client gets a conflict with the transaction as it stands.
 */
export type Channel = 'terminal' | 'api' | 'switch'

/**
 * What an edge found of the PIN that came with a request. The PIN and its block stay there. `unverifiable`: the block
 * could not be read, or there is nothing to check it against; `replayed`: its key serial number was used before.
 */
export type PinVerdict = 'verified' | 'wrong' | 'unverifiable' | 'replayed'

interface Request {
  readonly tenant: number
  readonly channel: Channel
  readonly key: Key
  /** The day under which the key is stored: that of DE7 for a terminal; null: the day on which it is first seen. */
  readonly day: Day | null
  /** Fingerprint of what may not differ under the same key. See `core/content.ts`. */
  readonly content: string
}

/** How a command names the transaction it is about. */
export type Original =
  | { readonly by: 'id'; readonly id: TransactionId }
  /** The key of the request that opened or confirmed it. `day` null: any day. */
  | { readonly by: 'key'; readonly key: Key; readonly day: Day | null }
  /** The only key between these two, of the last 24 hours: DE90 without the time of the original. */
  | { readonly by: 'keyRange'; readonly from: Key; readonly to: Key }
  /** DE37 and DE42. */
  | { readonly by: 'rrn'; readonly merchant: string; readonly rrn: string }
  /**
   * The merchant's own number of the bill: the attempt in force is meant, else the latest that was not refused. The
   * engine adds the ids of all attempts, the latest first.
   */
  | {
      readonly by: 'reference'
      readonly merchant: string
      readonly reference: string
      readonly ids?: readonly TransactionId[]
    }
  /** The name fits more than one transaction: what the engine makes of such an original before it decides. */
  | { readonly by: 'ambiguity' }

export interface Authorize extends Request {
  readonly kind: 'authorize'
  readonly merchant: string
  readonly terminal: string
  readonly card: CardToken
  /** Code (IRR) or ISO 4217 number (364) of the currency. */
  readonly currency: string
  readonly amount: bigint
  readonly purpose: 'purchase' | 'preauthorization'
  /** true: confirm in the same decision; `terminal`: as the terminal is set up. */
  readonly capture: boolean | 'terminal'
  /** Whether a part of the amount may be approved; `terminal`: as the terminal is set up. */
  readonly partial: boolean | 'terminal'
  /** What welfare credit may pay for; null: all of it. */
  readonly eligibleAmount: bigint | null
  /** What is bought, as far as programs ask for it; null: not said. */
  readonly basket: readonly BasketLine[] | null
  readonly confirmWithinSeconds: number | null
  readonly reference: string | null
  /** DE37 of the terminal; null: the switch makes one. */
  readonly rrn: string | null
  /** DE11; null over HTTP. */
  readonly stan: number | null
  /** Left out: no PIN came with it. It is no part of the content: a repeat may be enciphered afresh. */
  readonly pin?: PinVerdict
}

/** Goods of one kind, and what is to be paid for them. */
export interface BasketLine {
  readonly goods: string
  readonly amount: bigint
}

interface FollowUp extends Request {
  readonly original: Original
  /** Merchant codes that the asker speaks for. */
  readonly merchants: '*' | readonly string[]
  /** The card in the message, if it has one: it must be that of the original. */
  readonly card: CardToken | null
  /** The currency in the message, if it has one: it must be the one that is accepted here. */
  readonly currency: string | null
}

export interface Confirm extends FollowUp {
  readonly kind: 'confirm'
  /** null: the whole hold. */
  readonly amount: bigint | null
}

export interface Reverse extends FollowUp {
  readonly kind: 'reverse'
  /** `all`; `off`: take this amount off; `to`: leave this amount in force. */
  readonly extent: { readonly by: 'all' } | { readonly by: 'off' | 'to'; readonly amount: bigint }
  /** The amount of the original, where the message says it (DE4). */
  readonly originalAmount: bigint | null
}

export interface Refund extends FollowUp {
  readonly kind: 'refund'
  /** null: all that can be refunded. */
  readonly amount: bigint | null
  readonly terminal: string | null
  readonly rrn: string | null
  readonly stan: number | null
}

export interface Inquire extends Request {
  readonly kind: 'inquire'
  readonly merchant: string
  readonly terminal: string
  readonly card: CardToken
  readonly currency: string
  readonly pin?: PinVerdict
}

/** The switch's own reverse of a hold that nobody confirmed in time. */
export interface Expire extends Request {
  readonly kind: 'expire'
  readonly id: TransactionId
}

/** Why value was moved outside a purchase, and who asked for it: kept with each change of a lot. */
export interface Note {
  readonly reason: string | null
  readonly reference: string | null
  readonly actor: string | null
}

/** Puts value on a new lot, from the account of its funder. */
export interface Load extends Request {
  readonly kind: 'load'
  readonly holder: number
  readonly program: number
  readonly funder: number
  readonly amount: bigint
  /** `terms`: as the program has it; null: never. */
  readonly expiresAt: Micros | null | 'terms'
  readonly note: Note
}

/** Takes unspent value of a holder's program back to its funders: from the lots that expire last. */
export interface Clawback extends Request {
  readonly kind: 'clawback'
  readonly holder: number
  readonly program: number
  /** Only what this funder has loaded; null: any. */
  readonly funder: number | null
  /** null: all that is unspent. */
  readonly amount: bigint | null
  readonly note: Note
}

/** Corrects one lot, from or to the account of its funder. */
export interface Adjust extends Request {
  readonly kind: 'adjust'
  readonly holder: number
  readonly lot: AccountId
  /** Below zero: takes value off, as far as it is not held or spent. Never zero. */
  readonly amount: bigint
  readonly note: Note
}

/** Moves unspent value to another holder or program; it keeps its funder, and the sooner expiry of the two. */
export interface Transfer extends Request {
  readonly kind: 'transfer'
  readonly holder: number
  readonly program: number
  readonly toHolder: number
  readonly toProgram: number
  /** null: all that is unspent. */
  readonly amount: bigint | null
  readonly note: Note
}

/** The switch's own booking of what is left on a lot that has expired. */
export interface Breakage extends Request {
  readonly kind: 'breakage'
  readonly holder: number
  readonly lot: AccountId
}

/** Records what an organisation has paid in; below zero: what was paid back to it. */
export interface Deposit extends Request {
  readonly kind: 'deposit'
  readonly organisation: number
  readonly amount: bigint
  readonly note: Note
}

/** Moves what a settlement owes (or, if negative, is owed) from the merchant to clearing. */
export interface Settle extends Request {
  readonly kind: 'settle'
  readonly merchant: string
  readonly net: bigint
  /** What the merchant pays for it, out of the net. */
  readonly fee: bigint
}

/** Takes the key of a request to close settlements: it moves nothing by itself. */
export interface Close extends Request {
  readonly kind: 'close'
}

export type Command =
  | Authorize
  | Confirm
  | Reverse
  | Refund
  | Inquire
  | Expire
  | Load
  | Clawback
  | Adjust
  | Transfer
  | Breakage
  | Deposit
  | Settle
  | Close
export type CommandKind = Command['kind']
