/** What has been started and must end again, in reverse order, whatever happens in between. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = []

  add(step: () => unknown): void {
    this.#steps.push(step)
  }

  /** Does every step, also where one before it fails. Answers what failed. */
  async run(): Promise<readonly Error[]> {
    const errors: Error[] = []
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step()
      } catch (error) {
        errors.push(error as Error)
      }
    }
    return errors
  }
}
