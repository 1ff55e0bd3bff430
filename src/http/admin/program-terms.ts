import { type NewTerms, newTermsOf, type TermsRecord } from '../../core/programs.ts'
import { sha256Hex } from '../../crypto/hash.ts'
import type { FieldError } from '../problem.ts'
import { parseRfc3339, rfc3339 } from '../times.ts'
import { type Carried, carriedRefusal, type Executor } from './approvals.ts'

/** Terms may name ten thousand merchants: a body with them is longer than others. */
export const termsBytesMax = 1024 * 1024

/** What waits for a second person: the request as it came. */
interface TermsWish {
  readonly program: string
  readonly startsAt: string | null
  readonly terms: unknown
}

/** A request for other terms, read; or what is wrong with it. */
export function termsOf({ startsAt, terms: json }: Omit<TermsWish, 'program'>): NewTerms | { errors: FieldError[] } {
  const errors: FieldError[] = []
  const start = startsAt === null ? null : parseRfc3339(startsAt)
  if (startsAt !== null && start === null) {
    errors.push({ field: '/startsAt', message: 'must be an RFC 3339 time such as 2026-11-21T08:30:00Z' })
  }
  const read = newTermsOf(json)
  if ('errors' in read) errors.push(...read.errors)
  return 'errors' in read || errors.length > 0 ? { errors } : { ...read, startsAt: start }
}

export const termsBody = ({ program, version, startsAt, madeAt, madeBy, terms }: TermsRecord) => ({
  program,
  version,
  startsAt: rfc3339(startsAt),
  madeAt: rfc3339(madeAt),
  madeBy,
  terms,
})

/** Carries out a change of terms that a second person has approved. What was to start by now starts at once. */
export const carryOutTerms: Executor = async ({ id, asker, key, content, request }, { deps }): Promise<Carried> => {
  const wish = request as TermsWish
  const terms = termsOf(wish)
  if ('errors' in terms) return carriedRefusal({ reason: 'format_invalid', errors: terms.errors })
  const creation = {
    actor: asker,
    // The key of the request has the approval as its answer.
    key: sha256Hex(`terms ${key}`).slice(0, 32),
    content,
    bodyOf: (item: TermsRecord) => JSON.stringify(termsBody(item)),
    approval: id,
  }
  const created = await deps.admin.programs.changeTerms(creation, wish.program, terms, 'now')
  if (created.kind === 'refused') return carriedRefusal(created)
  if (created.kind === 'other_content') throw new Error('an approval was carried out with other content')
  await deps.admin.refresh()
  return { status: created.status, body: JSON.parse(created.body) }
}
