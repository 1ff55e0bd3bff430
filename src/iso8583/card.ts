import { type Fields, isDigits } from './elements.ts'

/** ISO/IEC 7812-1: at most 19 digits. Too short ones are simply unknown cards. */
const panDigitsMax = 19

const isPan = (text: string, length: number): boolean =>
  length > 0 && length <= panDigitsMax && isDigits(text, 0, length)

/** Where the PAN of track 2 ends (ISO/IEC 7813: `=`, which terminals also send as D); -1 if it does not. */
function panEnd(track: string): number {
  const end = track.indexOf('=')
  return end < 0 ? track.indexOf('D') : end
}

/** What is wrong with the card in a message, naming no digit of it; null if nothing is. No card is no fault here. */
export function cardFaultOf(fields: Fields): string | null {
  const pan = fields[2]
  const track = fields[35]
  if (pan !== undefined && !isPan(pan, pan.length)) return 'DE2 invalid'
  if (track === undefined) return null
  const end = panEnd(track)
  if (!isPan(track, end)) return 'DE35 invalid'
  return pan === undefined || (pan.length === end && track.startsWith(pan)) ? null : 'DE2 and DE35 differ'
}

/** The PAN of a message without a card fault: DE2, else that of track 2. */
export function panOf(fields: Fields): string | undefined {
  const pan = fields[2]
  const track = fields[35]
  return pan ?? (track === undefined ? undefined : track.slice(0, panEnd(track)))
}
