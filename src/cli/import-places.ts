import type { NewMerchant, NewTerminal } from '../store/import/places.ts'
import type { LineCells } from './import-line.ts'

const merchantCode = /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/
const terminalCode = /^[A-Za-z0-9][A-Za-z0-9._-]{0,7}$/
const nameCharsMax = 200
const wordCharsMax = 64

/** A merchant of a line; null if something is wrong with it. */
export function merchantOf(cells: LineCells): NewMerchant | null {
  const code = cells.text('code')
  if (!merchantCode.test(code)) cells.fail('code', code === '' ? 'missing' : 'code_invalid', code)
  const name = cells.text('name')
  if (name === '' || name.length > nameCharsMax) cells.fail('name', name === '' ? 'missing' : 'too_long')
  const groups = cells
    .text('groups')
    .split(/[;،|]/)
    .map(group => group.trim())
    .filter(group => group !== '')
  if (groups.some(group => group.length > wordCharsMax)) cells.fail('groups', 'too_long')
  const category = wordOf(cells, 'category')
  const settlementAccount = wordOf(cells, 'settlementAccount')
  return cells.problem === null ? { line: cells.line, code, name, category, groups, settlementAccount } : null
}

/** A terminal of a line; null if something is wrong with it. */
export function terminalOf(cells: LineCells): NewTerminal | null {
  const code = cells.text('code')
  if (!terminalCode.test(code)) cells.fail('code', code === '' ? 'missing' : 'code_invalid', code)
  const merchant = cells.text('merchant')
  if (merchant === '') cells.fail('merchant', 'missing')
  const channel = cells.text('channel').toLowerCase() || 'pos'
  if (!['pos', 'web', 'app'].includes(channel)) cells.fail('channel', 'channel_unknown', channel)
  const confirmation = cells.text('confirmation').toLowerCase() || 'explicit'
  if (!['explicit', 'implicit'].includes(confirmation)) cells.fail('confirmation', 'confirmation_unknown', confirmation)
  const partial = answers.get(cells.text('partial').toLowerCase())
  if (partial === undefined) cells.fail('partial', 'yes_or_no', cells.text('partial'))
  if (cells.problem !== null || partial === undefined) return null
  return { line: cells.line, code, merchant, channel, confirmation, partial }
}

const answers: ReadonlyMap<string, boolean> = new Map([
  ...['', 'no', 'false', '0', 'خیر', 'ندارد'].map(word => [word, false] as const),
  ...['yes', 'true', '1', 'بله', 'بلی', 'دارد'].map(word => [word, true] as const),
])

function wordOf(cells: LineCells, field: string): string | null {
  const text = cells.text(field)
  if (text.length > wordCharsMax) return cells.fail(field, 'too_long')
  return text === '' ? null : text
}
