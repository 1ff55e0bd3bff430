import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const sizeBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

/** What the switch can be asked at the moment of a scrape. */
export interface Sources {
  readonly queued: () => number
  readonly isAway: () => boolean
  readonly connections: () => number
}

/** Everything that is counted, in one registry. No label holds anything that a client can make up. */
export class Metrics {
  readonly registry = new Registry()
  readonly #commands: Counter<'command' | 'channel' | 'outcome'>
  readonly #answers: Histogram<'channel'>
  readonly #stages: Histogram<'stage'>
  readonly #batches: Histogram
  readonly #faults: Counter<'fault'>
  readonly #requests: Counter<'route' | 'status'>
  readonly #closed: Counter<'reason'>
  readonly #expired: Counter
  readonly #late: Counter

  constructor({ queued, isAway, connections }: Sources) {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    this.#commands = new Counter({
      name: 'charsu_commands_total',
      help: 'Commands answered, by what they asked for, the channel and the reason of the answer',
      labelNames: ['command', 'channel', 'outcome'],
      registers,
    })
    this.#answers = new Histogram({
      name: 'charsu_answer_seconds',
      help: 'From the arrival of a request to the leaving of its answer',
      labelNames: ['channel'],
      buckets: secondsBuckets,
      registers,
    })
    this.#stages = new Histogram({
      name: 'charsu_batch_stage_seconds',
      help: 'Time of each stage of a batch: read (locks and rows), decide, write (to COMMIT answered)',
      labelNames: ['stage'],
      buckets: secondsBuckets,
      registers,
    })
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
    this.#commands.inc({ command, channel, outcome })
    this.#answers.observe({ channel }, elapsedSeconds)
    if (outcome === 'confirm_too_late') this.#late.inc()
  }

  batch(size: number, stages: { readonly read: number; readonly decide: number; readonly write: number }): void {
    this.#batches.observe(size)
    this.#stages.observe({ stage: 'read' }, stages.read)
    this.#stages.observe({ stage: 'decide' }, stages.decide)
    this.#stages.observe({ stage: 'write' }, stages.write)
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
