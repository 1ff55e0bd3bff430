import type { Command, Original } from '../core/commands.ts'
import type { TransactionId } from '../core/ids.ts'
import { ExactTable, type Name, newName } from './exact-table.ts'
import type { Result } from './result.ts'

/**
 * Which transaction a request opened, and whose it is, for the requests of late: a bounded memory of facts that never
 * change, so that a follow-up need not look its original up and goes to the same lane. It forgets by halves, and has
 * no objects: hundreds of thousands of them, all soon to be forgotten, are what a garbage collector is slowest with.
 */
export class RecentKeys {
  readonly #half: number
  #opened: ExactTable
  #older: ExactTable
  readonly #name = newName()

  /** `max`: of keys and ids together. */
  constructor(max: number) {
    this.#half = max / 2
    this.#opened = new ExactTable(this.#half)
    this.#older = new ExactTable(this.#half)
  }

  note(command: Command, result: Result): void {
    if (command.kind !== 'authorize' || result.kind !== 'decided') return
    const { transaction } = result
    if (transaction === null || transaction.phase === 'refused') return
    const { id, holder } = transaction
    nameId(this.#name, command.tenant, id)
    this.#remember(id, holder)
    if (command.channel === 'terminal' && nameKey(this.#name, command.tenant, command.key)) this.#remember(id, holder)
  }

  #remember(id: TransactionId, holder: number | null): void {
    if (this.#opened.size >= this.#half) {
      const forgotten = this.#older
      forgotten.clear()
      this.#older = this.#opened
      this.#opened = forgotten
    }
    this.#opened.set(this.#name, id, holder ?? Number.NaN)
  }

  /** The command with its original named by id, where that is known, and the holder of the original. */
  recognise(command: Command): { known: Command; holder: number | null } {
    if (command.kind !== 'confirm' && command.kind !== 'reverse' && command.kind !== 'refund') {
      return { known: command, holder: null }
    }
    const { tenant, original } = command
    if (!nameOriginal(this.#name, tenant, original)) return { known: command, holder: null }
    let table = this.#opened
    let place = table.find(this.#name)
    if (place < 0) {
      table = this.#older
      place = table.find(this.#name)
    }
    if (place < 0) return { known: command, holder: null }
    const found = table.secondOf(place)
    const holder = Number.isNaN(found) ? null : found
    if (original.by === 'id') return { known: command, holder }
    return { known: { ...command, original: { by: 'id', id: table.firstOf(place) } }, holder }
  }
}

const keyDigits = 32
const wordSpan = 2 ** 32

/** False where the original is not named by what is remembered. */
function nameOriginal(name: Name, tenant: number, original: Original): boolean {
  if (original.by === 'key') return nameKey(name, tenant, original.key)
  if (original.by !== 'id') return false
  nameId(name, tenant, original.id)
  return true
}

/** An even first word is that of a key, an odd one that of an id. */
function nameId(name: Name, tenant: number, id: TransactionId): void {
  name[0] = 2 * tenant + 1
  name[1] = Math.floor(id / wordSpan)
  name[2] = id % wordSpan
  name[3] = 0
  name[4] = 0
}

/** False where it is no key of 32 hexadecimal digits in lower case. */
function nameKey(name: Name, tenant: number, key: string): boolean {
  if (key.length !== keyDigits) return false
  name[0] = 2 * tenant
  for (let at = 0; at < keyDigits; ) {
    let word = 0
    for (const end = at + 8; at < end; at++) {
      const code = key.charCodeAt(at)
      const isDigit = code >= 0x30 && code <= 0x39
      if (!isDigit && (code < 0x61 || code > 0x66)) return false
      word = (word << 4) | (isDigit ? code - 0x30 : code - 0x57)
    }
    name[at / 8] = word
  }
  return true
}
