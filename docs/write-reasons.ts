import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { isApproval, type Reason, type ReasonRow, reasons } from '../src/core/reasons.ts'

const introduction = `# Reasons

Everything that the switch can answer. This page is made from \`src/core/reasons.ts\` by \`npx node docs/write-reasons.ts\`,
and a test compares the two.

- **reason** is what programs should look at: over HTTP the field \`reason\`, over ISO 8583 the first 25 characters in DE44.
- **DE39** is the response code of ISO 8583; over HTTP it is \`responseCode\`.
- **HTTP** is the status.
- The sentences are for the cashier: over HTTP \`message\` and \`messageFa\`.
`

const stored = `## Refused for good

A promise: the request has had no effect and will have none. The same key gets the same answer again; to try again is a new
attempt, with a new \`Idempotency-Key\` or a new DE11. The one exception is \`other_content\`: it is not stored, because what is
stored under that key is the answer to the other content.
`

const passing = `## Not stored

The request was not taken up, so the same key may be sent again as it is. For \`outcome_unknown\` it must be: the request may
have had its effect, and only the same key tells. Over ISO 8583 there is no answer then, and the terminal reverses.
`

const approvals = `## Approved

The status is 201 where the answer is a new transaction (authorize, refund), otherwise 200.
`

/** The page of all reasons, in Markdown. */
export function reasonsPage(): string {
  const rows = Object.entries(reasons) as [Reason, ReasonRow][]
  const sections = [
    approvals + tableOf(rows.filter(([reason]) => isApproval(reason))),
    stored + tableOf(rows.filter(([reason, { retry }]) => !isApproval(reason) && !retry)),
    passing + tableOf(rows.filter(([, { retry }]) => retry)),
  ]
  return [introduction, ...sections].join('\n')
}

/** The last column is not padded: how wide Persian letters are is the font's to say. */
function tableOf(rows: readonly [Reason, ReasonRow][]): string {
  const cells = [
    ['reason', 'DE39', 'HTTP', 'sentence', 'in Persian'],
    ...rows.map(([reason, { de39, http, en, fa }]) => [
      `\`${reason}\``,
      de39,
      isApproval(reason) ? '200, 201' : String(http),
      en,
      fa,
    ]),
  ]
  const widths = [0, 1, 2, 3].map(column => Math.max(...cells.map(row => row[column]?.length ?? 0)))
  const lineOf = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = cells
  const rule = `|${[...widths, 10].map(width => '-'.repeat(width + 2)).join('|')}|`
  return `\n${[lineOf(head), rule, ...body.map(lineOf)].join('\n')}\n`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(new URL('reasons.md', import.meta.url), reasonsPage())
}
