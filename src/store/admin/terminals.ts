import {
  type Change,
  type Changed,
  type Created,
  type Creation,
  type Page,
  type PageRequest,
  refused,
} from '../../core/admin.ts'
import type { NewTerminal, TerminalPatch, TerminalRecord } from '../../core/parties.ts'
import { idOf, idOrNull } from '../sql.ts'
import { assignments, changeOnce, codeTaken, createOnce } from './changes.ts'
import { pageOf } from './page.ts'
import type { AdminPool, Run, TextRow } from './pool.ts'

const entity = { name: 'terminal', isReference: true } as const

const selectText = `SELECT t.code, m.code AS merchant, t.channel, t.confirmation, t.partial, t.confirm_within_seconds,
    array_to_json(t.operations) AS operations, t.status, t.version
  FROM terminals t JOIN merchants m ON m.tenant = t.tenant AND m.id = t.merchant`

export async function readTerminal(run: Run, tenant: number, code: string, lock = ''): Promise<TerminalRecord | null> {
  const [row] = await run(`${selectText} WHERE t.tenant = $1 AND t.code = $2 ${lock}`, [tenant, code])
  return row === undefined ? null : terminalOf(row)
}

interface TerminalFilter {
  /** Codes of the merchants that the asker may see; null: all. */
  readonly only: readonly string[] | null
  readonly merchant: string | null
  readonly status: string | null
}

/** In the order of their codes. */
export async function listTerminals(
  run: Run,
  tenant: number,
  { only, merchant, status }: TerminalFilter,
  page: PageRequest,
): Promise<Page<TerminalRecord>> {
  const rows = await run(
    `${selectText} WHERE t.tenant = $1 AND ($2::text[] IS NULL OR m.code = ANY ($2))
       AND ($3::text IS NULL OR m.code = $3) AND ($4::text IS NULL OR t.status = $4)
       AND ($5::text IS NULL OR t.code > $5)
     ORDER BY t.code LIMIT $6`,
    [tenant, only, merchant, status, page.after, page.limit + 1],
  )
  return pageOf(rows.map(terminalOf), page, ({ code }) => code)
}

export function createTerminal(
  pool: AdminPool,
  creation: Creation<TerminalRecord>,
  fields: NewTerminal,
): Promise<Created> {
  const { tenant } = creation.actor
  return createOnce(pool, entity, creation, async run => {
    if ((await readTerminal(run, tenant, fields.code)) !== null) return codeTaken()
    const { code, merchant, channel, confirmation, partial, confirmWithinSeconds, operations, status } = fields
    await run(
      `INSERT INTO terminals (tenant, id, code, merchant, channel, confirmation, partial, confirm_within_seconds,
         operations, status)
       SELECT $1, (SELECT coalesce(max(id), 0) + 1 FROM terminals WHERE tenant = $1), $2, m.id, $4, $5, $6, $7, $8, $9
       FROM merchants m WHERE m.tenant = $1 AND m.code = $3`,
      [tenant, code, merchant, channel, confirmation, partial, confirmWithinSeconds, operations, status],
    )
    const item = await readTerminal(run, tenant, code)
    if (item === null) return refused('format_invalid', '/merchant', 'is not a merchant here')
    return { kind: 'made', item, id: code, version: item.version }
  })
}

export function changeTerminal(
  pool: AdminPool,
  change: Change<TerminalRecord>,
  code: string,
  patch: TerminalPatch,
): Promise<Changed<TerminalRecord>> {
  const { tenant } = change.actor
  return changeOnce(pool, { ...entity, id: code }, change, {
    read: run => readTerminal(run, tenant, code, 'FOR NO KEY UPDATE OF t'),
    write: async run => {
      const { sql, values } = assignments(
        {
          channel: patch.channel,
          confirmation: patch.confirmation,
          partial: patch.partial,
          confirm_within_seconds: patch.confirmWithinSeconds,
          operations: patch.operations,
          status: patch.status,
        },
        3,
      )
      await run(`UPDATE terminals SET ${sql} WHERE tenant = $1 AND code = $2`, [tenant, code, ...values])
      return null
    },
  })
}

const terminalOf = (row: TextRow): TerminalRecord => ({
  code: row.code as string,
  merchant: row.merchant as string,
  channel: row.channel as TerminalRecord['channel'],
  confirmation: row.confirmation as TerminalRecord['confirmation'],
  partial: row.partial === 't',
  confirmWithinSeconds: idOrNull(row.confirm_within_seconds),
  operations: row.operations === null ? null : JSON.parse(row.operations as string),
  status: row.status as TerminalRecord['status'],
  version: idOf(row.version),
})
