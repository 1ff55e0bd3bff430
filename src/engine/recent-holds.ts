import type { Command } from '../core/commands.ts'
import type { TransactionId } from '../core/ids.ts'
import type { Transaction } from '../core/transactions.ts'
import type { Result } from './result.ts'

/**
 * Holds that this process has just approved, as they were stored: nearly every one is confirmed once, and soon, and its
 * confirm need not read it again. What anybody else has done to it meanwhile is found out when it is written: it has
 * another version then. Each is given out once; the oldest are forgotten beyond `max`.
 */
export class RecentHolds {
  readonly #max: number
  readonly #holds = new Map<TransactionId, { tenant: number; hold: Transaction }>()

  constructor(max: number) {
    this.#max = max
  }

  note(command: Command, result: Result): void {
    if (command.kind !== 'authorize' || result.kind !== 'decided' || result.replayed) return
    const { transaction } = result
    if (transaction?.phase !== 'authorized') return
    this.#holds.set(transaction.id, { tenant: command.tenant, hold: transaction })
    if (this.#holds.size <= this.#max) return
    for (const oldest of this.#holds.keys()) {
      this.#holds.delete(oldest)
      return
    }
  }

  /** The hold that a command confirms; null if it is no confirm, or the hold is not remembered. */
  take(command: Command): Transaction | null {
    if (command.kind !== 'confirm' || command.original.by !== 'id') return null
    const found = this.#holds.get(command.original.id)
    if (found === undefined || found.tenant !== command.tenant) return null
    this.#holds.delete(found.hold.id)
    return found.hold
  }
}
