import { latinDigits } from '../core/cardholders.ts'

/** What was put right in cells, and how often. */
export const cleanings = ['letters', 'digits', 'spaces', 'invisible', 'separators', 'zeros'] as const
type Cleaning = (typeof cleanings)[number]
export type CleaningCounts = Record<Cleaning, number>

export const noCleanings = (): CleaningCounts => ({
  letters: 0,
  digits: 0,
  spaces: 0,
  invisible: 0,
  separators: 0,
  zeros: 0,
})

/** ASCII words with single blanks between them: nothing to put right. */
const clean = /^(?:[!-~]+(?: [!-~]+)*)?$/
/** What a spreadsheet puts around a number so that it stays text: ="0912…" or '0912… */
const textMark = /^(?:="(.*)"|'(.*))$/s
const letters = /[\u064a\u0649\u0643]/g
/** Marks of direction, joiners at an edge, soft hyphens, the byte order mark, control characters, the long stroke. */
const invisible =
  /\p{Cc}|[\u00ad\u0640\u200b]|[\u200d-\u200f]|[\u202a-\u202e]|[\u2060-\u2069]|\ufeff|^\u200c+|\u200c+$/gu

/**
 * A cell in one form: Persian letters for Arabic ones, Latin digits (unless `keepsDigits`), single blanks, nothing that
 * cannot be seen. What it had to change is counted.
 */
export function cleanCell(cell: string, counts: CleaningCounts, keepsDigits = false): string {
  if (clean.test(cell) && !textMark.test(cell)) return cell
  const change = (text: string, to: string, cleaning: Cleaning): string => {
    if (to !== text) counts[cleaning] += 1
    return to
  }
  // Line breaks and tabs are blanks, not control characters.
  let text = change(cell, cell.replace(/\s+/g, ' ').trim(), 'spaces')
  text = change(text, text.replace(invisible, '').trim(), 'invisible')
  const [, quoted, marked] = textMark.exec(text) ?? []
  text = change(text, quoted ?? marked ?? text, 'separators')
  text = change(
    text,
    text.replace(letters, letter => (letter === '\u0643' ? '\u06a9' : '\u06cc')),
    'letters',
  )
  return keepsDigits ? text : change(text, latinDigits(text), 'digits')
}
