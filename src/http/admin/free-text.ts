import { holdsCardNumber } from '../card-number.ts'
import type { HttpApp } from '../deps.ts'
import { type FieldError, sendProblem } from '../problem.ts'

/** Fields that people fill with words of their own, and that are stored, logged and told as they are. */
const freeTexts = ['reason', 'reference', 'cardholderReference', 'note', 'name', 'label', 'contractNumber'] as const

/** Of a body, the words that hold what may be a card number. */
export function cardNumbersIn(body: unknown): FieldError[] {
  if (typeof body !== 'object' || body === null) return []
  const given = body as Readonly<Record<string, unknown>>
  return freeTexts.flatMap(name => {
    const text = given[name]
    if (typeof text !== 'string' || !holdsCardNumber(text)) return []
    return [{ field: `/${name}`, message: 'must not look like a card number' }]
  })
}

/** Refuses card numbers in the words of admin calls, before anything of them is kept. */
export function refuseCardNumbers(app: HttpApp): void {
  app.addHook('preHandler', (request, reply, done) => {
    const isAdmin = request.routeOptions.url?.startsWith('/admin/v1/') === true
    const errors = isAdmin ? cardNumbersIn(request.body) : []
    if (errors.length === 0) return done()
    sendProblem(reply, { reason: 'format_invalid', errors })
  })
}
