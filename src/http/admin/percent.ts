/** Percent with up to four decimals as text, from 0 to 100 (`1.25`), as millionths; null if it is not that. */
export function millionthsOf(percent: string): number | null {
  const [, whole, decimals = ''] = /^([0-9]{1,3})(?:\.([0-9]{1,4}))?$/.exec(percent) ?? []
  if (whole === undefined) return null
  const millionths = Number.parseInt(whole, 10) * 10_000 + Number.parseInt(decimals.padEnd(4, '0'), 10)
  return millionths <= 1_000_000 ? millionths : null
}

/** 12500 millionths → `1.25` */
export function percentOf(millionths: number): string {
  const decimals = String(millionths % 10_000)
    .padStart(4, '0')
    .replace(/0+$/, '')
  const whole = Math.floor(millionths / 10_000)
  return decimals === '' ? String(whole) : `${whole}.${decimals}`
}
