import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { Histogram } from './histogram.ts'

const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const sizeBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

/** What the switch can be asked at the moment of a scrape. */
interface Sources {
  readonly queued: () => number
  readonly isAway: () => boolean
  readonly connections: () => number
  readonly linesLeftOut: () => number
}

/** Everything that is counted. No label holds anything that a client can make up. */
export class Metrics {
  readonly #registry = new Registry()
  /** By command, channel and outcome: finding a child of a counter costs more than counting. */
  readonly #answered = new Map<string, Map<string, Map<string, number>>>()
  /** By route and status. */
  readonly #requests = new Map<string, Map<number, number>>()
  readonly #answers = new Histogram({
    name: 'charsu_answer_seconds',
    help: 'From the arrival of a request to the leaving of its answer',
    label: 'channel',
    buckets: secondsBuckets,
  })
  readonly #stages = new Histogram({
    name: 'charsu_batch_stage_seconds',
    help: 'Time of each stage of a batch: read (locks and rows), decide, write (to COMMIT answered)',
    label: 'stage',
    buckets: secondsBuckets,
  })
  readonly #batches = new Histogram({
    name: 'charsu_batch_commands',
    help: 'Commands in a batch',
    label: null,
    buckets: sizeBuckets,
  })
  readonly #faults: Counter<'fault'>
  readonly #closed: Counter<'reason'>
  readonly #expired: Counter
  readonly #late: Counter

  constructor({ queued, isAway, connections, linesLeftOut }: Sources) {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    const answered = this.#answered
    const requests = this.#requests
    new Counter({
      name: 'charsu_commands_total',
      help: 'Commands answered, by what they asked for, the channel and the reason of the answer',
      labelNames: ['command', 'channel', 'outcome'],
      registers,
      collect() {
        this.reset()
        for (const [command, byChannel] of answered) {
          for (const [channel, byOutcome] of byChannel) {
            for (const [outcome, count] of byOutcome) this.inc({ command, channel, outcome }, count)
          }
        }
      },
    })
    this.#faults = new Counter({
      name: 'charsu_batch_faults_total',
      help: 'Batches that failed and were run again, bisected or given up',
      labelNames: ['fault'],
      registers,
    })
    new Counter({
      name: 'charsu_http_requests_total',
      help: 'HTTP requests by route and status',
      labelNames: ['route', 'status'],
      registers,
      collect() {
        this.reset()
        for (const [route, byStatus] of requests) {
          for (const [status, count] of byStatus) this.inc({ route, status: String(status) }, count)
        }
      },
    })
    this.#closed = new Counter({
      name: 'charsu_terminal_connections_closed_total',
      help: 'Terminal connections closed, by reason',
      labelNames: ['reason'],
      registers,
    })
    this.#expired = new Counter({
      name: 'charsu_holds_expired_total',
      help: 'Holds that nobody confirmed in time',
      registers,
    })
    this.#late = new Counter({
      name: 'charsu_late_confirms_total',
      help: 'Confirms that came after their hold had run out: goods may have left unpaid',
      registers,
    })
    new Counter({
      name: 'charsu_log_lines_left_out_total',
      help: 'Lines of the log that found no room, or could not be written',
      registers,
      collect() {
        this.reset()
        this.inc(linesLeftOut())
      },
    })
    new Gauge({
      name: 'charsu_lane_queue',
      help: 'Commands that wait in the lanes',
      registers,
      collect() {
        this.set(queued())
      },
    })
    new Gauge({
      name: 'charsu_database_away',
      help: '1 while no lane has a connection to the database',
      registers,
      collect() {
        this.set(isAway() ? 1 : 0)
      },
    })
    new Gauge({
      name: 'charsu_terminal_connections',
      help: 'Open terminal connections',
      registers,
      collect() {
        this.set(connections())
      },
    })
  }

  answered(command: string, channel: string, outcome: string, elapsedSeconds: number): void {
    count(inner(inner(this.#answered, command), channel), outcome)
    this.#answers.of(channel).observe(elapsedSeconds)
    if (outcome === 'confirm_too_late') this.#late.inc()
  }

  batch(size: number, stages: { readonly read: number; readonly decide: number; readonly write: number }): void {
    this.#batches.of('').observe(size)
    this.#stages.of('read').observe(stages.read)
    this.#stages.of('decide').observe(stages.decide)
    this.#stages.of('write').observe(stages.write)
  }

  fault(fault: string): void {
    this.#faults.inc({ fault })
  }

  request(route: string, status: number): void {
    count(inner(this.#requests, route), status)
  }

  connectionClosed(reason: string): void {
    this.#closed.inc({ reason })
  }

  expired(count: number): void {
    this.#expired.inc(count)
  }

  async text(): Promise<string> {
    const histograms = [this.#answers, this.#stages, this.#batches].map(histogram => histogram.text())
    return [await this.#registry.metrics(), ...histograms].join('\n')
  }
}

/** The map behind a key, made where there is none. */
function inner<Key, Value>(maps: Map<string, Map<Key, Value>>, key: string): Map<Key, Value> {
  let map = maps.get(key)
  if (map === undefined) {
    map = new Map()
    maps.set(key, map)
  }
  return map
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
