import type { Micros } from '../../core/ids.ts'

/** A value of a COPY row. Text is escaped, what is null is NULL. */
type CopyValue = string | number | bigint | null

/** One row in the text format of COPY, with its line end. */
export function copyLine(values: readonly CopyValue[]): string {
  let line = ''
  for (let index = 0; index < values.length; index++) {
    if (index > 0) line += '\t'
    const value = values[index] as CopyValue
    line += value === null ? '\\N' : typeof value === 'string' ? escaped(value) : value
  }
  return `${line}\n`
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

const escaped = (text: string): string =>
  /[\\\t\n\r]/.test(text) ? text.replace(/[\\\t\n\r]/g, found => escapes[found] as string) : text

/** Bytes of hexadecimal digits, as `copyLine` takes them. */
export const copyBytes = (hex: string | null): string | null => (hex === null ? null : `\\x${hex}`)

/** A moment to the microsecond. */
export function copyTime(at: Micros | null): string | null {
  if (at === null) return null
  const millis = Math.floor(at / 1000)
  return `${new Date(millis).toISOString().slice(0, -1)}${String(at - millis * 1000).padStart(3, '0')}Z`
}
