/** Whole numbers in groups of three digits; small ones with as many digits as say something. */
export function grouped(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en-US')
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1)
}

/** A median with the least and the most of its runs, where there are several. */
export const spread = ({
  median,
  min,
  max,
  runs,
}: {
  median: number
  min: number
  max: number
  runs: number
}): string => (runs === 1 ? grouped(median) : `${grouped(median)} (${grouped(min)}–${grouped(max)})`)

/** Columns as wide as they must be, the first to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(...rows.map(row => row.length))
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
}
