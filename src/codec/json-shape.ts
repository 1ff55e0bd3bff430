/**
 * A dialect file that does not say what a dialect must: a JSON pointer to the place, what is expected there, and what
 * is there.
 */
export class DialectError extends Error {
  readonly path: string

  constructor(path: string, problem: string, value?: unknown) {
    super(`${path || '/'}: ${problem}${value === undefined ? '' : `, not ${JSON.stringify(value)}`}`)
    this.name = 'DialectError'
    this.path = path
  }
}

type JsonObject = { readonly [key: string]: unknown }

/** Readers of untyped JSON. `path` is the JSON pointer of the value; all throw DialectError. */
export function object(value: unknown, path: string, known?: readonly string[]): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DialectError(path, 'must be an object', value)
  }
  for (const key of Object.keys(value)) {
    if (known !== undefined && !known.includes(key)) {
      throw new DialectError(`${path}/${key}`, `is not known here; known are ${known.join(', ')}`)
    }
  }
  return value as JsonObject
}

export function text(value: unknown, path: string) {
  if (typeof value !== 'string' || value === '') throw new DialectError(path, 'must be a text that is not empty', value)
  return value
}

export function integer(value: unknown, path: string, min: number, max: number) {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new DialectError(path, `must be a whole number from ${min} to ${max}`, value)
  }
  return value
}

export function flag(value: unknown, path: string, fallback: boolean) {
  if (value === undefined) return fallback
  if (typeof value !== 'boolean') throw new DialectError(path, 'must be true or false', value)
  return value
}

export function oneOf<const Choice extends string>(value: unknown, path: string, choices: readonly Choice[]): Choice {
  const choice = choices.find(each => each === value)
  if (choice === undefined) throw new DialectError(path, `must be one of ${choices.join(', ')}`, value ?? null)
  return choice
}

export function optional<Value>(value: unknown, fallback: Value, read: (present: unknown) => Value) {
  return value === undefined ? fallback : read(value)
}
