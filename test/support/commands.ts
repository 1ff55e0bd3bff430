import { createHash, randomBytes } from 'node:crypto'
import type { Authorize, Command, Confirm, Inquire, Original, Refund, Reverse } from '../../src/core/commands.ts'
import { isApproval } from '../../src/core/reasons.ts'
import type { Result, Submit } from '../../src/engine/result.ts'
import type { Journal, JournalAnswer, JournalEntry, JournalRequest } from './journal.ts'
import { tokenOf } from './switch.ts'

/** Commands as the edges make them; whatever is not given is a plain one. Keys are new unless given. */
export type CommandsOf = ReturnType<typeof commandsOf>

export const merchantOne = 'M00000000000001'
export const terminalOne = 'T0000001'

const today = (): number => Math.floor(Date.now() / 86_400_000)

/** A key as a terminal's: stored under a day that comes with it. */
export const newKey = (): string => `54${randomBytes(15).toString('hex')}`
/** A key as an API client's. */
export const newClientKey = (): string => `80${randomBytes(15).toString('hex')}`

export function commandsOf(tenant: number) {
  const request = (over: { key?: string }) => {
    const key = over.key ?? newKey()
    return { tenant, channel: 'terminal' as const, key, day: key.startsWith('80') ? null : today(), content: '' }
  }
  const withContent = <C extends Command>(command: C): C =>
    command.content === '' ? { ...command, content: contentOf(command) } : command
  const followUp = { merchants: '*', card: null, currency: null } as const
  return {
    authorize: (over: Partial<Authorize> = {}): Authorize =>
      withContent({
        ...request(over),
        kind: 'authorize',
        merchant: merchantOne,
        terminal: terminalOne,
        card: tokenOf(1),
        currency: 'IRR',
        amount: 1_000n,
        purpose: 'purchase',
        capture: false,
        partial: false,
        eligibleAmount: null,
        basket: null,
        confirmWithinSeconds: null,
        reference: null,
        rrn: null,
        stan: null,
        ...over,
      }),
    confirm: (original: Original, over: Partial<Confirm> = {}): Confirm =>
      withContent({ ...request(over), ...followUp, kind: 'confirm', original, amount: null, ...over }),
    reverse: (original: Original, over: Partial<Reverse> = {}): Reverse =>
      withContent({
        ...request(over),
        ...followUp,
        kind: 'reverse',
        original,
        extent: { by: 'all' },
        originalAmount: null,
        ...over,
      }),
    refund: (original: Original, over: Partial<Refund> = {}): Refund =>
      withContent({
        ...request(over),
        ...followUp,
        kind: 'refund',
        original,
        amount: null,
        terminal: null,
        rrn: null,
        stan: null,
        ...over,
      }),
    inquire: (over: Partial<Inquire> = {}): Inquire =>
      withContent({
        ...request(over),
        kind: 'inquire',
        merchant: merchantOne,
        terminal: terminalOne,
        card: tokenOf(1),
        currency: 'IRR',
        ...over,
      }),
  }
}

/** Any fingerprint does, as long as other content has another. */
function contentOf({ key: _key, ...rest }: Command): string {
  const text = JSON.stringify(rest, (_name, value) => (typeof value === 'bigint' ? `${value}` : value))
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

export const originalKey = ({ key, day }: Command): Original => ({ by: 'key', key, day })

type Rival = readonly [command: Command, target: Submit]

/** A load client at the engine: what it sends is in its journal first, what it is told after. */
export class JournaledClient {
  readonly journal: Journal
  #target: Submit

  constructor(target: Submit, journal: Journal) {
    this.#target = target
    this.journal = journal
  }

  /** From now on sends to another engine. */
  retarget(target: Submit): void {
    this.#target = target
  }

  async send(command: Command, target: Submit = this.#target): Promise<Result> {
    const entry = await this.#request(command)
    const result = await target.submit(command)
    noteResult(this.journal, entry, result)
    return result
  }

  /** Two rivals, handed over in the same moment: neither is held up by the line of the other in the journal. */
  async sendTogether(one: Rival, other: Rival): Promise<[Result, Result]> {
    const entries = await Promise.all([this.#request(one[0]), this.#request(other[0])])
    const submitted = [one, other].map(([command, target]) => target.submit(command))
    const noted = entries.map(async (entry, index) => {
      const result = (await submitted[index]) as Result
      noteResult(this.journal, entry, result)
      return result
    })
    return Promise.all(noted as [Promise<Result>, Promise<Result>])
  }

  #request(command: Command): Promise<JournalEntry> {
    return this.journal.request({ ...requestOf(command), message: reviveable(command) })
  }

  /** Sends every request again of which nobody knows what has come of it; answers what it was told now. */
  async resendUnknown(): Promise<Result[]> {
    const known = new Set(this.journal.entries.filter(({ outcome }) => outcome !== 'info').map(({ key }) => key))
    return this.resend(this.journal.entries.filter(({ key }) => !known.has(key)))
  }

  /** Sends these again, each request once. */
  async resend(entries: readonly JournalEntry[]): Promise<Result[]> {
    const commands = new Map(entries.map(({ key, content, message }) => [`${key} ${content}`, revived(message)]))
    return Promise.all([...commands.values()].map(command => this.send(command)))
  }
}

function requestOf(command: Command): JournalRequest {
  const original = 'original' in command ? command.original : null
  const amount = 'amount' in command ? command.amount : null
  return {
    key: command.key,
    content: command.content,
    command: command.kind as JournalRequest['command'],
    amount: amount === null ? null : String(amount),
    original: original?.by === 'key' ? { key: original.key } : original?.by === 'id' ? { id: original.id } : null,
  }
}

function noteResult(journal: Journal, entry: JournalEntry, result: Result): void {
  if (result.kind === 'unknown') return
  if (result.kind !== 'decided') journal.outcome(entry, 'fail')
  else journal.outcome(entry, isApproval(result.decision.reason) ? 'ok' : 'fail', answerOf(result))
}

function answerOf({ decision }: Extract<Result, { kind: 'decided' }>): JournalAnswer {
  const { transaction, amounts } = decision
  const text = JSON.stringify(decision, (_name, value) => (typeof value === 'bigint' ? `${value}` : value))
  if (amounts === null) return { transaction, text }
  const digits = Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)]))
  return { transaction, text, ...digits }
}

const reviveable = (command: Command): unknown =>
  JSON.parse(JSON.stringify(command, (_name, value) => (typeof value === 'bigint' ? { bigint: `${value}` } : value)))
const revived = (message: unknown): Command =>
  JSON.parse(JSON.stringify(message), (_name, value) =>
    value !== null && typeof value === 'object' && 'bigint' in value ? BigInt(value.bigint) : value,
  )

/** The answers to one request, told at different times, must be the same text: keys that were told two. */
export function contradictions(entries: readonly JournalEntry[]): string[] {
  const told = new Map<string, Set<string>>()
  for (const { key, content, answer } of entries) {
    if (answer.text === undefined) continue
    const name = `${key} ${content}`
    told.set(name, (told.get(name) ?? new Set()).add(answer.text))
  }
  return [...told].filter(([, texts]) => texts.size > 1).map(([name]) => name)
}
