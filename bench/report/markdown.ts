import { checksOf, type Report } from './report.ts'
import { type Table, tablesOf } from './tables.ts'
import { headOf } from './text.ts'

/** The report for `bench/RESULTS.md`. */
export function markdownOf(report: Report): string {
  const checks = checksOf(report).map(({ ok, text }) => `- ${ok ? 'ok' : '**failed**'}: ${text}`)
  return [
    '# Results\n\nMade by `npm run bench`; how to make them again and what to doubt is in',
    '[docs/load-testing.md](../docs/load-testing.md).\n',
    `\`\`\`text\n${headOf(report).join('\n')}\n\`\`\`\n`,
    ...tablesOf(report).map(tableText),
    `## Checks\n\n${[...report.notes.map(note => `- ${note}`), ...checks].join('\n')}\n`,
  ].join('\n')
}

function tableText({ title, note, rows }: Table): string {
  const [head = [], ...body] = rows
  const line = (cells: readonly string[]): string =>
    `| ${head.map((_, column) => (cells[column] ?? '').trim().replaceAll('|', '\\|')).join(' | ')} |`
  const rule = `| ${head.map((_, column) => (column === 0 ? '---' : '---:')).join(' | ')} |`
  return [`## ${title}\n`, ...(note === '' ? [] : [`${note}\n`]), line(head), rule, ...body.map(line), ''].join('\n')
}
