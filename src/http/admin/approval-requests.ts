import type { Catalog } from '../../core/catalog.ts'
import { rfc3339 } from '../times.ts'

/** Fields of a stored request that go by another name in the API. */
const names: Readonly<Record<string, string>> = {
  holder: 'cardholder',
  toHolder: 'toCardholder',
  holders: 'cardholders',
  minute: 'time',
}

/** What waits, as the API names things: whoever decides reads codes, not our ids. */
export function tellRequest(request: unknown, catalog: Catalog | undefined): object {
  const { note, ...fields } = request as Readonly<Record<string, unknown>>
  const told: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(fields)) {
    // Of holders there are a list, or a word that says which.
    const name = field === 'holders' && !Array.isArray(value) ? field : (names[field] ?? field)
    if (!(field === 'expiresAt' && value === 'terms')) told[name] = tellValue(field, value, catalog)
  }
  const { reason, reference } = (note ?? {}) as { readonly reason?: unknown; readonly reference?: unknown }
  return note === undefined ? told : { ...told, reason, reference }
}

function tellValue(field: string, value: unknown, catalog: Catalog | undefined): unknown {
  if (field === 'amount' && typeof value === 'string') return Number(value)
  if (field === 'members') return (value as [number, string | null][]).map(tellMember)
  if (field === 'holders' && Array.isArray(value)) return value.map(String)
  if (typeof value !== 'number') return value
  switch (field) {
    case 'program':
    case 'toProgram':
      return catalog?.programsById.get(value)?.code ?? String(value)
    case 'funder':
      return catalog?.fundersById.get(value)?.code ?? String(value)
    case 'holder':
    case 'toHolder':
    case 'lot':
      return String(value)
    case 'expiresAt':
      return rfc3339(value)
    case 'minute':
      return `${String(Math.floor(value / 60)).padStart(2, '0')}:${String(value % 60).padStart(2, '0')}`
  }
  return value
}

const tellMember = ([holder, amount]: readonly [number, string | null]) => ({
  cardholder: String(holder),
  ...(amount !== null && { amount: Number(amount) }),
})
