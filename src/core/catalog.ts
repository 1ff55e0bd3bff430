import type { AccountId } from './ledger.ts'

/**
 * What one tenant has set up: merchants, terminals, programs. It changes seldom and is small beside the cards, so a
 * whole copy is in memory; the decision gets it as an argument.
 */
export interface Catalog {
  readonly tenant: Tenant
  readonly merchantsByCode: ReadonlyMap<string, Merchant>
  readonly merchantsById: ReadonlyMap<number, Merchant>
  readonly terminalsByCode: ReadonlyMap<string, Terminal>
  readonly terminalsById: ReadonlyMap<number, Terminal>
  readonly programsById: ReadonlyMap<number, Program>
  readonly fundersById: ReadonlyMap<number, Funder>
  readonly assetsById: ReadonlyMap<number, Asset>
}

export interface Tenant {
  readonly id: number
  readonly code: string
  /** The asset that purchases are made in. */
  readonly currency: Asset
  /** IANA name, such as Asia/Tehran. */
  readonly timeZone: string
  /** Seconds after local midnight at which the business date moves on. */
  readonly cutOverSeconds: number
  /** The account that settlements move what is owed to merchants into, until it is paid out. */
  readonly clearingAccount: AccountId
}

/** Anything that can be counted in whole minor units: money, and later points and tickets. */
export interface Asset {
  readonly id: number
  /** Such as IRR. */
  readonly code: string
  /** ISO 4217 numeric code (DE49) of a currency, null otherwise. */
  readonly numeric: string | null
  /** Decimal places of the minor unit. */
  readonly scale: number
}

export interface Merchant {
  readonly id: number
  /** Card acceptor identification code (DE42). */
  readonly code: string
  readonly name: string
  /** What the tenant owes this merchant. */
  readonly payable: AccountId
}

export interface Terminal {
  readonly id: number
  /** Card acceptor terminal identification (DE41). */
  readonly code: string
  readonly merchant: number
  /** `implicit`: an approved 0200 is confirmed at once. It has no meaning over HTTP. */
  readonly confirmation: 'explicit' | 'implicit'
  /** Whether a partial approval (DE39 10) is understood there. */
  readonly partial: boolean
  readonly confirmWithinSeconds: number | null
}

export interface Program {
  readonly id: number
  readonly code: string
  readonly kind: 'credit' | 'welfare' | 'gift' | 'voucher'
  /** Lower is spent first. */
  readonly priority: number
  readonly confirmWithinSeconds: number | null
}

/** Who loaded a lot: the business itself or a sponsor organisation. */
export interface Funder {
  readonly id: number
  readonly code: string
  readonly account: AccountId
}
