import { grouped } from './numbers.ts'

export interface Series {
  readonly name: string
  /** x ascending. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface LineChart {
  readonly title: string
  readonly unit: string
  readonly x: string
  readonly series: readonly Series[]
  /** Powers of ten: for latencies, of which the longest matter. */
  readonly isLog?: boolean
  /** Texts for whole x from 0, instead of numbers. */
  readonly xTexts?: readonly string[]
}

export interface Bar {
  readonly name: string
  readonly value: number
  readonly min: number
  readonly max: number
  /** Where the promise is. */
  readonly target?: number
}

const width = 520
const height = 220
const margin = { left: 56, right: 12, top: 28, bottom: 34 }
const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom }

export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, one => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[one] as string)

/** An SVG of its own, with the page's colours (`--s0` and on). Empty where there is nothing to draw. */
export function lineChart({ title, unit, x, series, isLog = false, xTexts }: LineChart): string {
  const drawn = series.filter(({ points }) => points.length > 1)
  if (drawn.length === 0) return ''
  const all = drawn.flatMap(({ points }) => points)
  const [left, right] = [Math.min(...all.map(([at]) => at)), Math.max(...all.map(([at]) => at))]
  const most = Math.max(...all.map(([, value]) => value), isLog ? 1 : 0)
  const least = isLog ? Math.max(0.01, Math.min(...all.map(([, value]) => value).filter(value => value > 0))) : 0
  const ticks = isLog ? powersOfTen(least, most) : evenTicks(most)
  const [low, high] = [ticks[0] as number, ticks.at(-1) as number]
  const xOf = (at: number): number => margin.left + ((at - left) / (right - left || 1)) * inner.width
  const partOf = (value: number): number =>
    isLog ? Math.log(Math.max(value, low) / low) / Math.log(high / low) : value / (high || 1)
  const yOf = (value: number): number => margin.top + (1 - partOf(value)) * inner.height
  const grid = ticks.map(tick => {
    return (
      lineAt('grid', [margin.left, yOf(tick)], [width - margin.right, yOf(tick)]) +
      textAt('tick', margin.left - 6, yOf(tick) + 4, 'end', short(tick))
    )
  })
  const xTicks = (xTexts?.map((_, index) => index) ?? evenTicks(right - left).map(at => at + left)).filter(
    at => at >= left && at <= right,
  )
  const xLabels = xTicks.map(at => textAt('tick', xOf(at), height - 18, 'middle', xTexts?.[at] ?? short(at)))
  const lines = drawn.map(({ name, points }, index) => {
    const path = points.map(([at, value], step) => `${step === 0 ? 'M' : 'L'}${px(xOf(at))} ${px(yOf(value))}`).join('')
    const dots = points.map(
      ([at, value]) =>
        `<circle class="hit" cx="${px(xOf(at))}" cy="${px(yOf(value))}" r="5"><title>${escaped(name)}: ` +
        `${grouped(value)} ${unit} (${xTexts?.[at] ?? grouped(at)} ${x})</title></circle>`,
    )
    return `<path class="line" style="stroke:var(--s${index})" d="${path}"/>${dots.join('')}`
  })
  const legend = drawn.length === 1 ? '' : legendOf(drawn.map(({ name }) => name))
  return (
    `<figure><figcaption>${escaped(title)} <small>${escaped(unit)}</small>${legend}</figcaption>` +
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">` +
    `${grid.join('')}${xLabels.join('')}${textAt('tick', width - margin.right, height - 4, 'end', x)}` +
    `${lines.join('')}</svg></figure>`
  )
}

const barHeight = 22
const nameWidth = 190
const valueWidth = 120

/** Bars with what they were at least and at most, and a mark where the promise is. */
export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  if (bars.length === 0) return ''
  const most = Math.max(...bars.flatMap(({ max, target = 0 }) => [max, target])) || 1
  const room = 720 - nameWidth - valueWidth
  const xOf = (value: number): number => nameWidth + (value / most) * room
  const rows = bars.map(({ name, value, min, max, target }, index) => {
    const y = index * barHeight + 4
    const middle = y + (barHeight - 6) / 2
    const promise = target === undefined ? '' : lineAt('target', [xOf(target), y - 2], [xOf(target), y + barHeight - 4])
    const whisker = min === max ? '' : lineAt('whisker', [xOf(min), middle], [xOf(max), middle])
    return (
      textAt('name', nameWidth - 8, middle + 4, 'end', name) +
      `<rect class="bar" x="${nameWidth}" y="${y}" width="${px(Math.max(1, xOf(value) - nameWidth))}" ` +
      `height="${barHeight - 6}" rx="3"/>${whisker}${promise}` +
      textAt('value', xOf(Math.max(max, target ?? 0)) + 8, middle + 4, 'start', `${grouped(value)} ${unit}`)
    )
  })
  return (
    `<figure class="wide"><figcaption>${escaped(title)}</figcaption>` +
    `<svg viewBox="0 0 720 ${bars.length * barHeight + 8}" role="img" aria-label="${escaped(title)}">` +
    `${rows.join('')}</svg></figure>`
  )
}

const legendOf = (names: readonly string[]): string =>
  `<span class="legend">${names
    .map((name, index) => `<span><i style="background:var(--s${index})"></i>${escaped(name)}</span>`)
    .join('')}</span>`

const textAt = (style: string, x: number, y: number, anchor: string, text: string): string =>
  `<text class="${style}" x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${escaped(text)}</text>`

const lineAt = (style: string, [x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number]): string =>
  `<line class="${style}" x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}"/>`

const px = (value: number): string => value.toFixed(1)

const short = (value: number): string =>
  value >= 1e6 ? `${grouped(value / 1e6)}M` : value >= 10_000 ? `${grouped(value / 1000)}k` : grouped(value)

/** From 0 to at least `most`, in four or five steps of 1, 2 or 5 times a power of ten. */
function evenTicks(most: number): number[] {
  if (!(most > 0)) return [0, 1]
  const rough = most / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find(times => times * power >= rough) ?? 10)
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, index) => index * step)
}

function powersOfTen(least: number, most: number): number[] {
  const from = Math.floor(Math.log10(least))
  const to = Math.max(from + 1, Math.ceil(Math.log10(most)))
  return Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index))
}
