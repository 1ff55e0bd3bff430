import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Page, PageRequest } from '../../core/admin.ts'
import { unknownParameter } from '../auth.ts'
import { csvRecord } from '../csv.ts'
import { tellable } from '../field-errors.ts'
import { type FieldError, sendProblem } from '../problem.ts'
import { parseRfc3339 } from '../times.ts'
import { sendJson } from './call.ts'
import { cellOf } from './csv-cells.ts'
import type { Render } from './items.ts'

export const listLimits = { default: 50, max: 500 } as const

/** A parameter of a list. */
export interface Filter<Value> {
  /** What it is, for the description of the API. */
  readonly about: string
  /** What its value must be, in plain words. */
  readonly must: string
  /** For the description of the API; left out: a text. */
  readonly schema?: object
  readonly example?: string
  /** Null: it is not that. */
  parse(text: string): Value | null
}

type Filters = Readonly<Record<string, Filter<unknown>>>
type Values<Given extends Filters> = {
  readonly [Name in keyof Given]: (Given[Name] extends Filter<infer Value> ? Value : never) | null
}

export const oneOf = <Name extends string>(about: string, names: readonly Name[]): Filter<Name> => ({
  about,
  must: `must be one of ${names.join(', ')}`,
  schema: { type: 'string', enum: names },
  parse: text => names.find(name => name === text) ?? null,
})

export const text = (about: string, lengthMax = 64): Filter<string> => ({
  about,
  must: `must be 1 to ${lengthMax} printable characters`,
  parse: given => (given.length >= 1 && given.length <= lengthMax && /^\P{C}*$/u.test(given) ? given : null),
})

export const time = (about: string): Filter<number> => ({
  about,
  must: 'must be an RFC 3339 time such as 2026-11-21T08:30:00Z',
  schema: { type: 'string', format: 'date-time' },
  example: '2026-11-21T08:30:00Z',
  parse: parseRfc3339,
})

/** An id: up to 15 digits. */
export const id = (about: string): Filter<number> => ({ about, must: 'must be an id', example: '42', parse: parseId })

/** The number of an id of digits; null if it is none. */
export const parseId = (digits: string): number | null =>
  /^[1-9][0-9]{0,14}$/.test(digits) ? Number.parseInt(digits, 10) : null

/**
 * What a cursor is of: the code or the id of the last item, its decision (batch and index), or its place: time, batch,
 * index and lot.
 */
type CursorOf = 'code' | 'id' | 'decision' | 'place'

interface List<Item, Given extends Filters> {
  readonly filters: Given
  readonly cursor: CursorOf
  read(values: Values<Given>, page: PageRequest): Promise<Page<Item>>
  readonly render: Render<Item>
  /** Of the CSV: see `columnsOf`. */
  readonly columns: readonly string[]
  /** Of the CSV file, without its ending. */
  readonly name: string
}

/**
 * Answers a list: a page as JSON, or, for `Accept: text/csv` or `format=csv`, everything from the cursor on as CSV.
 * Parameters that are unknown, given twice or no value of their kind are named.
 */
export async function answerList<Item, Given extends Filters>(
  request: FastifyRequest,
  reply: FastifyReply,
  list: List<Item, Given>,
): Promise<FastifyReply> {
  const parsed = parse(request.query as Readonly<Record<string, unknown>>, list)
  if ('errors' in parsed) return sendProblem(reply, { reason: 'format_invalid', errors: parsed.errors })
  const { values, page } = parsed
  const isCsv = parsed.format === 'csv' || (parsed.format === null && request.headers.accept === 'text/csv')
  if (!isCsv) {
    const { items, next } = await list.read(values, page)
    return sendJson(reply, 200, { items: items.map(list.render), nextCursor: next === null ? null : cursorOf(next) })
  }
  const first = await list.read(values, { ...page, limit: listLimits.max })
  return reply
    .header('Content-Type', 'text/csv; charset=utf-8')
    .header('Content-Disposition', `attachment; filename="${list.name}.csv"`)
    .send(Readable.from(csvOf(list, values, first)))
}

