import { text } from 'node:stream/consumers'

/** Where a command reads and writes: the process, or a test. */
export interface Io {
  stdin(): Promise<string>
  out(text: string): void
  err(text: string): void
}

export const processIo: Io = {
  stdin: () => text(process.stdin),
  out: each => void process.stdout.write(each),
  err: each => void process.stderr.write(each),
}

/** Exit statuses of the message tools: it worked, the message or dialect is wrong, the command is wrong. */
export const exit = { ok: 0, wrong: 1, usage: 2 } as const

/** The command can't be carried out as it was typed. */
export class UsageError extends Error {}
