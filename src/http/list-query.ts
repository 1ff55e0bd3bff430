import type { Catalog } from '../core/catalog.ts'
import type { TransactionId } from '../core/ids.ts'
import { type Phase, phaseCodes } from '../core/phases.ts'
import { everyTransaction, type TransactionFilter } from '../store/reads/list-transactions.ts'
import { type ApiKey, speaksFor } from './api-keys.ts'
import { unknownParameter } from './auth.ts'
import { tellable } from './field-errors.ts'
import type { FieldError, Refusal } from './problem.ts'
import { referenceLengthMax } from './schemas/common.ts'
import { parseRfc3339 } from './times.ts'

export const pageLimits = { default: 50, max: 200 } as const

interface ListQuery {
  readonly filter: TransactionFilter
  readonly limit: number
  readonly before: TransactionId | null
}

/** What each parameter must be. */
const parameters = {
  reference: `must be 1 to ${referenceLengthMax} printable characters`,
  rrn: 'must be 12 letters and digits',
  terminal: 'is not a terminal here',
  merchant: 'is not a merchant here',
  phase: `must be one of ${Object.keys(phaseCodes).join(', ')}`,
  from: 'must be an RFC 3339 time such as 2026-11-21T08:30:00Z',
  to: 'must be an RFC 3339 time such as 2026-11-21T08:30:00Z',
  limit: `must be an integer from 1 to ${pageLimits.max}`,
  cursor: 'must be the nextCursor of a list',
} as const

type Parameter = keyof typeof parameters

/** Reads the query of a list. Every parameter that is unknown, given twice or no value of its kind is named. */
export function parseListQuery(query: unknown, apiKey: ApiKey, catalog: Catalog): ListQuery | { refusal: Refusal } {
  const given = query as Readonly<Record<string, unknown>>
  const errors: FieldError[] = []
  for (const name in given) {
    if (!Object.hasOwn(parameters, name)) errors.push({ field: tellable(name), message: unknownParameter })
  }
  const read = <Value>(name: Parameter, parse: (text: string) => Value | null): Value | null => {
    const text = given[name]
    if (text === undefined) return null
    const value = typeof text === 'string' ? parse(text) : null
    if (value === null) {
      errors.push({ field: name, message: Array.isArray(text) ? 'must be given once' : parameters[name] })
    }
    return value
  }
  const merchant = read('merchant', code => catalog.merchantsByCode.get(code) ?? null)
  const limit = read('limit', text => (/^[1-9]\d{0,2}$/.test(text) ? within(Number(text), pageLimits.max) : null))
  const before = read('cursor', parseCursor)
  const filter: TransactionFilter = {
    ...everyTransaction,
    merchants: merchant === null ? merchantIdsOf(apiKey, catalog) : [merchant.id],
    terminal: read('terminal', code => catalog.terminalsByCode.get(code)?.id ?? null),
    phase: read('phase', text => (Object.hasOwn(phaseCodes, text) ? (text as Phase) : null)),
    reference: read('reference', text => (isReference(text) ? text : null)),
    rrn: read('rrn', text => (/^[0-9A-Za-z ]{1,12}$/.test(text) ? text : null)),
    from: read('from', parseRfc3339),
    to: read('to', parseRfc3339),
  }
  if (errors.length > 0) return { refusal: { reason: 'format_invalid', errors } }
  if (merchant !== null && !speaksFor(apiKey, merchant.code)) return { refusal: { reason: 'forbidden' } }
  return { filter, limit: limit ?? pageLimits.default, before }
}

const isReference = (text: string): boolean =>
  text.length >= 1 && text.length <= referenceLengthMax && /^\P{C}*$/u.test(text)

const within = (value: number, max: number): number | null => (value <= max ? value : null)

/** Null: all. */
function merchantIdsOf({ merchants }: ApiKey, { merchantsByCode }: Catalog): number[] | null {
  if (merchants === '*') return null
  return merchants.flatMap(code => merchantsByCode.get(code)?.id ?? [])
}

/** A place in a list: below this id. */
export const cursorOf = (before: TransactionId): string => Buffer.from(String(before)).toString('base64url')

function parseCursor(cursor: string): TransactionId | null {
  if (!/^[\w-]{1,24}$/.test(cursor)) return null
  const text = Buffer.from(cursor, 'base64url').toString('latin1')
  if (!/^\d{1,16}$/.test(text)) return null
  const before = Number.parseInt(text, 10)
  return Number.isSafeInteger(before) && cursorOf(before) === cursor ? before : null
}