async function* csvOf<Item, Given extends Filters>(
  list: List<Item, Given>,
  values: Values<Given>,
  first: Page<Item>,
): AsyncGenerator<string> {
  yield csvRecord(list.columns)
  for (let page = first; ; ) {
    let chunk = ''
    for (const item of page.items) {
      const body = list.render(item)
      chunk += csvRecord(list.columns.map(column => cellOf(body, column)))
    }
    if (chunk !== '') yield chunk
    if (page.next === null) return
    page = await list.read(values, { limit: listLimits.max, after: page.next })
  }
}

type Parsed<Given extends Filters> =
  | { readonly values: Values<Given>; readonly page: PageRequest; readonly format: 'csv' | 'json' | null }
  | { readonly errors: readonly FieldError[] }

function parse<Given extends Filters>(
  given: Readonly<Record<string, unknown>>,
  { filters, cursor }: { readonly filters: Given; readonly cursor: CursorOf },
): Parsed<Given> {
  const parsed = parseQuery(given, { ...filters, ...pageFilters(cursor) } as Filters)
  if ('errors' in parsed) return parsed
  const { limit, cursor: after, format, ...rest } = parsed.values
  return {
    values: rest as Values<Given>,
    page: { limit: (limit as number | null) ?? listLimits.default, after: after as string | null },
    format: format as 'csv' | 'json' | null,
  }
}

/** The parameters of a query; those that are unknown, given twice or no value of their kind are errors. */
export function parseQuery<Given extends Filters>(
  given: Readonly<Record<string, unknown>>,
  filters: Given,
): { readonly values: Values<Given> } | { readonly errors: readonly FieldError[] } {
  const errors: FieldError[] = []
  for (const name in given) {
    if (!Object.hasOwn(filters, name)) errors.push({ field: tellable(name), message: unknownParameter })
  }
  const values: Record<string, unknown> = {}
  for (const [name, { must, parse }] of Object.entries(filters)) {
    const value = given[name]
    values[name] = typeof value === 'string' ? parse(value) : null
    if (value !== undefined && values[name] === null) {
      errors.push({ field: name, message: Array.isArray(value) ? 'must be given once' : must })
    }
  }
  return errors.length > 0 ? { errors } : { values: values as Values<Given> }
}

const pageFilters = (cursor: CursorOf) =>
  ({
    limit: {
      about: 'How many a page has at the most.',
      must: `must be an integer from 1 to ${listLimits.max}`,
      schema: { type: 'integer', minimum: 1, maximum: listLimits.max, default: listLimits.default },
      example: '100',
      parse: digits => {
        const limit = /^[1-9][0-9]{0,2}$/.test(digits) ? Number.parseInt(digits, 10) : 0
        return limit >= 1 && limit <= listLimits.max ? limit : null
      },
    },
    cursor: {
      about: 'The nextCursor of the page before.',
      must: 'must be the nextCursor of a list',
      parse: given => parseCursor(given, cursor),
    },
    format: oneOf('csv: everything from the cursor on, as CSV. So does `Accept: text/csv`.', ['csv', 'json']),
  }) satisfies Filters

const cursorOf = (last: string): string => Buffer.from(last).toString('base64url')

function parseCursor(cursor: string, of: CursorOf): string | null {
  const last = /^[\w-]{1,400}$/.test(cursor) ? Buffer.from(cursor, 'base64url').toString() : ''
  if (last === '' || cursorOf(last) !== cursor || /\p{C}/u.test(last)) return null
  if (of === 'place') return /^[0-9]{1,16}(?:\.[0-9]{1,16}){3}$/.test(last) ? last : null
  if (of === 'decision') return /^[0-9]{1,16}\.[0-9]{1,5}$/.test(last) ? last : null
  return of === 'code' || parseId(last) !== null ? last : null
}

/** The parameters of a list as the description of the API has them. */
export const listParameters = (filters: Filters): object[] => queryParameters({ ...filters, ...pageFilters('code') })

export const queryParameters = (filters: Filters): object[] =>
  Object.entries(filters).map(([name, { about, must, schema = { type: 'string' }, example }]) => ({
    name,
    in: 'query',
    required: false,
    description: `${about} It ${must}.`,
    schema,
    ...(example !== undefined && { example }),
  }))
