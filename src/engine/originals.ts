import type { Catalog } from '../core/catalog.ts'
import type { Command } from '../core/commands.ts'
import type { Day, TransactionId } from '../core/ids.ts'
import { resolveKey, resolveKeyRange, resolveReference, resolveRrn } from '../store/batch/resolve.ts'
import type { Statement } from '../store/sql.ts'

/** The look-up of an original that is not named by an id or the key of a known day; null where none is needed. */
export function resolverOf(command: Command, catalog: Catalog, today: Day): Statement | null {
  if (command.kind !== 'confirm' && command.kind !== 'reverse' && command.kind !== 'refund') return null
  const { tenant, original } = command
  switch (original.by) {
    case 'id':
    case 'ambiguity':
      return null
    case 'key':
      return original.day === null ? resolveKey(tenant, original.key) : null
    case 'keyRange':
      return resolveKeyRange(tenant, original.from, original.to)
    case 'rrn':
    case 'reference': {
      const merchant = catalog.merchantsByCode.get(original.merchant)
      if (merchant === undefined) return null
      if (original.by === 'reference') return resolveReference(tenant, merchant.id, original.reference)
      return resolveRrn(tenant, merchant.id, original.rrn, today)
    }
  }
}

/** The command with its original named by what the look-up found: nothing found leaves it as it is. */
export function withOriginal(command: Command, ids: readonly TransactionId[]): Command {
  if (command.kind !== 'confirm' && command.kind !== 'reverse' && command.kind !== 'refund') return command
  if (command.original.by === 'reference') return { ...command, original: { ...command.original, ids } }
  const [id] = ids
  if (id === undefined) return command
  return { ...command, original: ids.length === 1 ? { by: 'id', id } : { by: 'ambiguity' } }
}

/**
 * Places of commands whose original an earlier command of the same batch may open: the look-up, which comes before the
 * decisions, cannot see it. They go to the next batch, or a reverse would pass by the authorize that it follows.
 */
export function waitingForEarlier(commands: readonly Command[]): ReadonlySet<number> {
  const opening = new Set<string>()
  const openingKeys: string[] = []
  const waiting = new Set<number>()
  commands.forEach((command, index) => {
    if (isNamedIn(command, opening, openingKeys)) waiting.add(index)
    if (command.kind !== 'authorize' && command.kind !== 'refund') return
    openingKeys.push(command.key)
    if (command.rrn !== null) opening.add(`rrn|${command.rrn}`)
    if (command.kind === 'authorize' && command.reference !== null) {
      opening.add(billName(command.merchant, command.reference))
    }
  })
  return waiting
}

function isNamedIn(command: Command, opening: ReadonlySet<string>, openingKeys: readonly string[]): boolean {
  if (command.kind !== 'confirm' && command.kind !== 'reverse' && command.kind !== 'refund') return false
  const { original } = command
  if (original.by === 'rrn') return opening.has(`rrn|${original.rrn}`)
  if (original.by === 'reference') return opening.has(billName(original.merchant, original.reference))
  return original.by === 'keyRange' && openingKeys.some(key => key >= original.from && key <= original.to)
}

const billName = (merchant: string, reference: string): string => `bill|${merchant}|${reference}`
