import type { Measurement } from '../measure.ts'
import { type Bar, barChart, escaped, type LineChart, lineChart } from './charts.ts'
import { type Figure, figuresOf } from './figures.ts'
import { checksOf, type Report } from './report.ts'
import { comparisonsOf, type Table, tablesOf } from './tables.ts'
import { headOf } from './text.ts'

const style = `
:root{color-scheme:light dark;--bg:#fff;--ink:#1c1c1e;--soft:#63636a;--rule:#dcdce2;--card:#f6f6f8;
--s0:#2a6fd6;--s1:#0f9d6b;--s2:#d98a00;--s3:#d03b3b;--s4:#7a4fd0;--ok:#0b7a4f;--bad:#c22f2f}
@media (prefers-color-scheme:dark){:root{--bg:#161618;--ink:#ececf0;--soft:#a0a0aa;--rule:#34343a;--card:#1f1f23;
--s0:#6aa5ff;--s1:#3fcf9a;--s2:#f0b24a;--s3:#ff7b7b;--s4:#b094ff;--ok:#3fcf9a;--bad:#ff7b7b}}
body{background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif;max-width:1120px;margin:2rem auto;
padding:0 1rem}h1{font-size:1.6rem}h2{font-size:1.15rem;margin:2.2rem 0 .3rem}
p.note{color:var(--soft);margin:.2rem 0 .6rem}
pre{background:var(--card);padding:.8rem;border-radius:8px;overflow:auto;font-size:12.5px}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13.5px}
td,th{padding:.25rem .7rem;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}
td:first-child,th:first-child{text-align:left;padding-left:0}th{color:var(--soft);font-weight:600}
.met{color:var(--ok);font-weight:600}.not{color:var(--bad);font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:1rem;margin:.6rem 0}
figure{margin:0;background:var(--card);border-radius:10px;padding:.7rem}figure.wide{margin:.6rem 0}
figcaption{font-weight:600;font-size:13.5px}figcaption small{color:var(--soft);font-weight:400}
svg{width:100%;height:auto;display:block}.grid{stroke:var(--rule)}.tick{fill:var(--soft);font-size:11px}
.line{fill:none;stroke-width:2}.hit{fill:transparent}.hit:hover{fill:var(--ink)}
.name,.value{fill:var(--ink);font-size:12px}
.bar{fill:var(--s0)}.whisker{stroke:var(--ink);stroke-width:1.5}.target{stroke:var(--s3);stroke-width:2}
.legend{float:right;font-weight:400;font-size:12px;color:var(--soft)}.legend span{margin-left:.7rem}
.legend i{display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:4px}
summary{cursor:pointer;font-weight:600;margin:.7rem 0 .2rem}`

