interface HistogramOptions<Label extends string> {
  readonly name: string
  readonly help: string
  /** Of what is told apart; null: nothing is. */
  readonly label: Label | null
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[]
}

/**
 * A histogram of Prometheus. That of prom-client looks up labels and bounds as texts, which takes longer than all else
 * that is counted of a message.
 */
export class Histogram<Label extends string = never> {
  readonly #options: HistogramOptions<Label>
  readonly #series = new Map<string, Series>()

  constructor(options: HistogramOptions<Label>) {
    this.#options = options
    if (options.label === null) this.of('')
  }

  /** What is counted under one value of the label. */
  of(value: string): Series {
    let series = this.#series.get(value)
    if (series === undefined) {
      series = new Series(this.#options.buckets)
      this.#series.set(value, series)
    }
    return series
  }

  /** In the text format of Prometheus. No value of a label may have a quote in it. */
  text(): string {
    const { name, help, label } = this.#options
    const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`]
    for (const [value, { sum, count, upTo }] of this.#series) {
      const own = label === null ? '' : `${label}="${value}"`
      const behind = own === '' ? '' : `,${own}`
      const around = own === '' ? '' : `{${own}}`
      for (const [bound, counted] of upTo) lines.push(`${name}_bucket{le="${bound}"${behind}} ${counted}`)
      lines.push(`${name}_bucket{le="+Inf"${behind}} ${count}`)
      lines.push(`${name}_sum${around} ${sum}`, `${name}_count${around} ${count}`)
    }
    return `${lines.join('\n')}\n`
  }
}

class Series {
  sum = 0
  count = 0
  readonly #bounds: readonly number[]
  readonly #counts: number[]

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    this.sum += value
    this.count += 1
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++
    if (bucket < bounds.length) this.#counts[bucket]! += 1
  }

  /** Each bound, with how many values were at most that. */
  get upTo(): [bound: number, count: number][] {
    let sum = 0
    return this.#bounds.map((bound, bucket) => {
      sum += this.#counts[bucket]!
      return [bound, sum]
    })
  }
}
