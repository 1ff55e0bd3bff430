import type { Command, Original } from '../core/commands.ts'
import type { TransactionId } from '../core/ids.ts'
import type { Result } from './result.ts'

interface Opened {
  readonly id: TransactionId
  readonly holder: number | null
}

/**
 * Which transaction a request opened, and whose it is, for the requests of late: a bounded memory of facts that never
 * change, so that a follow-up need not look its original up and goes to the same lane. It forgets by halves: a Map from
 * which the oldest entry is taken each time walks over all the places of those that were taken before.
 */
export class RecentKeys {
  readonly #half: number
  #opened = new Map<string, Opened>()
  #older: ReadonlyMap<string, Opened> = new Map()

  constructor(max: number) {
    this.#half = max / 2
  }

  note(command: Command, result: Result): void {
    if (command.kind !== 'authorize' || result.kind !== 'decided') return
    const { transaction } = result
    if (transaction === null || transaction.phase === 'refused') return
    const opened = { id: transaction.id, holder: transaction.holder }
    this.#remember(idName(command.tenant, transaction.id), opened)
    if (command.channel === 'terminal') this.#remember(keyName(command.tenant, command.key), opened)
  }

  #remember(name: string, opened: Opened): void {
    if (this.#opened.size >= this.#half) {
      this.#older = this.#opened
      this.#opened = new Map()
    }
    this.#opened.set(name, opened)
  }

  /** The command with its original named by id, where that is known, and the holder of the original. */
  recognise(command: Command): { known: Command; holder: number | null } {
    if (command.kind !== 'confirm' && command.kind !== 'reverse' && command.kind !== 'refund') {
      return { known: command, holder: null }
    }
    const opened = this.#find(command.tenant, command.original)
    if (opened === undefined) return { known: command, holder: null }
    if (command.original.by === 'id') return { known: command, holder: opened.holder }
    return { known: { ...command, original: { by: 'id', id: opened.id } }, holder: opened.holder }
  }

  #find(tenant: number, original: Original): Opened | undefined {
    if (original.by !== 'id' && original.by !== 'key') return undefined
    const name = original.by === 'id' ? idName(tenant, original.id) : keyName(tenant, original.key)
    return this.#opened.get(name) ?? this.#older.get(name)
  }
}

const idName = (tenant: number, id: TransactionId): string => `${tenant}#${id}`
const keyName = (tenant: number, key: string): string => `${tenant}/${key}`
