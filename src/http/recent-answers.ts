import type { Key } from '../core/commands.ts'

/** The latest answers by their keys; beyond `max` the oldest is forgotten. */
export class RecentAnswers<Answer> {
  readonly #max: number
  readonly #answers = new Map<Key, Answer>()

  constructor(max: number) {
    this.#max = max
  }

  get(key: Key): Answer | undefined {
    return this.#answers.get(key)
  }

  put(key: Key, answer: Answer): void {
    this.#answers.set(key, answer)
    if (this.#answers.size <= this.#max) return
    for (const oldest of this.#answers.keys()) {
      this.#answers.delete(oldest)
      return
    }
  }
}
