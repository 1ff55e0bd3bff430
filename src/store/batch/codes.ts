import type { CommandKind } from '../../core/commands.ts'
import type { Card, Transaction } from '../../core/transactions.ts'

/** What the database keeps as a small number is an index into these; new ones are added at the end. */
export const commandKinds: readonly CommandKind[] = [
  'authorize',
  'confirm',
  'reverse',
  'refund',
  'expire',
  'inquire',
  'load',
  'settle',
  'close',
  'clawback',
  'adjust',
  'transfer',
  'breakage',
  'deposit',
]

export const transactionKinds: readonly Transaction['kind'][] = ['purchase', 'preauthorization', 'refund']

export const cardStatuses: readonly Card['status'][] = ['active', 'blocked', 'inactive', 'replaced', 'closed']

const indexOf = <Name>(names: readonly Name[]): Map<Name, number> => new Map(names.map((name, index) => [name, index]))
const commandCodes = indexOf(commandKinds)
const transactionCodes = indexOf(transactionKinds)

export const commandCodeOf = (kind: CommandKind): number => commandCodes.get(kind) as number
export const transactionCodeOf = (kind: Transaction['kind']): number => transactionCodes.get(kind) as number
