import type { Micros } from '../core/ids.ts'
import type { Submit } from '../engine/result.ts'
import type { Refusal } from './problem.ts'

/** Unknown codes that one terminal, and one API key, may try within a minute. */
const perTerminalMax = 10
const perKeyMax = 60
const windowMicros = 60_000_000
/** So many are remembered; then those of the longest ago are forgotten first. */
const namesMax = 10_000

/** A try with the code of a voucher that is under way. */
export interface Attempt {
  /** Call it once its outcome is known: a code that is known was no guess. */
  settle(isKnown: boolean): void
}

/**
 * Slows down who guesses the codes of vouchers: each try counts against its terminal and its API key until it proves
 * to be of a code that is known. It counts in this process; with several switches a guesser has that many times more
 * tries, of 2^75 that it would need.
 */
export class CodeAttempts {
  readonly #now: () => Micros
  readonly #tries = new Map<string, Micros[]>()

  constructor(now: () => Micros) {
    this.#now = now
  }

  /** `terminal` null: none is named. Seconds to wait where there were too many. */
  begin(apiKey: number, terminal: string | null): Attempt | { readonly retryAfterSeconds: number } {
    const at = this.#now()
    const counted = [
      { name: `key ${apiKey}`, max: perKeyMax },
      { name: `key ${apiKey} terminal ${terminal ?? ''}`, max: perTerminalMax },
    ].map(({ name, max }) => ({ name, max, tries: this.#recent(name, at) }))
    const full = counted.find(({ tries, max }) => tries.length >= max)
    if (full !== undefined) {
      const [oldest = at] = full.tries
      return { retryAfterSeconds: Math.max(1, Math.ceil((oldest + windowMicros - at) / 1_000_000)) }
    }
    for (const { name, tries } of counted) this.#keep(name, [...tries, at])
    return {
      settle: isKnown => {
        if (isKnown) for (const { name } of counted) this.#forget(name, at)
      },
    }
  }

  #recent(name: string, at: Micros): Micros[] {
    return (this.#tries.get(name) ?? []).filter(one => one > at - windowMicros)
  }

  #keep(name: string, tries: Micros[]): void {
    this.#tries.delete(name)
    this.#tries.set(name, tries)
    const [oldest] = this.#tries.keys()
    if (this.#tries.size > namesMax && oldest !== undefined) this.#tries.delete(oldest)
  }

  #forget(name: string, at: Micros): void {
    const tries = this.#tries.get(name) ?? []
    const index = tries.indexOf(at)
    const left = index < 0 ? tries : tries.toSpliced(index, 1)
    if (left.length === 0) this.#tries.delete(name)
    else this.#tries.set(name, left)
  }
}

export const tooManyAttempts = (retryAfterSeconds: number): Refusal => ({
  reason: 'too_many_attempts',
  retryAfterSeconds,
})

/** The engine, for one command with the code of a voucher: its answer tells whether the code is known. */
export const watching = (engine: Submit, { settle }: Attempt): Submit => ({
  submit: async command => {
    const result = await engine.submit(command)
    settle(!(result.kind === 'decided' && result.decision.reason === 'card_unknown'))
    return result
  },
})
