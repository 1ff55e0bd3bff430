import { defaultFraming, type Framing, frameLengthKinds } from '../codec/framing.ts'
import { UsageError } from './io.ts'

export const framingUsage = `${frameLengthKinds.join(', ')}; then ,inclusive and ,tpdu`

/** `binary2` or `ascii4,inclusive,tpdu`. */
export function framingOf(given: string): Framing {
  const [kind, ...flags] = given.split(',')
  const length = frameLengthKinds.find(each => each === kind)
  if (length === undefined) throw new UsageError(`--framing must be one of ${framingUsage}, not "${given}"`)
  const unknown = flags.find(flag => flag !== 'inclusive' && flag !== 'tpdu')
  if (unknown !== undefined) throw new UsageError(`--framing has inclusive and tpdu, but no "${unknown}"`)
  return { ...defaultFraming, length, inclusive: flags.includes('inclusive'), tpdu: flags.includes('tpdu') }
}
