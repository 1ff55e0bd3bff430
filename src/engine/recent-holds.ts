import type { Command } from '../core/commands.ts'
import type { TransactionId } from '../core/ids.ts'
import type { Transaction } from '../core/transactions.ts'
import type { Result } from './result.ts'

type Holds = Map<TransactionId, { readonly tenant: number; readonly hold: Transaction }>

/**
 * Holds that this process has just approved, as they were stored: nearly every one is confirmed once, and soon, and its
 * confirm need not read it again. What anybody else has done to it meanwhile is found out when it is written: it has
 * another version then. Each is given out once; it forgets by halves.
 */
export class RecentHolds {
  readonly #half: number
  #holds: Holds = new Map()
  #older: Holds = new Map()

  constructor(max: number) {
    this.#half = max / 2
  }

  /** A new hold is remembered; one about which anything else was decided is forgotten. */
  note(command: Command, result: Result): void {
    if (result.kind !== 'decided' || result.transaction === null) return
    const { transaction, replayed } = result
    if (command.kind !== 'authorize' || replayed || transaction.phase !== 'authorized') {
      this.#forget(transaction.id)
      return
    }
    if (this.#holds.size >= this.#half) {
      this.#older = this.#holds
      this.#holds = new Map()
    }
    this.#holds.set(transaction.id, { tenant: command.tenant, hold: transaction })
  }

  /** The hold that a command confirms; null if it is no confirm, or the hold is not remembered. */
  take(command: Command): Transaction | null {
    if (command.kind !== 'confirm' || command.original.by !== 'id') return null
    const { id } = command.original
    const found = this.#holds.get(id) ?? this.#older.get(id)
    if (found === undefined || found.tenant !== command.tenant) return null
    this.#forget(id)
    return found.hold
  }

  #forget(id: TransactionId): void {
    this.#holds.delete(id)
    this.#older.delete(id)
  }
}
