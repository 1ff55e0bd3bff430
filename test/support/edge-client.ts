import { createHash, randomUUID } from 'node:crypto'
import { parseTransactionId } from '../../src/core/ids.ts'
import { clientKey, type Step, terminalKey } from '../../src/core/keys.ts'
import { connectIsoClient, type IsoClient } from '../../src/iso8583/client.ts'
import type { Journal, JournalAnswer, JournalEntry, JournalRequest } from './journal.ts'
import { type Elements, elementsOf, messageOf, originalElements, panOfCard, readDialect } from './terminal.ts'

const dialect = readDialect('iso87a')
const answerMsMax = 20_000

/** What a till or a terminal knows of one of its requests: enough to send it again. */
export type EdgeMessage =
  | { readonly via: 'http'; readonly path: string; readonly idempotencyKey: string; readonly body: unknown }
  | { readonly via: 'iso'; readonly mti: string; readonly elements: Elements }

/** What came back: `id` over HTTP only. */
export interface EdgeAnswer {
  readonly outcome: JournalEntry['outcome']
  /** DE39 or the HTTP status. */
  readonly code: string
  readonly id: string | null
  readonly text: string
}

/** Answers that promise nothing about the key: the same request may have an effect later. Everything else is stored. */
const passingStatuses = new Set([400, 401, 403, 413, 429, 500, 503])
const passingDe39 = new Set(['30', '63', '91', '96'])

/** A till (HTTP) and a terminal (ISO 8583) at the counter of one switch, both with the same journal. */
export class EdgeClient {
  readonly journal: Journal
  readonly #apiKeyId: number
  #httpUrl = ''
  #iso: IsoClient | null = null

  /** `apiKeyId`: the id of the demo's POS key. */
  constructor(journal: Journal, apiKeyId: number) {
    this.journal = journal
    this.#apiKeyId = apiKeyId
  }

  async connect({ httpUrl, isoPort }: { readonly httpUrl: string; readonly isoPort: number }): Promise<void> {
    await this.close()
    this.#httpUrl = httpUrl
    this.#iso = await connectIsoClient({ host: '127.0.0.1', port: isoPort, dialect, timeoutMs: answerMsMax })
  }

  async close(): Promise<void> {
    await this.#iso?.close()
    this.#iso = null
  }

  async send(request: Omit<JournalRequest, 'key' | 'content'>, message: EdgeMessage): Promise<EdgeAnswer> {
    const entry = await this.journal.request({ ...request, key: this.keyOf(message), content: null, message })
    const answer = message.via === 'http' ? await this.#call(message) : await this.#exchange(message)
    if (answer.outcome !== 'info') {
      const told = answer.outcome === 'ok' ? this.#toldBy(message, answer) : {}
      const isStored = answer.outcome === 'ok' || !isPassing(message, answer.code)
      this.journal.outcome(entry, answer.outcome, isStored ? { ...told, text: answer.text } : {})
    }
    return answer
  }

  /** Sends requests again, as repeats. */
  resend(entries: readonly JournalEntry[]): Promise<EdgeAnswer[]> {
    const latest = new Map(entries.map(entry => [entry.key, entry]))
    return Promise.all(
      [...latest.values()].map(({ command, amount, original, message }) =>
        this.send({ command, amount, original }, repeatOf(message as EdgeMessage)),
      ),
    )
  }

  keyOf(message: EdgeMessage): string {
    if (message.via === 'http') {
      return clientKey(this.#apiKeyId, createHash('sha256').update(message.idempotencyKey).digest('hex'))
    }
    const { elements, mti } = message
    return keyOfMessage(mti, elements)
  }

  #toldBy(message: EdgeMessage, { text }: EdgeAnswer): JournalAnswer {
    if (message.via === 'iso') return {}
    const { id, amount } = JSON.parse(text)
    const transaction = id === null ? null : parseTransactionId(id)
    if (id === null) return { transaction }
    const digits = Object.entries(amount).map(([name, value]) => [name, String(value)])
    return { transaction, ...Object.fromEntries(digits) }
  }

  async #call({ path, idempotencyKey, body }: Extract<EdgeMessage, { via: 'http' }>): Promise<EdgeAnswer> {
    try {
      const response = await fetch(`${this.#httpUrl}${path}`, {
        method: 'POST',
        headers: {
          authorization: 'Bearer demo-pos-key',
          'content-type': 'application/json',
          'idempotency-key': idempotencyKey,
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(answerMsMax),
      })
      const text = await response.text()
      const { status } = response
      const isUnknown = status === 504 || (status === 409 && text.includes('"in_progress"'))
      const id = response.ok ? (JSON.parse(text).id as string | null) : null
      return { outcome: response.ok ? 'ok' : isUnknown ? 'info' : 'fail', code: String(status), id, text }
    } catch {
      return { outcome: 'info', code: '', id: null, text: '' }
    }
  }

