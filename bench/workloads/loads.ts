import type { LoadSpec } from '../../src/load/spec.ts'
import { runLoad, startNullServer } from '../load-runner.ts'
import { watch } from '../measure.ts'
import { shippedEngine } from '../servers.ts'
import { httpSpec, isoSpec, openSpec } from '../specs.ts'
import type { Running } from '../stage.ts'
import { hotTills, type Shape } from '../tenant.ts'
import { creditId, type Run, record } from './run.ts'

/** Of a measurement's time: enough to show that the generator is not what is measured. */
const limitPart = 0.3

/** The load generators themselves, against a server that only answers. */
export async function runLimit(run: Run): Promise<void> {
  const { options, progress, signal, found } = run
  const server = await startNullServer()
  try {
    const specs = [
      ['limit-iso', 'load alone, ISO', isoSpec(options, server.port, options.inFlight.at(-1)!)],
      ['limit-http', 'load alone, HTTP', httpSpec(options, server.port)],
    ] as const
    for (const [id, name, full] of specs) {
      progress.step(name)
      const spec: LoadSpec = { ...full, measureMs: full.measureMs * limitPart }
      const nothing = (): void => {}
      const watcher = { onStarted: nothing, onTick: watch(spec, progress), onMeasuring: nothing, onMeasured: nothing }
      found.limits.push({ id, name, run: run.run, load: await runLoad(spec, watcher, signal) })
    }
  } finally {
    server.stop()
  }
}

export async function runCredit(run: Run): Promise<void> {
  const on = await run.stage.switchOn('plain')
  for (const inFlight of run.options.inFlight) {
    const what = { workload: 'credit', id: creditId(inFlight), name: `ISO, ${inFlight} in flight` } as const
    await record(run, on, what, isoSpec(run.options, on.running.isoPort, inFlight))
  }
}

export async function runHttp(run: Run): Promise<void> {
  const { httpConnections } = run.options
  const on = await run.stage.switchOn('plain')
  const what = { workload: 'http', id: 'http', name: `HTTP, ${httpConnections} in flight` } as const
  await record(run, on, what, httpSpec(run.options, on.running.httpPort))
}

const hotCardPart = 0.3

export async function runHot(run: Run): Promise<void> {
  const { options, stage } = run
  const on = await stage.switchOn('plain')
  const spec = mostInFlight(run, on)
  const merchant = { workload: 'hot', id: 'hot-merchant', name: 'one hot merchant' } as const
  await record(run, on, merchant, { ...spec, tills: hotTills(options.connections) })
  const card = { workload: 'hot', id: 'hot-card', name: `one hot card, ${hotCardPart * 100} %` } as const
  await record(run, on, card, { ...spec, hotCardPart })
}

export async function runSteady(run: Run): Promise<void> {
  const { options, stage } = run
  const on = await stage.switchOn('plain')
  const specs = [
    ['steady-iso', 'ISO', isoSpec(options, on.running.isoPort, options.connections)],
    ['steady-http', 'HTTP', httpSpec(options, on.running.httpPort)],
  ] as const
  for (const [id, protocol, spec] of specs) {
    const steady = { ...openSpec(spec, options.rate), measureMs: options.steadySeconds * 1000 }
    await record(run, on, { workload: 'steady', id, name: `steady ${options.rate}/s, ${protocol}` }, steady)
  }
}

export const runOneOrganisation = (run: Run): Promise<void> =>
  runShape(run, 'one_organisation', { workload: 'one-organisation', id: 'one-organisation', name: 'one organisation' })

export const runWelfare = (run: Run): Promise<void> =>
  runShape(run, 'welfare', { workload: 'welfare', id: 'welfare', name: 'welfare: 3 lots, 4 limits' })

/** The canonical load on another tenant. */
async function runShape(run: Run, shape: Shape, what: Parameters<typeof record>[2]): Promise<void> {
  const on = await run.stage.switchOn(shape)
  await record(run, on, what, mostInFlight(run, on))
}

const oneEngine = { ...shippedEngine, batchMax: 1 }

export async function runBatchesOfOne(run: Run): Promise<void> {
  const { options, stage } = run
  const on = await stage.switchOn('plain', { engine: oneEngine })
  // It is no faster with more, but what waits behind them is refused after five seconds.
  const inFlight = options.inFlight[0]!
  const what = { workload: 'one', id: 'one', name: `batches of one, ${inFlight}` } as const
  await record(run, on, what, isoSpec(options, on.running.isoPort, inFlight))
}

const mostInFlight = ({ options }: Run, on: Running): LoadSpec =>
  isoSpec(options, on.running.isoPort, options.inFlight.at(-1)!)
