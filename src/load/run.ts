import { setTimeout as sleep } from 'node:timers/promises'
import type { Dialect } from '../codec/dialect.ts'
import { nowMicros } from '../ops/clock.ts'
import { Cards } from './cards.ts'
import { chanceOf } from './chance.ts'
import { Driver } from './driver.ts'
import { HttpLine } from './http-line.ts'
import type { Line } from './lines.ts'
import { LoadRecorder } from './recorder.ts'
import { type LoadResult, type LoadSpec, type Second, slotsPerConnectionMax, type Till } from './spec.ts'
import { TerminalLine } from './terminal-line.ts'

interface LoadWatcher {
  /** Twice a second. `series`: the measured seconds so far. */
  onTick(messages: number, isWarm: boolean, series: readonly Second[]): void
  /** The warm-up is over. */
  onMeasuring(): void
  onMeasured(): void
}

const tickEveryMs = 500
const drainMaxMs = 15_000

/**
 * Runs a load from its first connection to its last answer. Rejects where a connection cannot be opened. An aborted
 * `signal` ends it early, with what was measured so far.
 */
export async function runLoad(
  spec: LoadSpec,
  dialect: Dialect,
  watcher: LoadWatcher,
  signal: AbortSignal,
): Promise<LoadResult> {
  const recorder = new LoadRecorder()
  const cards = new Cards(spec.cards)
  const driver = new Driver(spec, cards, recorder, chanceOf(spec.seed))
  const lines = linesOf(spec, dialect, cards, driver)
  try {
    await Promise.all(lines.map(line => line.opened()))
  } catch (error) {
    for (const line of lines) line.close()
    throw error
  }
  driver.start(lines)
  const ticks = setInterval(() => {
    watcher.onTick(recorder.messagesEver, recorder.isMeasuring, recorder.series)
  }, tickEveryMs)
  await sleepUntil(spec.warmupMs, signal)
  recorder.start()
  watcher.onMeasuring()
  await sleepUntil(spec.measureMs, signal)
  recorder.stop()
  watcher.onMeasured()
  clearInterval(ticks)
  const unanswered = await driver.finish(drainMaxMs)
  if (unanswered > 0) recorder.failed('no answer', unanswered)
  return recorder.result()
}

/** So long, or until `signal` is aborted. */
const sleepUntil = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined)

function linesOf(spec: LoadSpec, dialect: Dialect, cards: Cards, events: Driver): Line[] {
  const { protocol, host, port, tls, connections, tills, currency, apiKey, pace } = spec
  const target = { host, port, tls }
  const run = `load-${nowMicros().toString(36)}-`
  return Array.from({ length: connections }, (_, index) => {
    const till = tills[index % tills.length] as Till
    if (protocol === 'http') {
      const keyPrefix = `${run}${index.toString(36)}-`
      return new HttpLine({ target, till, currency: currency.code, apiKey, keyPrefix, cards, events })
    }
    const inFlight = pace.kind === 'open' ? (pace.inFlightMax ?? connections * slotsPerConnectionMax) : pace.inFlight
    const slotsMax = Math.ceil(inFlight / connections)
    const slots = shareOf(inFlight, connections, index)
    const stanStride = slotsMax * Math.ceil(connections / tills.length)
    const stanBase = slotsMax * Math.floor(index / tills.length)
    return new TerminalLine({
      ...{ target, dialect, till, slots, stanStride, stanBase, cards, events },
      currency: currency.numeric,
    })
  })
}

/** What part number `index` gets, so that all parts together are `whole` and none is larger by more than one. */
const shareOf = (whole: number, parts: number, index: number): number =>
  Math.floor(whole / parts) + (index < whole % parts ? 1 : 0)
