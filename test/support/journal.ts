import { type FileHandle, open, readFile } from 'node:fs/promises'

/** What a client asks for, as far as the checks need it. */
export interface JournalRequest {
  /** What the switch keeps the answer under: 32 hexadecimal digits. */
  readonly key: string
  /** Fingerprint of the content; null where the client does not know it. */
  readonly content: string | null
  readonly command: 'authorize' | 'confirm' | 'reverse' | 'refund' | 'inquire'
  /** Digits; null: all there is. */
  readonly amount: string | null
  /** The key of the request that this one is about, or the id of its transaction. */
  readonly original: { readonly key: string } | { readonly id: number } | null
  /** What it takes to send it again; the checks do not look at it. */
  readonly message?: unknown
}

/** `ok`: acknowledged. `fail`: refused for sure. `info`: no answer, so nobody knows. */
export type JournalOutcome = 'ok' | 'fail' | 'info'

/** What the answer said; a field that it does not have is not compared. */
export interface JournalAnswer {
  readonly transaction?: number | null
  readonly requested?: string
  readonly authorized?: string
  readonly confirmed?: string
  readonly reversed?: string
  readonly refunded?: string
  /** The whole answer, for a comparison byte for byte. */
  readonly text?: string
}

export interface JournalEntry extends JournalRequest {
  readonly n: number
  /** Places of the sending and of the answer in the one order of all that happened at this client. */
  readonly sent: number
  answered: number | null
  outcome: JournalOutcome
  answer: JournalAnswer
}

type Line =
  | { n: number; sent: number; request: JournalRequest }
  | { n: number; answered: number; outcome: JournalOutcome; answer: JournalAnswer }

/**
 * The memory of a load client: a request is on the disk before it is sent, its outcome follows when there is one. What
 * the file has no outcome for is `info`.
 */
export class Journal {
  readonly entries: JournalEntry[] = []
  readonly #file: FileHandle
  #order = 0
  #lines = ''
  #waiting: (() => void)[] = []
  #isWriting = false
  #isClosed = false

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async create(path: string): Promise<Journal> {
    return new Journal(await open(path, 'wx'))
  }

  /** Settles once the request is durable: then it may be sent. */
  async request(request: JournalRequest): Promise<JournalEntry> {
    if (this.#isClosed) throw new Error('the journal is closed: nothing may be sent any more')
    const n = this.entries.length
    const sent = this.#order++
    const entry: JournalEntry = { ...request, n, sent, answered: null, outcome: 'info', answer: {} }
    this.entries.push(entry)
    await this.#append({ n, sent, request })
    return entry
  }

  /** Nobody waits for an outcome: if it is lost, the entry is `info`, which claims less. */
  outcome(entry: JournalEntry, outcome: 'ok' | 'fail', answer: JournalAnswer = {}): void {
    entry.answered = this.#order++
    entry.outcome = outcome
    entry.answer = answer
    if (this.#isClosed) return
    void this.#append({ n: entry.n, answered: entry.answered, outcome, answer })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#append(null)
    await this.#file.close()
  }

  #append(line: Line | null): Promise<void> {
    if (line !== null) this.#lines += `${JSON.stringify(line)}\n`
    return new Promise(resolve => {
      this.#waiting.push(resolve)
      if (!this.#isWriting) void this.#write()
    })
  }

  /** One write and one sync for all lines that came while the last were written. */
  async #write(): Promise<void> {
    this.#isWriting = true
    while (this.#waiting.length > 0) {
      const lines = this.#lines
      const waiting = this.#waiting
      this.#lines = ''
      this.#waiting = []
      if (lines !== '') {
        await this.#file.appendFile(lines)
        await this.#file.datasync()
      }
      for (const resolve of waiting) resolve()
    }
    this.#isWriting = false
  }
}

/** Reads a journal of a client that is gone. A last line that was not written whole was not sent either. */
export async function readJournal(path: string): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = []
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1)
  for (const line of lines.map(text => JSON.parse(text) as Line)) {
    if ('request' in line) {
      const { n, sent, request } = line
      entries[n] = { ...request, n, sent, answered: null, outcome: 'info', answer: {} }
    } else {
      Object.assign(entries[line.n] as JournalEntry, line)
    }
  }
  return entries
}
