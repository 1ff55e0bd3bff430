import { dayOfDate } from './calendar.ts'
import { hasCheckDigit } from './card-numbers.ts'
import { latinDigits, mobileOf, nationalCodeOf } from './cardholders.ts'
import type { Day } from './ids.ts'
import { type HolderField, holderFields, type LoadColumns, type LoadField } from './load-columns.ts'
import { dayOfPersianDate } from './months.ts'

/** Why a line of a list cannot be loaded, beside the reasons that the engine has. */
export const lineReasons = {
  holder_missing: 'names no holder',
  holder_unknown: 'names no holder that is known',
  holder_ambiguous: 'is that of more than one holder',
  reference_invalid: 'must be 1 to 64 characters, and must not look like a card number',
  card_invalid: 'must be a card number',
  national_invalid: 'must be a national code of ten digits',
  mobile_invalid: 'must be a mobile number such as 09121234567',
  amount_invalid: 'must be a positive amount in the unit of the currency',
  program_unknown: 'is not a program here',
  program_missing: 'is needed: neither the line nor the file says which program',
  funder_missing: 'is needed: neither the file nor the program says who pays',
  program_closed: 'is closed',
  organisation_suspended: 'is suspended',
  expiry_invalid: 'must be a date such as 2026-12-31 or 1405/12/29',
  credit_expired: 'must be later than today',
  duplicate_in_file: 'is there before, for the same program',
  funding_insufficient: 'is more than the organisation has left under its contract',
  card_blocked: 'has no card that can be used',
  account_frozen: 'is frozen in this program',
} as const
export type LineReason = keyof typeof lineReasons

export interface LoadRow {
  /** As a spreadsheet counts its rows: the first is 1. */
  readonly line: number
  /** What names the holder, in the one form that the switch knows it by; null: nothing does. */
  readonly who: { readonly by: HolderField; readonly text: string } | null
  /** In minor units. */
  readonly amount: bigint | null
  /** Code of the program; null: that of the whole file. */
  readonly program: string | null
  /** The last day on which it may be spent; null: as the whole file has it. */
  readonly expiry: Day | null
  /** The first thing that is wrong with the line; null: nothing is. */
  readonly error: { readonly field: LoadField | 'holder'; readonly reason: LineReason } | null
}

/** Lines below the titles; those without anything in a known column are left out. `scale`: decimals of the currency. */
export function* readLoadRows(
  rows: readonly (readonly string[])[],
  columns: LoadColumns,
  scale: number,
): Generator<LoadRow> {
  const used = Object.values(columns.at)
  for (let index = columns.row + 1; index < rows.length; index++) {
    const row = rows[index] as readonly string[]
    if (used.some(at => (row[at] ?? '').trim() !== '')) yield readRow(row, index + 1, columns, scale)
  }
}

function readRow(row: readonly string[], line: number, { at }: LoadColumns, scale: number): LoadRow {
  const cell = (field: LoadField): string => {
    const index = at[field]
    return index === undefined ? '' : (row[index] ?? '').trim()
  }
  const who = whoOf(cell)
  const amount = amountOf(cell('amount'), scale)
  const expiry = cell('expiry') === '' ? null : dayOf(cell('expiry'))
  const program = cell('program')
  const error: LoadRow['error'] =
    who === null
      ? { field: 'holder', reason: 'holder_missing' }
      : who.isValid === false
        ? { field: who.by, reason: `${who.by}_invalid` }
        : amount === null
          ? { field: 'amount', reason: 'amount_invalid' }
          : program.length > 64
            ? { field: 'program', reason: 'program_unknown' }
            : cell('expiry') !== '' && expiry === null
              ? { field: 'expiry', reason: 'expiry_invalid' }
              : null
  return {
    line,
    who: who === null || !who.isValid ? null : { by: who.by, text: who.text },
    amount,
    program: program === '' || program.length > 64 ? null : program,
    expiry,
    error,
  }
}

function whoOf(cell: (field: LoadField) => string): { by: HolderField; text: string; isValid: boolean } | null {
  for (const by of holderFields) {
    const given = cell(by)
    if (given === '') continue
    const text = identifiers[by](given)
    return { by, text: text ?? '', isValid: text !== null }
  }
  return null
}

const signs = /[\s\u200c\u200e\u200f'_-]/g

/** Each kind of identifier in the form that holders are found by; null: it is none. */
const identifiers: Readonly<Record<HolderField, (given: string) => string | null>> = {
  reference: given => (/^[^\p{Cc}\p{Cs}]{1,64}$/u.test(given) && !isCardNumber(digitsOf(given)) ? given : null),
  card: given => (isCardNumber(digitsOf(given)) ? digitsOf(given) : null),
  national: nationalCodeOf,
  mobile: mobileOf,
}

const digitsOf = (given: string): string => latinDigits(given).replace(signs, '')
const isCardNumber = (digits: string): boolean => /^[0-9]{12,19}$/.test(digits) && hasCheckDigit(digits)

/**
 * A positive amount in minor units, from what people and spreadsheets write: `1,250,000`, `۱٬۲۵۰٬۰۰۰ ریال`, `1.25E+6`,
 * `1250000.00`. Null: it is none, or has more decimals than the currency, or is beyond 15 digits.
 */
export function amountOf(given: string, scale: number): bigint | null {
  const text = latinDigits(given)
    .replace(/ریال|rials?|irr/i, '')
    .replace(/[\s\u200c\u200e\u200f_']/g, '')
    .replaceAll('\u066b', '.')
  // Separators of thousands stand before groups of three, or are none.
  const isGrouped = /^[0-9]{1,3}(?:[,\u066c\u060c][0-9]{3})+(?:\.[0-9]+)?$/.test(text)
  const isDotted = /^[0-9]{1,3}(?:\.[0-9]{3}){2,}$/.test(text)
  const plain = isGrouped ? text.replace(/[,\u066c\u060c]/g, '') : isDotted ? text.replaceAll('.', '') : text
  const [, whole = '', fraction = '', exponent = '0'] =
    /^([0-9]+)(?:\.([0-9]*))?(?:e\+?([0-9]{1,2}))?$/i.exec(plain) ?? []
  const shift = Number.parseInt(exponent, 10) + scale - fraction.replace(/0+$/, '').length
  if (whole === '' || shift < 0 || shift > 20) return null
  const amount = BigInt(whole + fraction.replace(/0+$/, '')) * 10n ** BigInt(shift)
  return amount > 0n && amount < 10n ** 15n ? amount : null
}

/** A date of either calendar: a year below 1700 is a Persian one. */
export function dayOf(given: string): Day | null {
  const [, year = '', month = '', day = ''] =
    /^([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})$/.exec(latinDigits(given).trim()) ?? []
  if (year === '') return null
  if (Number.parseInt(year, 10) < 1700) {
    return dayOfPersianDate(Number.parseInt(year, 10), Number.parseInt(month, 10), Number.parseInt(day, 10))
  }
  return dayOfDate(`${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`)
}
