import type { Catalog, Funder, Program } from '../../core/catalog.ts'
import type { HolderName } from '../../core/lot-movements.ts'
import { type ApiKey, sees } from '../api-keys.ts'
import { tokenOf } from '../commands.ts'
import type { HttpDeps } from '../deps.ts'
import type { Refusal } from '../problem.ts'
import { parseId } from './lists.ts'

export interface NamedHolder {
  readonly cardholder?: string
  readonly cardholderReference?: string
  readonly card?: { readonly pan?: string; readonly token?: string; readonly code?: string }
}

/** The holder that a body names, in exactly one of the ways there are; or why there is none. */
export async function holderOf(
  body: NamedHolder,
  { tenant, organisation }: ApiKey,
  deps: HttpDeps,
): Promise<{ readonly holder: number } | { readonly refusal: Refusal }> {
  const names: { field: string; name: HolderName }[] = []
  const { cardholder, cardholderReference: reference, card } = body
  if (cardholder !== undefined) {
    names.push({ field: '/cardholder', name: { by: 'id', id: parseId(cardholder) ?? 0 } })
  }
  if (reference !== undefined) names.push({ field: '/cardholderReference', name: { by: 'reference', reference } })
  if (card !== undefined) names.push({ field: '/card', name: { by: 'token', token: tokenOf(card, deps.panKey) } })
  const [given] = names
  if (given === undefined || names.length > 1) {
    const message = 'must name the holder in one way: cardholder, cardholderReference or card'
    return { refusal: { reason: 'format_invalid', errors: [{ field: '/', message }] } }
  }
  const { name } = given
  // Ids are easily guessed: an organisation names people whom it has not paid for by what it knows of them.
  const isHidden =
    name.by === 'id' &&
    organisation !== null &&
    (await deps.admin.cards.cardholder(tenant, name.id, organisation)) === null
  const holder = isHidden ? null : await deps.admin.loads.holder(tenant, name)
  if (holder !== null) return { holder }
  return { refusal: { reason: 'not_found', errors: [{ field: given.field, message: 'names no holder' }] } }
}

/**
 * The place of the first of these ids that the asker may not name; -1: there is none. See `holderOf`. `schedule`: whose
 * members it may keep, loaded or not; null: there is none.
 */
export async function firstHidden(
  holders: readonly number[],
  { tenant, organisation }: ApiKey,
  { admin }: HttpDeps,
  schedule: number | null,
): Promise<number> {
  if (organisation === null) return -1
  const seen = await admin.loads.seen(tenant, { holders, only: organisation, schedule })
  return holders.findIndex(holder => !seen.has(holder))
}

/** The body as it is fingerprinted: a card by its token, since a number must not leave a trace. */
export const withoutNumber = <Body extends NamedHolder>(body: Body, { panKey }: HttpDeps): object =>
  body.card === undefined ? body : { ...body, card: { token: tokenOf(body.card, panKey) } }

export const fieldRefusal = (field: string, message: string): { readonly refusal: Refusal } => ({
  refusal: { reason: 'format_invalid', errors: [{ field, message }] },
})

export function programOf(code: string, catalog: Catalog, field = '/program') {
  const program = [...catalog.programsById.values()].find(one => one.code === code)
  return program === undefined ? fieldRefusal(field, 'is not a program here') : { program }
}

/**
 * Who pays: whom the body names, else whose program it is. The key of an organisation pays from that one only.
 */
export function funderOf(code: string | undefined, program: Program | null, apiKey: ApiKey, catalog: Catalog) {
  const found = funderNamed(code, program, catalog)
  if (found === undefined) {
    const message = code === undefined ? 'is required: the program has none' : 'is not an organisation here'
    return fieldRefusal('/funder', message)
  }
  if (!sees(apiKey, found.id)) {
    return { refusal: { reason: 'forbidden', detail: 'The API key does not speak for this organisation.' } as Refusal }
  }
  return { funder: found }
}

const funderNamed = (code: string | undefined, program: Program | null, catalog: Catalog): Funder | undefined =>
  code === undefined
    ? catalog.fundersById.get(program?.funder ?? 0)
    : [...catalog.fundersById.values()].find(one => one.code === code)
