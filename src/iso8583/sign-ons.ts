import type { Message } from '../codec/message.ts'
import type { Sender } from './exchange-types.ts'
import { terminalOwner } from './mac-guard.ts'
import { kindOfMti } from './mti.ts'

/** DE70, network management information code (ISO 8583:1987). */
export const networkCodes = { signOn: '001', signOff: '002', keyChange: '101', echo: '301' } as const

/** A concentrator speaks for many terminals on one connection, and nobody for more than these. */
const terminalsMax = 4_096

/** Who has signed on, connection by connection: 0800 with DE70 001, until 002 or the end of the connection. */
export class SignOns {
  readonly #bySender = new WeakMap<Sender, Set<string>>()

  /** Notes a sign-on or sign-off; says whether the message may be looked at further. */
  admits(message: Message, sender: Sender): boolean {
    const terminal = terminalOwner(message)
    const terminals = this.#bySender.get(sender) ?? new Set()
    this.#bySender.set(sender, terminals)
    const code = kindOfMti(message.mti) === 'network' ? message.fields[70] : undefined
    if (code === networkCodes.signOn) {
      if (terminals.size >= terminalsMax) return terminals.has(terminal)
      terminals.add(terminal)
      return true
    }
    return code === networkCodes.signOff ? terminals.delete(terminal) : terminals.has(terminal)
  }
}
