import { creditId } from '../workloads/run.ts'
import { type Figure, figuresOf, ratioOf } from './figures.ts'
import { grouped } from './numbers.ts'
import type { Report } from './report.ts'

/** What is promised on two cores that switch, PostgreSQL and load share; null: it was not measured. */
export interface Target {
  readonly what: string
  readonly wanted: string
  readonly figures: readonly (Figure | null)[]
  readonly isMet: boolean | null
}

type Bound = readonly [figure: Figure | null, relation: '≥' | '≤', bound: number, unit: string]

export function targetsOf(report: Report): readonly Target[] {
  const figures = figuresOf(report)
  const { inFlight, rate } = report.options
  const most = creditId(inFlight.at(-1)!)
  const few = creditId(inFlight[0]!)
  const figure = (id: string): Figure | null => figures.get(id) ?? null
  const part = (id: string): Figure | null => percent(ratioOf(report, id, most, 'transactions'))
  const steady = (id: string): Bound[] => [
    [figure(`${id} transaction p50`), '≤', 3, 'ms p50'],
    [figure(`${id} transaction p99`), '≤', 10, 'ms p99'],
    [figure(`${id} transaction p99.9`), '≤', 50, 'ms p99.9'],
  ]
  return [
    target(`ISO 8583, ${inFlight.at(-1)} in flight`, [
      [figure(`${most} transactions/s`), '≥', 10_000, 'transactions/s'],
    ]),
    ...(few === most
      ? []
      : [
          target(`ISO 8583, ${inFlight[0]} in flight`, [
            [figure(`${few} transactions/s`), '≥', 5_000, 'transactions/s'],
            [figure(`${few} message p99`), '≤', 40, 'ms p99'],
          ]),
        ]),
    target('HTTP', [[figure('http transactions/s'), '≥', 4_000, 'transactions/s']]),
    target(`steady ${rate}/s, open loop, ISO 8583`, steady('steady-iso')),
    target(`steady ${rate}/s, open loop, HTTP`, steady('steady-http')),
    target('one hot merchant, all traffic', [[part('hot-merchant'), '≥', 90, '% of the uniform rate']]),
    target('one hot card, 30 % of the traffic', [[part('hot-card'), '≥', 70, '% of the uniform rate']]),
    target('welfare: three lots, four limits', [[part('welfare'), '≥', 75, '% of the uniform rate']]),
    target("one organisation's budget, all traffic", [[part('one-organisation'), '≥', 70, '% of the uniform rate']]),
    target('with millions of cards and past transactions', [[part('scale'), '≥', 90, '% of the empty database']]),
    target('against pgbench TPC-B', [
      [ratioOf(report, most, 'pgbench', 'transactions'), '≥', 2.5, 'times in transactions'],
      [ratioOf(report, most, 'pgbench', 'messages'), '≥', 5, 'times in messages'],
    ]),
    target('against batches of one', [[ratioOf(report, most, 'one', 'transactions'), '≥', 8, 'times']]),
    ...report.codec.map(({ message }) =>
      target(`codec, ${message}, against iso_8583`, [
        [figure(`codec ${message} pack ratio`), '≥', 10, 'times packing'],
        [figure(`codec ${message} unpack ratio`), '≥', 4, 'times unpacking'],
      ]),
    ),
    target('memory of the switch at its peak', [[worst(figures, 'switch memory'), '≤', 300, 'MB']]),
    target('WAL, over all of the growth', [[figure('growth WAL'), '≤', 2_000, 'bytes a transaction']]),
    target('disk, indexes included', [[figure('growth bytes'), '≤', 1_200, 'bytes a transaction']]),
  ]
}

function target(what: string, bounds: readonly Bound[]): Target {
  const isMet = bounds.every(([figure]) => figure !== null)
    ? bounds.every(([figure, relation, bound]) =>
        relation === '≥' ? figure!.median >= bound : figure!.median <= bound,
      )
    : null
  return {
    what,
    wanted: bounds.map(([, relation, bound, unit]) => `${relation} ${grouped(bound)} ${unit}`).join(', '),
    figures: bounds.map(([figure]) => figure),
    isMet,
  }
}

const percent = (figure: Figure | null): Figure | null =>
  figure === null
    ? null
    : { ...figure, unit: '%', median: figure.median * 100, min: figure.min * 100, max: figure.max * 100 }

function worst(figures: ReadonlyMap<string, Figure>, what: string): Figure | null {
  const all = [...figures.values()].filter(({ id }) => id.endsWith(` ${what}`))
  return all.toSorted((a, b) => b.median - a.median)[0] ?? null
}
