type Cell = string | number | bigint | null

interface Schema {
  readonly properties?: Readonly<Record<string, unknown>>
  readonly items?: unknown
}

/**
 * The columns of a CSV of such bodies, in the order of the schema. What has parts has a column for each of them, named
 * `fee.percent`, and so has a list of such.
 */
export function columnsOf({ properties = {} }: Schema): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const { properties, items } = schema as Schema
    const parts = columnsOf({ properties: properties ?? (items as Schema | undefined)?.properties ?? {} })
    return parts.length === 0 ? name : parts.map(part => `${name}.${part}`)
  })
}

/** What stands in a column: of a list all values, with blanks between. */
export const cellOf = (body: unknown, column: string): Cell => textOf(valueAt(body, column.split('.')))

function valueAt(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined || value === null || value === undefined) return value
  if (Array.isArray(value)) return value.map(one => valueAt(one, [name, ...rest]))
  return valueAt((value as Readonly<Record<string, unknown>>)[name], rest)
}

function textOf(value: unknown): Cell {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value
  if (typeof value !== 'object') return String(value)
  // By itself it stays a number: two of them are a text, which a spreadsheet must not reckon with.
  if (Array.isArray(value) && value.length === 1) return textOf(value[0])
  if (Array.isArray(value) && value.every(isPlain)) return value.join(' ')
  return partsOf(value, '')
    .map(([name, text]) => `${name}: ${text}`)
    .join('; ')
}

/** What any parts are, for people: each with its name. Those of a list are numbered from 1. */
const partsOf = (value: object, prefix: string): (readonly [name: string, text: Cell])[] =>
  Object.entries(value).flatMap(([key, one]) => {
    const name = prefix + (Array.isArray(value) ? String(Number.parseInt(key, 10) + 1) : key)
    if (one === null || one === undefined) return []
    const isList = Array.isArray(one) && one.every(isPlain)
    return typeof one === 'object' && !isList ? partsOf(one, `${name}.`) : [[name, textOf(one)] as const]
  })

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null
