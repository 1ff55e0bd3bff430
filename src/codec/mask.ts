import type { DialectFormat, FieldFormat, MaskClass } from './dialect-format.ts'
import type { Composite, Message } from './message.ts'

const hidden = '****'
/** The shortest PAN of ISO/IEC 7812-1 whose first six and last four still leave something hidden. */
const panDigitsMin = 12
const tailMin = 8

/** A value as a log or a screen may show it. A hidden value does not even tell its length. */
export function maskValue(value: string, mask: MaskClass): string {
  if (mask === 'clear') return value
  if (mask === 'pan' && value.length >= panDigitsMin) return keepEnds(value, 6, 4)
  if (mask === 'tail' && value.length >= tailMin) return keepEnds(value, 0, 4)
  return hidden
}

/**
 * A message for display: `mti`, then `2`, `55.9F26` and so on, in wire order. Fails closed: what the dialect does not
 * define, or gives no mask class, is hidden, and the header is never shown.
 */
export function maskMessage(format: DialectFormat, { mti, fields, composites }: Message): Map<string, string> {
  const shown = new Map([['mti', /^\d{4}$/.test(mti) ? mti : hidden]])
  const count = Math.max(fields.length, ...(composites?.keys() ?? []).map(number => number + 1))
  for (let number = 0; number < count; number++) {
    const value = fields[number] ?? composites?.get(number)
    if (value !== undefined) show(shown, String(number), value, format.fields.get(number))
  }
  return shown
}

function show(shown: Map<string, string>, path: string, value: string | Composite, field: FieldFormat | undefined) {
  if (typeof value === 'string') {
    shown.set(path, field?.children === undefined ? maskValue(value, field?.mask ?? 'hidden') : hidden)
    return
  }
  for (const [key, child] of value) show(shown, `${path}.${key}`, child, childFormat(field, key))
}

function childFormat(field: FieldFormat | undefined, key: string) {
  const children = field?.children
  if (children === undefined) return undefined
  return children.kind === 'bitmap' ? children.fields.get(Number.parseInt(key, 10)) : children.fields.get(key)
}

const keepEnds = (value: string, first: number, last: number) =>
  value.slice(0, first) + '*'.repeat(value.length - first - last) + value.slice(value.length - last)
