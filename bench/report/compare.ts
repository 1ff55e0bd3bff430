import { type Figure, figuresOf } from './figures.ts'
import { aligned, spread } from './numbers.ts'
import type { Report } from './report.ts'

/** Less than this is not told apart from noise by anybody who has measured twice. */
const noisePart = 0.05

/** What changed from one report to another: only figures that both have. */
export function compareReports(before: Report, after: Report): string {
  const [first, second] = [figuresOf(before), figuresOf(after)]
  const rows = [...first.values()].flatMap(figure => {
    const other = second.get(figure.id)
    return other === undefined ? [] : [rowOf(figure, other)]
  })
  const lines = aligned([['', 'unit', 'before', 'after', 'change', ''], ...rows])
  return [...differencesOf(before, after), '', ...lines, ''].join('\n')
}

function rowOf(before: Figure, after: Figure): string[] {
  const change = before.median === 0 ? 0 : after.median / before.median - 1
  const isNoise = Math.abs(change) < noisePart || (before.min <= after.max && after.min <= before.max && isSpread())
  const isBetter = change > 0 === (before.better === 'more')
  const sign = change >= 0 ? '+' : ''
  const verdict = isNoise ? '' : isBetter ? 'better' : 'WORSE'
  return [before.name, before.unit, spread(before), spread(after), `${sign}${(change * 100).toFixed(1)} %`, verdict]

  function isSpread(): boolean {
    return before.runs > 1 && after.runs > 1
  }
}

/** What makes the two hard to compare. */
function differencesOf(before: Report, after: Report): string[] {
  const lines = [before, after].map(({ commit, startedAt }, index) => {
    const id = `${commit?.id ?? 'unknown commit'}${commit?.isChanged ? ', changed since' : ''}`
    return `${index === 0 ? 'before' : 'after '}  ${id}, ${startedAt.slice(0, 16).replace('T', ' ')}`
  })
  const differ = (what: string, one: unknown, other: unknown): void => {
    if (JSON.stringify(one) !== JSON.stringify(other)) {
      lines.push(`differs: ${what}: ${JSON.stringify(one) ?? 'not told'} and ${JSON.stringify(other) ?? 'not told'}`)
    }
  }
  // An older report lacks what was not told then.
  const differEach = (some: Readonly<Record<string, unknown>>, others: Readonly<Record<string, unknown>>): void => {
    for (const name of Object.keys({ ...some, ...others })) differ(name, some[name], others[name])
  }
  for (const [index, { unfinished }] of [before, after].entries()) {
    if (unfinished !== undefined) lines.push(`not finished: ${index === 0 ? 'before' : 'after'}: ${unfinished}`)
  }
  const optionsOf = ({ options: { json: _, workloads: __, ...options } }: Report) => options
  differEach(optionsOf(before), optionsOf(after))
  for (const name of ['cores', 'cpu', 'memoryMb', 'node'] as const) {
    differ(name, before.machine[name], after.machine[name])
  }
  differ('engine', before.engine, after.engine)
  differEach(before.settings, after.settings)
  differ('fsync, to the millisecond', Math.round(before.fsync.medianMs), Math.round(after.fsync.medianMs))
  return lines
}
