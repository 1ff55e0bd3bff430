import type { Funder } from './catalog.ts'

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
