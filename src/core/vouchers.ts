import { dateOfDay } from './calendar.ts'
import type { Day, Micros } from './ids.ts'
import type { NewProgram, NewTerms } from './programs.ts'

export const vouchersMax = 100_000

/** Vouchers of one kind: each a code that is worth the same for the same time. */
export interface VoucherSeries {
  readonly id: number
  readonly version: number
  readonly name: string
  /** Code of their program, which is theirs alone. */
  readonly program: string
  readonly funder: string
  readonly count: number
  readonly amount: bigint
  readonly validFrom: Day | null
  readonly validUntil: Day
  /** The list that loads them. */
  readonly list: number
  readonly loaded: number
  /** Since when nobody can make the codes again. */
  readonly sealedAt: Micros | null
  readonly actor: string
  readonly madeAt: Micros
}

export interface NewSeries {
  readonly program: NewProgram
  readonly terms: NewTerms
  readonly funder: number
  readonly name: string
  readonly amount: bigint
  readonly validFrom: Day | null
  readonly validUntil: Day
  /** 64 hexadecimal digits. */
  readonly salt: string
  readonly count: number
  /** The token and last characters of the code with a serial number, from 1. */
  cardOf(serial: number): { readonly token: string; readonly last4: string }
}

/** The rules of a series, as the terms of its program have them. */
interface VoucherRules {
  readonly uses: 'single' | 'several'
  readonly validFrom: Day | null
  readonly validUntil: Day
  /** As in terms: where it may be used. */
  readonly where: unknown
  /** Only for these; null: for all. */
  readonly goods: readonly string[] | null
  readonly minimumBasket: number | null
}

/** A single use is one approved purchase, however much of the voucher it takes; a reversal gives it back. */
export const termsOfVouchers = ({
  uses,
  validFrom,
  validUntil,
  where,
  goods,
  minimumBasket,
}: VoucherRules): unknown => ({
  ...(where !== undefined && { where }),
  when: validFrom === null ? undefined : { dates: [{ from: dateOfDay(validFrom), until: dateOfDay(validUntil) }] },
  purchase: { minimum: minimumBasket, goods },
  limits: uses === 'single' ? [{ of: 'account', per: 'lifetime', count: 1 }] : [],
  expiry: { kind: 'date', date: dateOfDay(validUntil) },
})
