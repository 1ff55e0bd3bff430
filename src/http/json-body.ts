import type { FastifyInstance } from 'fastify'

/** JSON numbers written with a point or an exponent. It may also match within a string, which only costs time. */
const unusualNumber = /[:,[\s]-?\d+[.eE]/

/**
 * The value of a JSON text in which no number has been rounded: `1e3` and `1000.0` are 1000, but a number that is not a
 * whole one becomes NaN, even where reading it as a double would make it whole (`1.00000000000000000001`). Integers
 * beyond 2^53 stay beyond it, so that the schema's maximum refuses them. Throws a SyntaxError.
 */
export function parseExactJson(text: string): unknown {
  if (!unusualNumber.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_name: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && !isWhole(context?.source ?? '') ? Number.NaN : value,
  )
}

function isWhole(source: string): boolean {
  const [, integer = '', fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? []
  const digits = (integer + fraction).replace(/0+$/, '')
  const trailingZeros = integer.length + fraction.length - digits.length
  return digits === '' || trailingZeros - fraction.length + Number.parseInt(exponent, 10) >= 0
}

/** The body is not JSON. No more is said: the parser's own message quotes the body, which may hold a card number. */
export class MalformedJson extends Error {}

const noBody = Object.freeze({})

/** Takes JSON bodies only; an absent one reads as an empty object. */
export function useExactJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    const text = body.toString()
    if (text === '') return done(null, undefined)
    let value: unknown
    try {
      value = parseExactJson(text)
    } catch {
      return done(new MalformedJson())
    }
    done(null, value)
  })
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.body === undefined) request.body = noBody
    done()
  })
}
