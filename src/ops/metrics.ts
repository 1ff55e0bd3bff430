import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const sizeBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

/** What the switch can be asked at the moment of a scrape. */
export interface Sources {
  readonly queued: () => number
  readonly isAway: () => boolean
  readonly connections: () => number
  readonly linesLeftOut: () => number
}

/** Everything that is counted, in one registry. No label holds anything that a client can make up. */
export class Metrics {
  readonly registry = new Registry()
  /** By command, channel and outcome: finding a child of a counter costs more than counting. */
  readonly #answered = new Map<string, Map<string, Map<string, number>>>()
  readonly #answers = new Map<string, (seconds: number) => void>()
  readonly #answersOf: (channel: string) => (seconds: number) => void
  readonly #stages: Readonly<Record<'read' | 'decide' | 'write', (seconds: number) => void>>
  readonly #batches: Histogram
  readonly #faults: Counter<'fault'>
  readonly #requests: Counter<'route' | 'status'>
  readonly #closed: Counter<'reason'>
  readonly #expired: Counter
  readonly #late: Counter

  constructor({ queued, isAway, connections, linesLeftOut }: Sources) {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    const answered = this.#answered
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
    const answers = new Histogram({
      name: 'charsu_answer_seconds',
      help: 'From the arrival of a request to the leaving of its answer',
      labelNames: ['channel'],
      buckets: secondsBuckets,
      registers,
    })
    this.#answersOf = channel => answers.labels({ channel }).observe
    const stages = new Histogram({
      name: 'charsu_batch_stage_seconds',
      help: 'Time of each stage of a batch: read (locks and rows), decide, write (to COMMIT answered)',
      labelNames: ['stage'],
      buckets: secondsBuckets,
      registers,
    })
    const stage = (name: string) => stages.labels({ stage: name }).observe
    this.#stages = { read: stage('read'), decide: stage('decide'), write: stage('write') }
    this.#batches = new Histogram({
      name: 'charsu_batch_commands',
      help: 'Commands in a batch',
      buckets: sizeBuckets,
      registers,
    })
    this.#faults = new Counter({
      name: 'charsu_batch_faults_total',
      help: 'Batches that failed and were run again, bisected or given up',
      labelNames: ['fault'],
      registers,
    })
    this.#requests = new Counter({
      name: 'charsu_http_requests_total',
      help: 'HTTP requests by route and status',
      labelNames: ['route', 'status'],
      registers,
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
    const byOutcome = inner(inner(this.#answered, command), channel)
    byOutcome.set(outcome, (byOutcome.get(outcome) ?? 0) + 1)
    let observe = this.#answers.get(channel)
    if (observe === undefined) {
      observe = this.#answersOf(channel)
      this.#answers.set(channel, observe)
    }
    observe(elapsedSeconds)
    if (outcome === 'confirm_too_late') this.#late.inc()
  }

  batch(size: number, stages: { readonly read: number; readonly decide: number; readonly write: number }): void {
    this.#batches.observe(size)
    this.#stages.read(stages.read)
    this.#stages.decide(stages.decide)
    this.#stages.write(stages.write)
  }

  fault(fault: string): void {
    this.#faults.inc({ fault })
  }

  request(route: string, status: number): void {
    this.#requests.inc({ route, status: String(status) })
  }

  connectionClosed(reason: string): void {
    this.#closed.inc({ reason })
  }

  expired(count: number): void {
    this.#expired.inc(count)
  }

  text(): Promise<string> {
    return this.registry.metrics()
  }
}

/** The map behind a key, made where there is none. */
function inner<Value>(maps: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  let map = maps.get(key)
  if (map === undefined) {
    map = new Map()
    maps.set(key, map)
  }
  return map
}
