import type { Cards } from './cards.ts'
import { type Answer, drain, type Line, type LineEvents } from './lines.ts'
import type { LoadRecorder } from './recorder.ts'
import type { LoadSpec, Pace } from './spec.ts'

/** Beyond what a card holds, and still 12 digits. */
const tooMuch = 999_999_999_999
const amountStep = 1_000

interface Place {
  readonly line: Line
  readonly slot: number
  transactionBegunAt: number
  stepBegunAt: number
  isConfirmed: boolean
}

/**
 * Takes transactions through their steps on whatever lines there are, at the pace of the load: closed loop (each place
 * begins the next when one has ended) or open loop (they are begun when they are due).
 */
export class Driver implements LineEvents {
  readonly #spec: LoadSpec
  readonly #cards: Cards
  readonly #recorder: LoadRecorder
  readonly #chance: () => number
  readonly #places = new Map<Line, Place[]>()
  /** In the open loop: the one that was left first is taken first, so that all connections are used. */
  readonly #free = new Set<Place>()
  #isFinishing = false
  #timer: NodeJS.Timeout | undefined

  constructor(spec: LoadSpec, cards: Cards, recorder: LoadRecorder, chance: () => number) {
    this.#spec = spec
    this.#cards = cards
    this.#recorder = recorder
    this.#chance = chance
  }

  /** `lines` are open. */
  start(lines: readonly Line[]): void {
    for (const line of lines) {
      const places = Array.from({ length: line.slots }, (_, slot) => {
        return { line, slot, transactionBegunAt: 0, stepBegunAt: 0, isConfirmed: false }
      })
      this.#places.set(line, places)
    }
    const { pace } = this.#spec
    if (pace.kind === 'open') {
      this.#startOpen(pace)
      return
    }
    const now = performance.now()
    for (const places of this.#places.values()) for (const place of places) this.#begin(place, now)
  }

  /** Starts no new transaction and waits for those under way. Answers how many requests got no answer in that time. */
  finish(waitMaxMs: number): Promise<number> {
    this.#isFinishing = true
    clearTimeout(this.#timer)
    return drain([...this.#places.keys()], waitMaxMs)
  }

  onAnswer(line: Line, { slot, step, isApproved, code }: Answer): void {
    const place = this.#places.get(line)?.[slot]
    if (place === undefined) return
    const { mix } = this.#spec
    const now = performance.now()
    this.#recorder.answered(step, place.stepBegunAt, now)
    const begunAt = place.stepBegunAt
    place.stepBegunAt = now
    if (!isApproved) {
      this.#recorder.refused(step, code, begunAt, now)
      this.#end(place, now)
    } else if (step === 'authorize') {
      if (this.#happens(mix.reversedHolds)) line.reverse(slot)
      else line.confirm(slot)
    } else if (step === 'confirm') {
      this.#recorder.completed(place.transactionBegunAt, now)
      if (this.#happens(mix.reversedSales)) line.reverse(slot)
      else this.#end(place, now)
    } else this.#end(place, now)
  }

  onLost(line: Line, error: string, waiting: number): void {
    if (this.#isFinishing && waiting === 0) return
    this.#recorder.failed(error, Math.max(1, waiting))
    for (const place of this.#places.get(line) ?? []) this.#free.delete(place)
  }

  #happens(part: number): boolean {
    return part > 0 && this.#chance() < part
  }

  #begin(place: Place, at: number): void {
    const { mix, hotCardPart, amountMax } = this.#spec
    place.transactionBegunAt = at
    place.stepBegunAt = at
    const card = this.#happens(hotCardPart) ? 0 : Math.floor(this.#chance() * this.#cards.count)
    const amount = amountStep * (1 + Math.floor((this.#chance() * amountMax) / amountStep))
    place.line.authorize(place.slot, card, this.#happens(mix.refused) ? tooMuch : amount)
  }

  #end(place: Place, now: number): void {
    if (this.#isFinishing || place.line.isLost) return
    if (this.#spec.pace.kind === 'closed') this.#begin(place, now)
    else this.#free.add(place)
  }

  /**
   * The latency of a transaction begins when it is due: a switch that stalls is not spared the requests of that time
   * (coordinated omission).
   */
  #startOpen({ rates, patienceMs }: Extract<Pace, { kind: 'open' }>): void {
    const all = [...this.#places.values()]
    const most = Math.max(...all.map(places => places.length))
    for (let slot = 0; slot < most; slot++) {
      for (const places of all) if (places[slot] !== undefined) this.#free.add(places[slot] as Place)
    }
    const schedule = [...rates]
    let { perSecond = 1, ms: until = 0 } = schedule.shift() ?? {}
    const startedAt = performance.now()
    let dueAt = startedAt + 1000 / perSecond
    const next = (): void => {
      while (schedule.length > 0 && dueAt - startedAt >= until) {
        const { perSecond: rate, ms } = schedule.shift() as (typeof rates)[number]
        perSecond = rate
        until += ms
      }
      dueAt += 1000 / perSecond
    }
    const beginDue = (): void => {
      const now = performance.now()
      for (; dueAt <= now; next()) {
        const [place] = this.#free
        if (place !== undefined) {
          this.#free.delete(place)
          this.#recorder.late(dueAt, now)
          this.#begin(place, dueAt)
        } else if (now - dueAt > patienceMs) this.#recorder.unsent(now)
        // What is due and still patient waits, and its latency grows.
        else break
      }
      this.#timer = setTimeout(beginDue, Math.max(0, dueAt - now))
    }
    beginDue()
  }
}