/** The report as one page that needs nothing else: no script, no font, no address. */
export function htmlOf(report: Report): string {
  const [targets, ...tables] = tablesOf(report)
  const checks = checksOf(report).map(
    ({ ok, text }) => `<li><span class="${ok ? 'met' : 'not'}">${ok ? 'ok' : 'failed'}</span> ${escaped(text)}</li>`,
  )
  const parts = [
    `<h1>Charsu: the benchmark</h1><pre>${escaped(headOf(report).join('\n'))}</pre>`,
    targets === undefined ? '' : tableHtml(targets),
    `<h2>Comparisons</h2><p class="note">Within the same run. The red mark is what is wanted.</p>`,
    ratioBars(report),
    rateBars(report),
    percentileChart(report),
    ...tables.map(tableHtml),
    growthCharts(report),
    `<h2>Second by second</h2><p class="note">Of the first run of each measurement.</p>`,
    ...report.measurements.filter(({ run, workload }) => run === 1 && workload !== 'growth').map(seconds),
    `<h2>Checks</h2><ul>${report.notes.map(note => `<li>${escaped(note)}</li>`).join('')}${checks.join('')}</ul>`,
    '<h2>Configuration</h2>',
    configuration(report),
  ]
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Charsu: the benchmark</title>` +
    `<meta name="viewport" content="width=device-width"><style>${style}</style></head><body>` +
    `${parts.join('\n')}</body></html>\n`
  )
}

function tableHtml({ title, note, rows }: Table): string {
  const [head = [], ...body] = rows
  const row = (cells: readonly string[], tag: string): string =>
    `<tr>${head.map((_, column) => cellHtml(cells[column] ?? '', tag)).join('')}</tr>`
  return (
    `<h2>${escaped(title)}</h2><p class="note">${escaped(note)}</p><div class="scroll"><table>` +
    `<thead>${row(head, 'th')}</thead><tbody>${body.map(cells => row(cells, 'td')).join('')}</tbody></table></div>`
  )
}

const verdicts: Readonly<Record<string, string>> = { met: 'met', 'not met': 'not' }

function cellHtml(text: string, tag: string): string {
  const verdict = verdicts[text]
  return `<${tag}${verdict === undefined ? '' : ` class="${verdict}"`}>${escaped(text)}</${tag}>`
}

const wantedRatios: Readonly<Record<string, number>> = {
  'one in transactions': 8,
  'pgbench in transactions': 2.5,
  'pgbench in messages': 5,
}
const wantedParts: Readonly<Record<string, number>> = {
  'hot-merchant': 90,
  'hot-card': 70,
  'one-organisation': 70,
  welfare: 75,
  scale: 90,
}

function ratioBars(report: Report): string {
  const figures = comparisonsOf(report)
  const barOf = (figure: Figure, name: string, times: number, target: number | undefined): Bar => ({
    name,
    ...{ value: figure.median * times, min: figure.min * times, max: figure.max * times },
    ...(target === undefined ? {} : { target }),
  })
  const ratios = figures.flatMap(figure => {
    const [, against, of] = /times (\S+), in (\S+)$/.exec(figure.name) ?? []
    const target = wantedRatios[`${against} in ${of}`]
    const name = against === 'one' ? 'batches of one' : `pgbench, ${of}`
    return target === undefined ? [] : [barOf(figure, `times ${name}`, 1, target)]
  })
  const parts = figures.flatMap(figure => {
    const id = figure.id.split(' ')[0] as string
    return id in wantedParts ? [barOf(figure, id, 100, wantedParts[id])] : []
  })
  return barChart('Times as fast as others', '×', ratios) + barChart('Part of the uniform rate', '%', parts)
}

function rateBars(report: Report): string {
  const figures = [...figuresOf(report).values()].filter(
    ({ id }) => id.endsWith(' transactions/s') && !/^(?:growth|capacity|overload|steady)/.test(id),
  )
  const bars = figures.map(({ name, median, min, max }) => ({
    ...{ name: name.replace(/: transactions\/s$/, ''), value: median, min, max },
  }))
  return barChart('Transactions a second', '/s', bars)
}

function percentileChart({ measurements }: Report): string {
  const xTexts = ['50', '90', '95', '99', '99.9', '99.99', 'max']
  const shown = measurements.filter(({ run, workload }) => run === 1 && ['credit', 'http', 'steady'].includes(workload))
  const series = shown.slice(0, 5).map(({ name, load }) => {
    const { p50Ms, p90Ms, p95Ms, p99Ms, p999Ms, p9999Ms, maxMs } = load.latencies.transaction
    const points = [p50Ms, p90Ms, p95Ms, p99Ms, p999Ms, p9999Ms, maxMs].map((ms, index) => [index, ms] as const)
    return { name, points }
  })
  const title = 'Latency of a transaction, by percentile'
  return `<div class="charts">${lineChart({ title, unit: 'ms', x: 'percentile', series, isLog: true, xTexts })}</div>`
}

function seconds({ name, load, samples, memory }: Measurement): string {
  const perSecond = (of: (second: (typeof load.series)[number]) => number) =>
    load.series.map((second, index) => [index + 1, of(second)] as const)
  const sampled = (of: (sample: (typeof samples)[number]) => number | null) =>
    samples.flatMap(sample => {
      const value = of(sample)
      return value === null ? [] : [[sample.atSeconds, value] as const]
    })
  const charts: LineChart[] = [
    {
      ...{ title: 'Throughput', unit: 'a second', x: 's' },
      series: [
        { name: 'transactions', points: perSecond(one => one.transactions) },
        ...(load.series.some(one => one.refused > 0)
          ? [{ name: 'refused', points: perSecond(one => one.refused) }]
          : []),
        ...(load.series.some(one => one.unsent > 0)
          ? [{ name: 'never sent', points: perSecond(one => one.unsent) }]
          : []),
      ],
    },
    {
      ...{ title: 'Latency of a transaction', unit: 'ms', x: 's', isLog: true },
      series: [
        { name: 'p50', points: perSecond(one => one.p50Ms) },
        { name: 'p99', points: perSecond(one => one.p99Ms) },
        { name: 'max', points: perSecond(one => one.maxMs) },
      ],
    },
    {
      ...{ title: 'CPU', unit: 'cores busy', x: 's' },
      series: [
        { name: 'switch', points: sampled(one => one.cores.switch) },
        { name: 'PostgreSQL', points: sampled(one => one.cores.postgres) },
        { name: 'load', points: sampled(one => one.cores.load) },
        { name: 'machine', points: sampled(one => one.cores.machine) },
      ],
    },
    {
      ...{ title: 'Time of an fsync of the WAL', unit: 'ms', x: 's' },
      series: [{ name: 'fsync', points: sampled(one => one.fsyncMs) }],
    },
    {
      ...{ title: 'fsyncs and batches', unit: 'a second', x: 's' },
      series: [
        { name: 'fsyncs', points: sampled(one => one.fsyncs) },
        { name: 'batches', points: sampled(one => one.batches) },
      ],
    },
    {
      ...{ title: 'Commands in a batch', unit: 'mean', x: 's' },
      series: [{ name: 'commands', points: sampled(one => one.commandsPerBatch) }],
    },
  ]
  const peak = memory.switchPeakMb === null ? '' : `, switch ${Math.round(memory.switchPeakMb)} MB at its peak`
  const rate = Math.round(load.transactions / load.seconds).toLocaleString('en-US')
  return (
    `<details open><summary>${escaped(name)}: ${rate} transactions/s${peak}</summary>` +
    `<div class="charts">${charts.map(lineChart).join('')}</div></details>`
  )
}

function growthCharts({ growth }: Report): string {
  const points = (of: (point: (typeof growth)[number]) => number) =>
    growth.map(point => [point.transactions, of(point)] as const)
  const common = { x: 'transactions' } as const
  const charts = [
    lineChart({
      ...{ ...common, title: 'Growth: throughput', unit: 'transactions a second' },
      series: [{ name: 'rate', points: points(one => one.perSecond) }],
    }),
    lineChart({
      ...{ ...common, title: 'Growth: bytes a transaction', unit: 'bytes' },
      series: [
        { name: 'database', points: points(one => one.bytesEach) },
        { name: 'WAL', points: points(one => one.walBytesEach) },
      ],
    }),
  ]
  return growth.length < 2 ? '' : `<div class="charts">${charts.join('')}</div>`
}

/** All that can be set, and every load as it was sent. */
function configuration({ options, engine, settings, machine, measurements }: Report): string {
  const loads = new Map(measurements.map(({ id, spec }) => [id, { ...spec, tills: `${spec.tills.length} terminals` }]))
  const text = JSON.stringify({ options, engine, settings, machine, loads: Object.fromEntries(loads) }, null, 2)
  return `<details><summary>everything</summary><pre>${escaped(text)}</pre></details>`
}
