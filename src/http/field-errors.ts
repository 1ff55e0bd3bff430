import type { FastifySchemaValidationError } from 'fastify'
import { limits } from './limits.ts'
import type { FieldError } from './problem.ts'

/** Says in plain words what a field must be; the schemas carry it beside the rules that it puts into words. */
export const mustKeyword = 'x-must'

interface ValidationError extends FastifySchemaValidationError {
  readonly parentSchema?: Readonly<Record<string, unknown>>
}

/** One error a field, the first, naming the field by its JSON pointer. The body as a whole is `/`. */
export function fieldErrorsOf(errors: readonly ValidationError[]): FieldError[] {
  const byField = new Map<string, FieldError>()
  for (const error of errors) {
    if (isCount(error) && errors.some(other => isWithin(other, error))) continue
    const field = fieldOf(error)
    if (!byField.has(field)) byField.set(field, { field, message: messageOf(error) })
  }
  return [...byField.values()].slice(0, limits.fieldErrorsMax)
}

/** Too many fields or too few: it says less than that one of them is not known. */
const isCount = ({ keyword }: ValidationError): boolean => keyword === 'maxProperties' || keyword === 'minProperties'

const isWithin = (error: ValidationError, { instancePath }: ValidationError): boolean =>
  error.keyword === 'additionalProperties'
    ? error.instancePath === instancePath
    : error.instancePath.startsWith(`${instancePath}/`)

function fieldOf({ keyword, instancePath, params }: ValidationError): string {
  const name = keyword === 'required' ? params.missingProperty : params.additionalProperty
  if (typeof name !== 'string') return instancePath === '' ? '/' : instancePath
  return `${instancePath}/${tellable(name)}`
}

/** A name may be anything that a client sends: it is cut, and a card number in it is not repeated. */
export const tellable = (name: string): string => name.slice(0, 64).replace(/\p{Nd}{6,}/gu, '…')

function messageOf({ keyword, params, parentSchema }: ValidationError): string {
  switch (keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
      return 'is not a field of this request'
    case 'maximum':
      return `must be at most ${String(params.limit)}`
  }
  const must = parentSchema?.[mustKeyword]
  if (typeof must === 'string') return must
  if (keyword === 'type') return `must be ${nounOf(params.type)}`
  if (keyword === 'enum') return `must be one of ${(params.allowedValues as unknown[]).map(String).join(', ')}`
  return 'is not valid'
}

function nounOf(type: unknown): string {
  if (type === 'object') return 'a JSON object'
  if (type === 'boolean') return 'true or false'
  return type === 'integer' ? 'an integer' : `a ${String(type)}`
}
