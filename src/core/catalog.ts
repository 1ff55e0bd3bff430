import type { Day } from './ids.ts'
import type { AccountId } from './ledger.ts'
import type { TermsVersion } from './terms.ts'

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
  /** Takes what is left on lots that have expired. */
  readonly breakageAccount: AccountId
  /** Takes what merchants pay for being settled. */
  readonly feesAccount: AccountId
  /** Decides where weeks begin. */
  readonly calendar: 'gregorian' | 'persian'
  /** Local days. */
  readonly holidays: ReadonlySet<Day>
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
  readonly category: string | null
  readonly groups: readonly string[]
  readonly isSuspended: boolean
  /** Of what a settlement pays for purchases: so many millionths, and so much for each of them. */
  readonly fee: { readonly millionths: number; readonly each: bigint }
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
  /** What may be asked for there; null: everything. */
  readonly operations: readonly Operation[] | null
  readonly isSuspended: boolean
}

export const operations = ['purchase', 'preauthorization', 'refund', 'inquiry'] as const
export type Operation = (typeof operations)[number]

export const programKinds = ['credit', 'welfare', 'gift', 'voucher'] as const

export interface Program {
  readonly id: number
  readonly code: string
  readonly name: string
  readonly kind: (typeof programKinds)[number]
  readonly asset: number
  /** Who pays for loads that do not say it. */
  readonly funder: number | null
  /** Nothing is loaded or spent any more. */
  readonly isClosed: boolean
  /** In the order in which they were made. */
  readonly versions: readonly TermsVersion[]
}

/** Who loads lots: the business itself or a sponsor organisation. */
export interface Funder {
  readonly id: number
  readonly code: string
  readonly name: string
  readonly account: AccountId
  /** `prepaid`: loads only what it has paid in; `credit_line`: that, and up to its credit limit beyond. */
  readonly contract: 'unlimited' | 'prepaid' | 'credit_line'
  readonly creditLimit: bigint
  /** Local days on which its contract is in force, both included; null: open. What was loaded may be spent after. */
  readonly contractFrom: Day | null
  readonly contractUntil: Day | null
  /** Nothing is loaded from it any more; what was loaded may be spent. */
  readonly isSuspended: boolean
}
