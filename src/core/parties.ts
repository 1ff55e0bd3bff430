import type { Funder, Operation, Terminal } from './catalog.ts'
import type { Note } from './commands.ts'
import type { Micros } from './ids.ts'

export const statuses = ['active', 'suspended'] as const
export type Status = (typeof statuses)[number]

export const contracts = ['unlimited', 'prepaid', 'credit_line'] as const

/** An organisation as the admin API has it. Dates are `2026-11-21`. */
export interface Organisation {
  readonly id: number
  readonly code: string
  readonly name: string
  readonly contract: Funder['contract']
  readonly creditLimit: bigint
  readonly contractNumber: string | null
  readonly contractFrom: string | null
  readonly contractUntil: string | null
  readonly status: Status
  readonly version: number
  /** What it has paid in less what it has loaded. */
  readonly balance: bigint
}

export type NewOrganisation = Omit<Organisation, 'id' | 'version' | 'balance'>
export type OrganisationPatch = Partial<Omit<NewOrganisation, 'code'>>

/** What an organisation has paid in. */
export interface DepositRecord {
  /** The decision, by its batch and its place there. */
  readonly batch: number
  readonly index: number
  readonly at: Micros
  /** Below zero: paid back to it. */
  readonly amount: bigint
  readonly note: Note
}

/** Each null: any. */
export interface DepositFilter {
  readonly from: Micros | null
  readonly to: Micros | null
}

/** A merchant as the admin API has it. */
export interface MerchantRecord {
  readonly id: number
  readonly code: string
  readonly name: string
  readonly category: string | null
  readonly groups: readonly string[]
  /** IBAN, without blanks. */
  readonly settlementAccount: string | null
  /** Of the purchases that a settlement pays. */
  readonly feeMillionths: number
  readonly feeEach: bigint
  readonly status: Status
  readonly version: number
}

export type NewMerchant = Omit<MerchantRecord, 'id' | 'version'>
export type MerchantPatch = Partial<Omit<NewMerchant, 'code'>>

export const channels = ['pos', 'web', 'app'] as const
export const confirmations = ['explicit', 'implicit'] as const

/** A terminal as the admin API has it. */
export interface TerminalRecord {
  readonly code: string
  /** Code of its merchant. */
  readonly merchant: string
  readonly channel: (typeof channels)[number]
  readonly confirmation: Terminal['confirmation']
  readonly partial: boolean
  readonly confirmWithinSeconds: number | null
  readonly operations: readonly Operation[] | null
  readonly status: Status
  readonly version: number
}

export type NewTerminal = Omit<TerminalRecord, 'version'>
export type TerminalPatch = Partial<Omit<NewTerminal, 'code' | 'merchant'>>
