import { type TSchema, Type } from 'typebox'
import { amountMax } from '../../amounts.ts'
import { Id, must } from '../../schemas/common.ts'

export const closed = { additionalProperties: false } as const

/** The code by which people and files name something: it never changes. */
export const Code = (description: string, example: string, lengthMax = 40) =>
  Type.String({
    pattern: `^[A-Za-z0-9][A-Za-z0-9._-]{0,${lengthMax - 1}}$`,
    description,
    examples: [example],
    ...must(`must be 1 to ${lengthMax} letters, digits, dots, hyphens and underscores`),
  })

export const Name = (description: string, example: string, lengthMax = 200) =>
  Type.String({
    pattern: `^[^\\p{Cc}\\p{Cs}]{1,${lengthMax}}$`,
    description,
    examples: [example],
    ...must(`must be 1 to ${lengthMax} characters without control characters`),
  })

/** An amount in a request, zero or more. */
export const AmountOrZero = (description: string) =>
  Type.Integer({
    minimum: 0,
    maximum: amountMax,
    description: `${description} In minor units of the currency.`,
    examples: [5000000],
    ...must('must be an integer, zero or more'),
  })

/** An amount in a request, above or below zero. */
export const SignedAmount = (description: string) =>
  Type.Integer({
    minimum: -amountMax,
    maximum: amountMax,
    not: { const: 0 },
    description: `${description} In minor units of the currency.`,
    examples: [5000000],
    ...must('must be an integer other than zero'),
  })

export const Choice = <Word extends string>(words: readonly Word[], description: string, example = words[0]) =>
  Type.Unsafe<Word>({ type: 'string', enum: [...words], description, examples: [example] })

/** A field that may be given as null. */
export const OrNull = <Schema extends TSchema>(schema: Schema) =>
  Type.Unsafe<Type.Static<Schema> | null>({
    ...schema,
    type: [(schema as { type?: unknown }).type, 'null'],
    ...(Array.isArray((schema as { enum?: unknown }).enum) && {
      enum: [...(schema as { enum?: unknown[] }).enum!, null],
    }),
  })

/** The body of a 204, beside others that are there. */
export const Gone = Type.Null()

export const Version = () => Type.Integer({ description: 'Moves with every change: the ETag.', examples: [1] })

export const ListOf = (items: TSchema) =>
  Type.Object({
    items: Type.Array(items),
    nextCursor: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'Give it as `cursor` to get the next page; null: this is the last.',
      examples: [null],
    }),
  })

export const CodeParams = Type.Object({ code: Type.String({ description: 'Its code.', examples: ['snapp'] }) })
export const IdParams = Type.Object({ id: Id('Its id.', '42') })

/** The names of a body, in the order of its schema. */
export const namesOf = (schema: { readonly properties: Readonly<Record<string, unknown>> }): string[] =>
  Object.keys(schema.properties)
