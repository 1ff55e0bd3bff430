import type { Command } from '../core/commands.ts'
import type { Decision, Transaction } from '../core/transactions.ts'

/** What comes of a command that was handed to the engine. */
export type Result =
  /**
   * Its stored answer, durable before it is told. `transaction` is as it stands now; the decision is as it was then.
   */
  | {
      readonly kind: 'decided'
      readonly decision: Decision
      readonly transaction: Transaction | null
      readonly replayed: boolean
    }
  /** The key was used before with other content, whose fingerprint this is. No effect. */
  | { readonly kind: 'other_content'; readonly stored: string }
  /** It has had no effect and may be tried again with the same key. */
  | { readonly kind: 'refused'; readonly reason: 'switch_busy' | 'switch_unavailable' | 'internal_error' }
  /** A commit was under way when the database went: there may be an effect. Nothing may be refused; ask again. */
  | { readonly kind: 'unknown' }

/** The engine as the edges see it. */
export interface Submit {
  submit(command: Command): Promise<Result>
}

/**
 * Whether more should be read from those who can be made to wait. The engine itself says what it refuses: of new
 * commands what would wait too long, follow-ups only where there is no place for them.
 */
export interface Pressure {
  readonly isFull: boolean
  /** Calls `listener` once, when there is room again. */
  onceDrained(listener: () => void): void
}
