import type { Micros } from '../core/ids.ts'

export type ElementType = 'bigint' | 'integer' | 'smallint' | 'uuid' | 'text' | 'bytea' | 'timestamptz' | 'tid'

/**
 * The values of an array parameter. A bigint may be given as a safe integer; a uuid and a bytea are hexadecimal digits,
 * a timestamptz is microseconds since 1970, a tid is a place as `RowReader` tells it.
 */
export interface Column {
  readonly type: ElementType
  readonly values: readonly (number | bigint | string | null)[]
}

type Scalar = string | number | boolean | null
export type Value = Scalar | Column

export const isColumn = (value: Value): value is Column => typeof value === 'object' && value !== null

/** Lists of numbers, one for each row: all in one column, and where in it (from 1) each list begins and ends. */
interface Lists {
  readonly numbers: Column
  readonly first: Column
  readonly last: Column
}

/**
 * `write` adds the numbers of an item. In SQL a row's list is `numbers[first:last]`, a copy of memory where a literal
 * would have to be read digit by digit; the empty list is NULL.
 */
export function listsOf<Item>(
  lists: readonly (readonly Item[])[],
  write: (numbers: (number | bigint)[], item: Item) => void,
): Lists {
  const numbers: (number | bigint)[] = []
  const first: (number | null)[] = []
  const last: (number | null)[] = []
  for (const list of lists) {
    first.push(list.length === 0 ? null : numbers.length + 1)
    for (const item of list) write(numbers, item)
    last.push(list.length === 0 ? null : numbers.length)
  }
  return { numbers: bigints(numbers), first: integers(first), last: integers(last) }
}

/** A named prepared statement with its values: what a room of SQL hands to a session. */
export interface Statement<V extends Value = Value> {
  readonly name: string
  readonly text: string
  readonly values: readonly V[]
  readonly rowMode: 'array'
}

export type Row = readonly (string | null)[]

export const statement = <V extends Value>(name: string, text: string, values: readonly V[] = []): Statement<V> => ({
  name,
  text,
  values,
  rowMode: 'array',
})

export const bigints = (values: readonly (number | bigint | null)[]): Column => ({ type: 'bigint', values })
export const integers = (values: readonly (number | null)[]): Column => ({ type: 'integer', values })
export const smallints = (values: readonly (number | null)[]): Column => ({ type: 'smallint', values })
export const uuids = (values: readonly string[]): Column => ({ type: 'uuid', values })
export const texts = (values: readonly (string | null)[]): Column => ({ type: 'text', values })
export const byteas = (values: readonly (string | null)[]): Column => ({ type: 'bytea', values })
export const timestamps = (values: readonly (Micros | null)[]): Column => ({ type: 'timestamptz', values })
export const places = (values: readonly (number | null)[]): Column => ({ type: 'tid', values })

/** An array literal of values that need no quoting: numbers, bigints, hexadecimal digits. Null is NULL. */
export function arrayOf(values: readonly (number | bigint | string | boolean | null)[]): string {
  let literal = '{'
  for (let index = 0; index < values.length; index++) {
    if (index > 0) literal += ','
    literal += values[index] ?? 'NULL'
  }
  return `${literal}}`
}

/** An array literal of any text. */
export function arrayOfText(values: readonly (string | null)[]): string {
  return `{${values.map(value => (value === null ? 'NULL' : `"${value.replaceAll(/["\\]/g, '\\$&')}"`)).join(',')}}`
}

/**
 * Arrays of one length side by side as rows, for FROM: each is a name, the parameter and its type, in the order of the
 * parameters (`key uuid, day integer`). Unnested in the select list they go straight from the arrays into the rows;
 * FROM unnest(a, b) would first store every array by itself, which costs as much as a third of an insert.
 */
export const rowsOf = (first: number, columns: string, fixed = ''): string => {
  const unnested = columns.split(/,\s+/).map((column, index) => {
    const [name, type] = column.split(/\s+/)
    return `unnest($${first + index}::${type}[]) AS ${name}`
  })
  return `(SELECT ${fixed}${unnested.join(', ')} OFFSET 0)`
}

/** The same, with the tenant, `$1`, as a column: as a constant it makes the planner scan a table without statistics. */
export const rowsOfTenant = (first: number, columns: string): string =>
  rowsOf(first, columns, '$1::integer AS tenant, ')

/**
 * Ends a statement that has written the rows of the CTE `moved`: fails unless they are as many as `$n`. The function is
 * only called to fail, since to call it costs a small batch as much as to write a row.
 */
export const expectMoved = (parameter: number, what: string): string =>
  `SELECT CASE WHEN count(*) <> $${parameter}::bigint THEN expect_rows(count(*), $${parameter}::bigint, '${what}') END
   FROM moved`

/** The values of an array column that holds only integers: `{1,2,3}`. Null is empty. */
export const integersOf = (literal: string | null | undefined): string[] =>
  literal === null || literal === undefined || literal === '{}' ? [] : literal.slice(1, -1).split(',')

/** An id or a count, from the digits that PostgreSQL sends for a bigint. Money is never read this way. */
export const idOf = (digits: string | null | undefined): number => Number.parseInt(digits as string, 10)
export const idOrNull = (digits: string | null | undefined): number | null =>
  digits === null || digits === undefined ? null : idOf(digits)

/**
 * A timestamptz column as microseconds since 1970. Exact until the year 2106: `date_part` is a double, a third of the
 * price of the numeric that `extract` is, and the two roundings are less than half a microsecond.
 */
export const microsOf = (column: string): string => `(date_part('epoch', ${column}) * 1000000)::bigint`

/** Microseconds since 1970 as a timestamptz, exactly. */
export const timestampOf = (micros: string): string => `(timestamptz 'epoch' + ${micros} * interval '1 microsecond')`

/** The same of a parameter, worked out once and not for each row. */
export const timestampOfParameter = (parameter: string): string => `(SELECT ${timestampOf(`${parameter}::bigint`)})`

/** The first and the last of some days: as parameters they keep the partitions of all others out of a plan's run. */
export interface DaySpan {
  readonly first: number
  readonly last: number
}

export const spanOf = (days: readonly number[]): DaySpan => {
  let [first = 0] = days
  let last = first
  for (const day of days) {
    if (day < first) first = day
    if (day > last) last = day
  }
  return { first, last }
}

/**
 * What is put behind `decisions` or `transactions`, and behind a statement's name, to go straight to the partition of
 * the one day that all rows are of: planning, locking and pruning all the others costs a small batch as much as its
 * rows. Empty, which is the whole table, where they are of several days or their day has no partition.
 */
export const partitionOf = ({ first, last }: DaySpan, days: ReadonlySet<number>): string =>
  first === last && days.has(first) ? `_${first}` : ''

/** The day (UTC, since 1970) that a timestamptz is of. */
export const dayOfTime = (time: string): string => `floor(extract(epoch FROM ${time}) / 86400)::integer`

/** The day that a transaction id carries. */
export const dayOfId = (id: string): string => `((${id} >> 39)::integer + 18262)`