  async #exchange({ mti, elements }: Extract<EdgeMessage, { via: 'iso' }>): Promise<EdgeAnswer> {
    try {
      const reply = elementsOf(await (this.#iso as IsoClient).send(messageOf(mti, elements)))
      const code = reply[39] ?? ''
      const outcome = code === '00' || code === '10' ? 'ok' : 'fail'
      return { outcome, code, id: null, text: [4, 37, 38, 39, 54].map(element => reply[element] ?? '').join('|') }
    } catch {
      return { outcome: 'info', code: '', id: null, text: '' }
    }
  }
}

const isPassing = ({ via }: EdgeMessage, code: string): boolean =>
  via === 'http' ? passingStatuses.has(Number(code)) : passingDe39.has(code)

/** A terminal marks a repeat in the last digit of its MTI; a till does not. */
const repeatOf = (message: EdgeMessage): EdgeMessage =>
  message.via === 'http' ? message : { ...message, mti: message.mti.replace(/\d$/, digit => String(Number(digit) | 1)) }

const stepOf = (mti: string): Step => (mti.startsWith('04') ? 'reverse' : /^020[23]/.test(mti) ? 'confirm' : 'open')

const keyOfMessage = (mti: string, elements: Elements): string =>
  terminalKey({
    terminal: elements[41] as string,
    merchant: elements[42] as string,
    step: stepOf(mti),
    stan: Number(elements[11]),
    sentAt: Number(elements[7]),
  })

export interface EdgeLoadOptions {
  readonly client: EdgeClient
  readonly random: () => number
  readonly cards: number
  readonly isOver: () => boolean
  /** Told of every answer that came. */
  readonly onAnswer?: (answer: EdgeAnswer) => void
}

/** One till: purchases one after the other, 30 % of them on card 1, until the switch is gone or it is over. */
export async function runTill({ client, random, cards, isOver, onAnswer }: EdgeLoadOptions): Promise<void> {
  const send = async (...args: Parameters<EdgeClient['send']>): Promise<EdgeAnswer> => {
    const answer = await client.send(...args)
    if (answer.outcome !== 'info') onAnswer?.(answer)
    return answer
  }
  const call = (path: string, body: unknown, idempotencyKey: string = randomUUID()): EdgeMessage => ({
    via: 'http',
    ...{ path, body, idempotencyKey },
  })
  while (!isOver()) {
    const amount = 1 + Math.floor(random() * 10_000)
    const pan = panOfCard(random() < 0.3 ? 1 : 1 + Math.floor(random() * cards))
    const parties = { merchant: 'M00000000000001', terminal: 'T0000001' }
    const purchase = { card: { pan }, amount, currency: 'IRR', ...parties, capture: random() < 0.1 }
    const opening = call('/v1/transactions', purchase)
    const opened = await send({ command: 'authorize', amount: String(amount), original: null }, opening)
    const original = { key: client.keyOf(opening) }
    const dice = random()
    const part = Math.max(1, Math.floor(amount / 2))
    if (opened.outcome === 'info' || dice < 0.05) {
      // The till never got the answer, or says so.
      const { idempotencyKey } = opening as Extract<EdgeMessage, { via: 'http' }>
      const reversal = call('/v1/reversals', { original: { idempotencyKey } })
      const reversed = await send({ command: 'reverse', amount: null, original }, reversal)
      if (reversed.outcome === 'info') return
      continue
    }
    if (opened.id === null) continue
    const follow = async (command: 'confirm' | 'reverse' | 'refund', some: number | null): Promise<EdgeAnswer> =>
      send(
        { command, amount: some === null ? null : String(some), original },
        call(`/v1/transactions/${opened.id}/${command}`, some === null ? {} : { amount: some }),
      )
    const followed =
      dice < 0.6
        ? await follow('confirm', null)
        : dice < 0.7
          ? await follow('confirm', part)
          : dice < 0.8
            ? await follow('reverse', null)
            : dice < 0.9
              ? await follow('reverse', part)
              : null
    if (followed?.outcome === 'info') return
    if (random() < 0.1) await follow('refund', 1)
  }
}

let lastStan = 0

function nextStan(): string {
  lastStan = (lastStan + 1) % 1_000_000
  return String(lastStan).padStart(6, '0')
}

/** One terminal: 0200 and 0202, or 0400, each with a repeat now and then, until the switch is gone or it is over. */
export async function runTerminal({ client, random, cards, isOver, onAnswer }: EdgeLoadOptions): Promise<void> {
  const send = async (...args: Parameters<EdgeClient['send']>): Promise<EdgeAnswer> => {
    const answer = await client.send(...args)
    if (answer.outcome !== 'info') onAnswer?.(answer)
    return answer
  }
  while (!isOver()) {
    const amount = String(1 + Math.floor(random() * 10_000))
    const pan = panOfCard(random() < 0.3 ? 1 : 1 + Math.floor(random() * cards))
    const sentAt = new Date().toISOString().replaceAll(/\D/g, '').slice(4, 14)
    const [merchant, terminal] = random() < 0.7 ? ['M00000000000001', 'T0000001'] : ['M00000000000002', 'T0000003']
    const common = { 3: '000000', 4: amount.padStart(12, '0'), 7: sentAt, 41: terminal, 42: merchant, 49: '364' }
    const opening: EdgeMessage = { via: 'iso', mti: '0200', elements: { ...common, 2: pan, 11: nextStan() } }
    const original = { key: client.keyOf(opening) }
    const asked = { command: 'authorize', amount, original: null } as const
    const opened = await send(asked, opening)
    if (opened.outcome === 'info') return
    if (random() < 0.05) await send(asked, repeatOf(opening))
    const dice = random()
    if (dice > 0.9) continue
    const mti = dice < 0.7 ? '0202' : '0400'
    const named = originalElements('0200', opening.elements[11] as string, sentAt)
    const next: EdgeMessage = { via: 'iso', mti, elements: { ...common, 11: nextStan(), 90: named } }
    const followed = await send({ command: mti === '0202' ? 'confirm' : 'reverse', amount: null, original }, next)
    if (followed.outcome === 'info') return
  }
}
