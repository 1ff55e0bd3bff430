/** A named prepared statement with its values: what a room of SQL hands to a session. */
export interface Statement {
  readonly name: string
  readonly text: string
  readonly values: readonly (string | number | boolean | null)[]
  readonly rowMode: 'array'
}

export type Row = readonly (string | null)[]

export const statement = (name: string, text: string, values: Statement['values'] = []): Statement => ({
  name,
  text,
  values,
  rowMode: 'array',
})

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

/** The values of an array column that holds only integers: `{1,2,3}`. Null is empty. */
export const integersOf = (literal: string | null | undefined): string[] =>
  literal === null || literal === undefined || literal === '{}' ? [] : literal.slice(1, -1).split(',')

/** An id or a count, from the digits that PostgreSQL sends for a bigint. Money is never read this way. */
export const idOf = (digits: string | null | undefined): number => Number.parseInt(digits as string, 10)
export const idOrNull = (digits: string | null | undefined): number | null =>
  digits === null || digits === undefined ? null : idOf(digits)

/** A timestamptz column as microseconds since 1970. */
export const microsOf = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint`

/** Microseconds since 1970 as a timestamptz, exactly. */
export const timestampOf = (micros: string): string => `(timestamptz 'epoch' + ${micros} * interval '1 microsecond')`

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

/** The day that a transaction id carries. */
export const dayOfId = (id: string): string => `((${id} >> 39)::integer + 18262)`
